import { describe, expect, test } from 'vitest'
import type { RunEvent } from '../../runner/run/events.ts'
import type { ProgressContext } from '../../runner/views/context.ts'
import { createPainter } from '../../runner/views/painter.ts'
import { windowProgress } from '../../runner/views/window.ts'
import { entry, item, plan } from './items.ts'
import { type Screen, screen } from './screen.ts'

const quote = { expected: 670_000, atMost: 1_000_000, unknown: [] }

/** A window on a screen, with a clock that goes on when told. */
function open(
  columns: number,
  rows: number,
  { total = 10, ...changes }: Partial<Screen & { total: number }> = {},
) {
  const terminal = screen(columns, rows, changes)
  let at = 0
  let tick = () => {}
  const context: ProgressContext = {
    stderr: terminal,
    total,
    quote,
    emulated: false,
    now: () => at,
    every(_, callback) {
      tick = callback
      return () => {
        tick = () => {}
      }
    },
  }
  const window = windowProgress(context)
  return {
    terminal,
    window,
    /** Lets time pass, 100 ms a tick. */
    pass(ms: number) {
      for (const end = at + ms; at < end; ) {
        at += 100
        tick()
      }
    },
  }
}

const made = (id: string, cost: number | null = 0.067): RunEvent => ({
  type: 'made',
  id,
  entry: entry(plan([item(id)]).items[0]!, { cost }),
  ms: 1_000,
})
const failed = (id: string, message = 'words'): RunEvent => ({
  type: 'failed',
  id,
  ms: 1,
  failure: { code: 'refused', status: 'refused', message, charged: 'yes', cost: 0.067 },
})

describe('the window', () => {
  test('shows how far, what is spent of what is expected, and each picture in flight since when', () => {
    const { terminal, window, pass } = open(80, 24)
    window.event({ type: 'start', id: 'packshot/mug' })
    pass(1_900)
    window.event({ type: 'start', id: 'packshot/lamp' })
    window.event(made('packshot/sofa'))
    pass(100)
    expect(terminal.visible()).toEqual([
      `${'━'.repeat(3)}${'─'.repeat(27)} 1/10  $0.067 of $0.67  2.0 s`,
      '  packshot/mug  2.0 s',
      '  packshot/lamp  0.1 s',
    ])
  })

  test('what became no picture scrolls above it and stays', () => {
    const { terminal, window, pass } = open(80, 24)
    window.event({ type: 'start', id: 'a' })
    pass(100)
    window.event(failed('a'))
    window.event({ type: 'blocked', id: 'b', by: 'a' })
    pass(100)
    expect(terminal.visible()).toEqual([
      '✗ a  refused, charged $0.067: words',
      '- b  not started: a has no picture',
      `${'━'.repeat(6)}${'─'.repeat(24)} 2/10  ✗ 2  $0.067 of $0.67  0.2 s`,
    ])
    window.event(failed('c'))
    window.end()
    expect(terminal.visible()).toEqual([
      '✗ a  refused, charged $0.067: words',
      '- b  not started: a has no picture',
      '✗ c  refused, charged $0.067: words',
    ])
  })

  test('a cost that is not known makes the sum a lower bound', () => {
    const { terminal, window, pass } = open(80, 24)
    window.event(made('a', null))
    pass(100)
    expect(terminal.visible()[0]).toContain('? of $0.67')
    window.event(made('b'))
    pass(100)
    expect(terminal.visible()[0]).toContain('≥ $0.067 of $0.67')
  })

  test('is painted at most ten times a second, and once a second when nothing happens', () => {
    const { terminal, window, pass } = open(80, 24, { total: 1_000 })
    for (let i = 0; i < 1_000; i++) window.event(i % 2 ? made(`i${i}`) : failed(`i${i}`))
    expect(terminal.writes).toHaveLength(0)
    pass(100)
    expect(terminal.writes).toHaveLength(1)
    pass(3_000)
    expect(terminal.writes).toHaveLength(4)
  })

  test('in ASCII it has no sign beyond it', () => {
    const { terminal, window, pass } = open(60, 8, { unicode: false })
    window.event({ type: 'start', id: `packshot/${'x'.repeat(80)}` })
    window.event(made('b', null))
    window.event(failed('c'))
    pass(100)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
    expect(terminal.writes.join('')).toMatch(/^[\x00-\x7f]*$/)
    expect(terminal.visible()[1]).toMatch(/^#{4}-{18} 2\/10 {2}x 1 {2}>= \$0\.067 of \$0\.67/)
  })
})

describe('a terminal of 5 rows and 40 columns', () => {
  test('is never exceeded, however many pictures are in flight and however long their ids', () => {
    const { terminal, window, pass } = open(40, 5)
    for (let i = 0; i < 9; i++) window.event({ type: 'start', id: `packshot/${'long-'.repeat(12)}/${i}` })
    pass(100)
    expect(terminal.visible()).toEqual([
      '─────────── 0/10  $0.00 of $0.67  0.1 s',
      '  …g-long-long-long-long-long-/0  0.1 s',
      '  and 8 more',
    ])
    window.event(failed('a', 'The model had much to say. '.repeat(40)))
    pass(100)
    expect(terminal.visible()).toHaveLength(5)
    expect(terminal.visible().slice(-3)[0]).toContain('1/10  ✗ 1')
  })

  test('wide characters count as wide', () => {
    const { terminal, window, pass } = open(40, 5)
    window.event({ type: 'start', id: '商品写真/'.repeat(8) })
    pass(100)
    expect(terminal.visible()[1]).toMatch(/^ {2}…\/商品写真\/商品写真\/商品写真\/ {2}0\.1 s$/)
  })

  test.each([
    [1, 1],
    [3, 2],
    [12, 3],
    [40, 2],
  ])('even %i columns and %i rows are enough', (columns, rows) => {
    const { terminal, window, pass } = open(columns, rows)
    for (const id of ['a', 'b', 'c']) window.event({ type: 'start', id })
    pass(1_500)
    expect(terminal.everything().length).toBeLessThanOrEqual(Math.max(1, rows - 1))
    for (const line of terminal.everything())
      expect(line.length).toBeLessThanOrEqual(Math.max(1, columns - 1))
  })

  test('resized while running, nothing of an older frame stays, and nothing above it is lost', () => {
    const { terminal, window, pass } = open(40, 5)
    const sizes = [
      [40, 5],
      [30, 6],
      [80, 24],
      [60, 24],
      [33, 16],
      [40, 12],
      // A frame that has no room any more would leave its upper lines where nobody can erase them.
      [25, 24],
      [40, 12],
      [40, 8],
      [40, 5],
    ] as const
    const seen: string[] = []
    for (const [round, [columns, rows]] of sizes.entries()) {
      const id = `packshot/${'x'.repeat(30)}/${round}`
      window.event({ type: 'start', id })
      window.event(failed(`gone-${round}`))
      seen.push(`✗ gone-${round}  refused, charged $0.067: words`)
      pass(300)
      terminal.resize(columns, rows)
      pass(1_000)
      expect(terminal.everything().slice(0, seen.length)).toEqual(seen)
      const frame = terminal.everything().slice(seen.length)
      expect(frame.length).toBeLessThanOrEqual(rows - 1)
      for (const line of frame) expect(line.length).toBeLessThan(columns)
      expect(frame.filter((line) => line.includes('/10  '))).toHaveLength(1)
    }
    window.end()
    expect(terminal.everything()).toEqual([...seen, ''])
  })
})

test('made much smaller at once, the terminal shows the new frame and nothing of the old one', () => {
  const { terminal, window, pass } = open(80, 24)
  for (let i = 0; i < 9; i++) window.event({ type: 'start', id: `packshot/${'x'.repeat(30)}/${i}` })
  pass(300)
  terminal.resize(33, 4)
  pass(1_000)
  expect(terminal.visible()).toEqual([
    '──── 0/10  $0.00 of $0.67  1.1 s',
    '  …xxxxxxxxxxxxxxxxxxxx/0  1.1 s',
    '  and 8 more',
  ])
})

test('a painter takes away no more than it painted', () => {
  const terminal = screen(20, 6)
  terminal.write('before\n')
  const painter = createPainter(terminal)
  painter.paint(['one', 'two', 'three'])
  painter.paint(['four'], 'stays\n')
  expect(terminal.visible()).toEqual(['before', 'stays', 'four'])
  painter.clear()
  painter.clear()
  expect(terminal.visible()).toEqual(['before', 'stays'])
})
