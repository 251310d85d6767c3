// Progress on a terminal: a window at the bottom with a bar, the money and the pictures in flight; what did not become a
// picture scrolls above it.
// Rules: events change what is known, the clock alone paints: at most ten times a second, and once a second at least.
import { styleText } from 'node:util'
import stringWidth from 'string-width'
import type { RunEvent } from '../run/events.ts'
import type { Progress, ProgressContext } from './context.ts'
import { amount, duration, quoted, quotedExpected } from './format.ts'
import { createPainter } from './painter.ts'
import { lineOf } from './plain.ts'
import { spelled } from './signs.ts'

const REPAINT_MS = 100
const TICK_MS = 1_000

/** Rows of the terminal that are not for pictures in flight. */
const OTHER_ROWS = 6
const WIDEST_BAR = 30
const NARROWEST_BAR = 4

/** Paints the window until `end`. */
export function windowProgress({ stderr, total, quote, now, every }: ProgressContext): Progress {
  const painter = createPainter(stderr)
  const flying = new Map<string, number>()
  const startedAt = now()
  const known = { made: 0, lost: 0, spent: 0, unpriced: 0 }
  let above = ''
  let paintedAt = Number.NEGATIVE_INFINITY
  let isStale = false

  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    stderr.color ? styleText(format, text, { validateStream: false }) : text
  const fits = (text: string) => stringWidth(text) < stderr.columns

  const headLine = () => {
    const done = known.made + known.lost
    const spent = quoted(known.spent, { unknown: Array(known.unpriced).fill('') })
    const facts = [
      `${done}/${total}`,
      ...(known.lost > 0 ? [`✗ ${known.lost}`] : []),
      `${known.spent + known.unpriced > 0 ? spent : amount(0)} of ${quotedExpected(quote)}`,
      duration(now() - startedAt),
    ].map((fact) => spelled(fact, stderr))
    // The most important ones come first; what has no room is left out.
    let text = facts[0]!
    for (const fact of facts.slice(1)) if (fits(`${text}  ${fact}`)) text = `${text}  ${fact}`
    const width = Math.min(WIDEST_BAR, stderr.columns - stringWidth(text) - 2)
    if (width < NARROWEST_BAR) return text
    const filled = total === 0 ? width : Math.min(width, Math.round((width * done) / total))
    const [full, empty] = stderr.unicode ? ['━', stderr.color ? '━' : '─'] : ['#', '-']
    return `${style('green', full.repeat(filled))}${style('dim', empty.repeat(width - filled))} ${text}`
  }

  const flyingLine = ([id, since]: [string, number]) => {
    const time = duration(now() - since)
    const sign = spelled('…', stderr)
    const room = stderr.columns - 1 - 4 - stringWidth(time)
    if (room < 4) return `  ${ending(id, stderr.columns - 3, sign)}`
    return `  ${ending(id, room, sign)}  ${style('dim', time)}`
  }

  const frame = () => {
    // Nothing is made: what was fetched scrolls by.
    if (total === 0) return []
    const room = Math.max(1, stderr.rows - OTHER_ROWS)
    const shown = [...flying].slice(0, room).map(flyingLine)
    const more = flying.size - shown.length
    return [headLine(), ...shown, ...(more > 0 ? [style('dim', `  and ${more} more`)] : [])]
  }

  const paint = () => {
    painter.paint(frame(), above)
    above = ''
    paintedAt = now()
    isStale = false
  }
  const scroll = (event: RunEvent, color: 'red' | 'yellow' | 'reset') => {
    above += `${style(color, spelled(lineOf(event)!, stderr))}\n`
  }
  const pay = (usd: number | null) => {
    if (usd === null) known.unpriced++
    else known.spent += Math.round(usd * 1e6)
  }
  const cancel = every(REPAINT_MS, () => {
    if (isStale || now() - paintedAt >= TICK_MS) paint()
  })

  return {
    event(event: RunEvent) {
      isStale = true
      switch (event.type) {
        case 'start':
          flying.set(event.id, now())
          return
        case 'made':
          flying.delete(event.id)
          known.made++
          if (!event.shared && !event.found) pay(event.entry.cost)
          return
        case 'failed':
          flying.delete(event.id)
          known.lost++
          if (!event.found) pay(event.failure.cost)
          return scroll(event, 'red')
        case 'blocked':
          known.lost++
          return scroll(event, 'yellow')
        case 'fetched':
          return scroll(event, 'reset')
        case 'unfetched':
          return scroll(event, 'red')
        case 'outage':
        case 'stopping':
          return scroll(event, 'yellow')
        case 'summary':
          return
      }
    },
    end() {
      cancel()
      painter.clear(above)
      above = ''
    },
  }
}

/** The end of a text that is too wide: where ids differ. */
function ending(text: string, width: number, sign: string): string {
  if (stringWidth(text) <= width) return text
  let kept = ''
  for (const character of [...text].reverse()) {
    if (stringWidth(character + kept) > width - sign.length) break
    kept = character + kept
  }
  return `${sign}${kept}`
}
