// A line per finished picture: for pipes, CI logs and terminals that cannot be repainted. A sign of life every half minute,
// because a build server ends what is silent for long.
import type { RunEvent } from '../run/events.ts'
import type { Failure } from '../run/make.ts'
import type { Progress, ProgressContext } from './context.ts'
import { count, duration, fileSize, usdOf } from './format.ts'
import { linesOf } from './words.ts'

/** The longest silence, and how often it is looked for. */
const HEARTBEAT_MS = 30_000
const LOOK_MS = 5_000

/** Pictures in flight that a sign of life names. */
const NAMED = 3

/** Writes each line when it happens. */
export function plainProgress({ stderr, total, now, every }: ProgressContext): Progress {
  const flying = new Map<string, number>()
  let ended = 0
  let wroteAt = now()
  const write = (line: string) => {
    wroteAt = now()
    stderr.write(`[${ended}/${total}] ${line}\n`)
  }
  const cancel = every(LOOK_MS, () => {
    if (flying.size > 0 && now() - wroteAt >= HEARTBEAT_MS) write(inFlightLine(flying, now()))
  })
  return {
    event(event) {
      if (event.type === 'start') flying.set(event.id, now())
      if (event.type === 'made' || event.type === 'failed') flying.delete(event.id)
      if (event.type === 'made' || event.type === 'failed' || event.type === 'blocked') ended++
      const line = lineOf(event)
      if (line === undefined) return
      // What is no picture of this run does not count.
      if (event.type === 'fetched' || event.type === 'unfetched') stderr.write(`${line}\n`)
      else write(line)
    },
    end: cancel,
  }
}

function inFlightLine(flying: ReadonlyMap<string, number>, at: number): string {
  const named = [...flying].slice(0, NAMED).map(([id, since]) => `${id} (${duration(at - since)})`)
  const more = flying.size > NAMED ? ` and ${flying.size - NAMED} more` : ''
  return `… ${flying.size} in flight: ${named.join(', ')}${more}`
}

/** An event in words, several lines where a model had much to say; undefined when it is no news. */
export function lineOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'start':
    case 'summary':
      return undefined
    case 'made': {
      const { image, cost, emulated } = event.entry
      const facts = image ? [`${image.width}x${image.height}`, fileSize(image.bytes)] : []
      const paid = emulated ? `${usdOf(cost)} list price, emulated` : usdOf(cost)
      const bought = event.found ? 'found on the worker' : paid
      const price = event.shared ? 'same picture as another item' : bought
      return `✓ ${event.id}  ${[...facts, price, duration(event.ms)].join(', ')}`
    }
    case 'failed': {
      const { code, message } = event.failure
      return withWords(`✗ ${event.id}  ${code}, ${chargeWords(event.failure)}`, message)
    }
    case 'blocked':
      return `- ${event.id}  not started: ${event.by} has no picture`
    case 'fetched':
      return `fetched ${event.id}`
    case 'unfetched':
      return withWords(`✗ ${event.id}  could not be fetched`, event.message)
    case 'outage':
      return withWords('… trying again', event.message)
    case 'stopping':
      return event.reason === 'interrupted' && !event.elsewhere
        ? interruptedLine(event.inFlight)
        : withWords('stopping', event.message)
  }
}

/** In the words of the plan: what the emulator drew was not bought, however it ended. */
function chargeWords({ charged, cost, emulated }: Failure): string {
  if (emulated) return cost ? `${usdOf(cost)} list price, nothing bought` : 'nothing bought'
  switch (charged) {
    case 'no':
      return 'not charged'
    case 'yes':
      return `charged ${usdOf(cost)}`
    case 'unknown':
      return 'not known whether it was charged'
  }
}

function interruptedLine(inFlight: number): string {
  if (inFlight === 0) return 'stopping: interrupted, with nothing in flight'
  return `finishing ${count(inFlight, 'picture')} in flight, which may be paid for already; Ctrl-C again leaves them to the worker`
}

function withWords(head: string, message: string): string {
  const words = linesOf(message)
  if (words.length === 0) return head
  if (words.length === 1) return `${head}: ${words[0]}`
  return [`${head}:`, ...words.map((line) => `    ${line}`)].join('\n')
}
