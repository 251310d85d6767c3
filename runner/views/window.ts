// Progress on a terminal: a window at the bottom with a bar and the pictures in flight; what failed scrolls above.
// Rules: never higher than the terminal, never wider; repainted at most every 100 ms and once a second at least.

import { styleText } from 'node:util'
import { createLogUpdate } from 'log-update'
import sliceAnsi from 'slice-ansi'
import type { RunEvent } from '../run/events.ts'
import type { Progress, ProgressContext } from './context.ts'
import { duration, quoted } from './format.ts'
import { lineOf } from './plain.ts'

const REPAINT_MS = 100
const TICK_MS = 1_000

/** Paints the window until `end`. */
export function windowProgress({ stderr, total, now }: ProgressContext): Progress {
  const paint = createLogUpdate(stderr as never)
  const running = new Map<string, number>()
  let made = 0
  let failed = 0
  let spent = 0
  let unpriced = 0
  let paintedAt = 0
  const startedAt = now()

  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    stderr.color ? styleText(format, text, { validateStream: false }) : text
  const frame = () => {
    const done = made + failed
    const width = Math.max(4, Math.min(30, stderr.columns - 50))
    const filled = total === 0 ? width : Math.round((width * done) / total)
    const bar = `${style('green', '━'.repeat(filled))}${style('dim', '━'.repeat(width - filled))}`
    const facts = [
      `${done}/${total}`,
      failed > 0 ? style('red', `${failed} without a picture`) : '',
      quoted(spent, { unknown: Array(unpriced).fill('') }),
      duration(now() - startedAt),
    ]
    const room = Math.max(0, stderr.rows - 4)
    const flying = [...running]
      .slice(0, room)
      .map(([id, since]) => `  ${id}  ${style('dim', duration(now() - since))}`)
    const more =
      running.size > flying.length ? [style('dim', `  and ${running.size - flying.length} more`)] : []
    return [`${bar} ${facts.filter(Boolean).join('  ')}`, ...flying, ...more].slice(
      0,
      Math.max(1, stderr.rows - 1),
    )
  }
  const repaint = (force = false) => {
    if (!force && now() - paintedAt < REPAINT_MS) return
    paintedAt = now()
    paint(
      frame()
        .map((line) => sliceAnsi(line, 0, Math.max(1, stderr.columns - 1)))
        .join('\n'),
    )
  }
  const ticker = setInterval(() => repaint(true), TICK_MS)
  ticker.unref()
  repaint(true)

  const pay = (usd: number | null) => {
    if (usd === null) unpriced++
    else spent += Math.round(usd * 1e6)
  }
  const scroll = (line: string) => {
    paint.clear()
    stderr.write(`${line}\n`)
    repaint(true)
  }
  return {
    event(event: RunEvent) {
      switch (event.type) {
        case 'start':
          running.set(event.id, now())
          break
        case 'made':
          running.delete(event.id)
          made++
          if (!event.shared) pay(event.entry.cost)
          break
        case 'failed':
          running.delete(event.id)
          failed++
          pay(event.failure.cost)
          return scroll(style('red', lineOf(event)!))
        case 'blocked':
          failed++
          return scroll(style('yellow', lineOf(event)!))
        case 'summary':
          return
        case 'stopping':
          return scroll(style('yellow', lineOf(event)!))
      }
      repaint()
    },
    end() {
      clearInterval(ticker)
      paint.clear()
      paint.done()
    },
  }
}
