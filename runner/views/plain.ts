// A line per finished picture: for pipes, CI logs and terminals that cannot be repainted.
import type { RunEvent } from '../run/events.ts'
import type { Progress, ProgressContext } from './context.ts'
import { count, duration, fileSize, usdOf } from './format.ts'

/** Writes each line when it happens. */
export function plainProgress({ stderr, total }: ProgressContext): Progress {
  let ended = 0
  return {
    event(event) {
      if (event.type === 'made' || event.type === 'failed' || event.type === 'blocked') ended++
      const line = lineOf(event)
      if (line) stderr.write(`[${ended}/${total}] ${line}\n`)
    },
    end: () => {},
  }
}

/** An event as a line, or undefined when it is no news. */
export function lineOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'start':
    case 'summary':
      return undefined
    case 'made': {
      const { image, cost, emulated } = event.entry
      const facts = image ? [`${image.width}x${image.height}`, fileSize(image.bytes)] : []
      const paid = emulated ? `${usdOf(cost)} list price, emulated` : usdOf(cost)
      const price = event.shared ? 'same picture as another item' : paid
      return `✓ ${event.id}  ${[...facts, price, duration(event.ms)].join(', ')}`
    }
    case 'failed': {
      const { code, message, charged, cost } = event.failure
      const money = {
        no: 'not charged',
        yes: `charged ${usdOf(cost)}`,
        unknown: 'not known whether it was charged',
      }
      return `✗ ${event.id}  ${code}, ${money[charged]}: ${message}`
    }
    case 'blocked':
      return `- ${event.id}  not started: ${event.by} has no picture`
    case 'stopping':
      return event.reason === 'interrupted'
        ? `finishing ${count(event.inFlight, 'picture')} in flight, which may be paid for already; Ctrl-C again leaves them to the worker`
        : `stopping: ${event.message}`
  }
}
