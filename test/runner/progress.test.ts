import { describe, expect, test } from 'vitest'
import type { Output } from '../../runner/io.ts'
import type { RunEvent } from '../../runner/run/events.ts'
import type { Failure } from '../../runner/run/make.ts'
import type { JsonEvent } from '../../runner/views/events.ts'
import { lineOf } from '../../runner/views/plain.ts'
import { type ProgressKind, progressOf } from '../../runner/views/progress.ts'
import { isUnicode, spelled } from '../../runner/views/signs.ts'
import { linesOf } from '../../runner/views/words.ts'
import { entry, item, plan } from './items.ts'

const image = {
  url: 'http://w/images/x.png',
  mimeType: 'image/png',
  bytes: 1_200_000,
  width: 2048,
  height: 2048,
  sha256: '0'.repeat(64),
} as const
const picture = entry(plan([item('a')]).items[0]!, { cost: 0.055, image })
const failure = (changes: Partial<Failure> = {}): Failure => ({
  code: 'refused',
  status: 'refused',
  charged: 'yes',
  cost: 0.055,
  message: 'IMAGE_SAFETY: I cannot draw this.',
  ...changes,
})

/** What a kind of progress writes; `beat` lets time pass to the next sign of life. */
function open(kind: ProgressKind, changes: Partial<Output> = {}) {
  const written: string[] = []
  let at = 0
  let tick = () => {}
  const stderr: Output = {
    write: (text) => void written.push(text),
    data: (text) => void written.push(text),
    isTerminal: false,
    color: false,
    unicode: true,
    columns: 80,
    rows: 24,
    ...changes,
  }
  const quote = { expected: 110_000, atMost: 220_000, unknown: [] }
  const progress = progressOf(kind, {
    stderr,
    total: 2,
    quote,
    emulated: false,
    now: () => at,
    every: (_, callback) => {
      tick = callback
      return () => {
        tick = () => {}
      }
    },
  })
  return {
    progress,
    written,
    pass(ms: number) {
      at += ms
    },
    beat() {
      at += 30_000
      tick()
    },
  }
}

describe('an event in words', () => {
  test.each<[RunEvent, string | undefined]>([
    [{ type: 'made', id: 'a', entry: picture, ms: 12_300 }, '✓ a  2048x2048, 1.2 MB, $0.055, 12.3 s'],
    [
      { type: 'made', id: 'a', entry: { ...picture, emulated: true }, ms: 900 },
      '✓ a  2048x2048, 1.2 MB, $0.055 list price, emulated, 0.9 s',
    ],
    [
      { type: 'made', id: 'a', entry: picture, ms: 0, shared: true },
      '✓ a  2048x2048, 1.2 MB, same picture as another item, 0.0 s',
    ],
    [
      { type: 'failed', id: 'a', ms: 1, failure: failure() },
      '✗ a  refused, charged $0.055: IMAGE_SAFETY: I cannot draw this.',
    ],
    [
      {
        type: 'failed',
        id: 'a',
        ms: 1,
        failure: failure({ code: 'timed_out', charged: 'unknown', cost: null, message: 'no answer' }),
      },
      '✗ a  timed_out, not known whether it was charged: no answer',
    ],
    [
      {
        type: 'failed',
        id: 'a',
        ms: 1,
        failure: failure({
          code: 'cut_off',
          charged: 'unknown',
          cost: null,
          message: 'no end',
          emulated: true,
        }),
      },
      '✗ a  cut_off, nothing bought: no end',
    ],
    [
      {
        type: 'failed',
        id: 'a',
        ms: 1,
        failure: failure({ message: 'IMAGE_SAFETY\nI see a person.\n\nTry another pose.\n' }),
      },
      '✗ a  refused, charged $0.055:\n    IMAGE_SAFETY\n    I see a person.\n    Try another pose.',
    ],
    [{ type: 'blocked', id: 'b', by: 'a' }, '- b  not started: a has no picture'],
    [{ type: 'fetched', id: 'b', file: 'out/b.png' }, 'fetched b'],
    [{ type: 'unfetched', id: 'b', message: 'gone' }, '✗ b  could not be fetched: gone'],
    [
      { type: 'stopping', reason: 'interrupted', message: '', inFlight: 2 },
      'finishing 2 pictures in flight, which may be paid for already; Ctrl-C again leaves them to the worker',
    ],
    [
      { type: 'stopping', reason: 'interrupted', message: '', inFlight: 0 },
      'stopping: interrupted, with nothing in flight',
    ],
    [{ type: 'stopping', reason: 'budget', message: 'too dear', inFlight: 2 }, 'stopping: too dear'],
    [{ type: 'start', id: 'a' }, undefined],
  ])('%o', (event, line) => expect(lineOf(event)).toBe(line))

  test("a model's words are capped and cannot steer the terminal", () => {
    const words = linesOf(`\u001b[2Jgone\u0007\u202e\n${'word '.repeat(400)}`)
    expect(words[0]).toBe(' [2Jgone')
    expect(words).toHaveLength(7)
    expect(words.at(-1)).toBe('…')
    for (const line of words) expect(line.length).toBeLessThanOrEqual(160)
    expect(linesOf('x'.repeat(200)).map((line) => line.length)).toEqual([160, 40])
  })
})

describe('plain', () => {
  test('writes a line per finished picture, counted', () => {
    const { progress, written } = open('plain')
    progress.event({ type: 'start', id: 'a' })
    progress.event({ type: 'fetched', id: 'old', file: 'out/old.png' })
    progress.event({ type: 'made', id: 'a', entry: picture, ms: 1_000 })
    progress.event({ type: 'blocked', id: 'b', by: 'c' })
    expect(written).toEqual([
      'fetched old\n',
      '[1/2] ✓ a  2048x2048, 1.2 MB, $0.055, 1.0 s\n',
      '[2/2] - b  not started: c has no picture\n',
    ])
  })

  test('gives a sign of life after half a minute of silence, and none when nothing is in flight', () => {
    const { progress, written, pass, beat } = open('plain')
    beat()
    expect(written).toEqual([])
    for (const id of ['a', 'b', 'c', 'd']) {
      progress.event({ type: 'start', id })
      pass(1_000)
    }
    beat()
    expect(written).toEqual(['[0/2] … 4 in flight: a (34.0 s), b (33.0 s), c (32.0 s) and 1 more\n'])
    progress.end()
    beat()
    expect(written).toHaveLength(1)
  })

  test('a line that was just written is sign enough', () => {
    const { progress, written, pass, beat } = open('plain')
    progress.event({ type: 'start', id: 'a' })
    progress.event({ type: 'start', id: 'b' })
    pass(10_000)
    progress.event({ type: 'made', id: 'a', entry: picture, ms: 1_000 })
    pass(-5_000)
    beat()
    expect(written).toHaveLength(1)
  })
})

test('quiet says what went wrong and nothing else', () => {
  const { progress, written } = open('quiet')
  progress.event({ type: 'start', id: 'a' })
  progress.event({ type: 'made', id: 'a', entry: picture, ms: 1 })
  progress.event({ type: 'failed', id: 'b', failure: failure(), ms: 1 })
  progress.event({ type: 'stopping', reason: 'budget', message: 'too dear', inFlight: 0 })
  expect(written).toEqual([
    '✗ b  refused, charged $0.055: IMAGE_SAFETY: I cannot draw this.\n',
    'stopping: too dear\n',
  ])
})

test('json starts with the version of its format and the plan, then one event per line, money in USD', () => {
  const { progress, written } = open('json')
  const at = '1970-01-01T00:00:00.000Z'
  progress.event({ type: 'start', id: 'a' })
  progress.event({ type: 'made', id: 'a', entry: picture, file: 'out/a.png', ms: 1_000 })
  progress.event({ type: 'failed', id: 'b', failure: failure({ cost: null }), ms: 5 })
  const counts = { made: 1, failed: 0, refused: 1, uncertain: 0, blocked: 0, left: 0, unpriced: 1 }
  progress.event({ type: 'summary', summary: { ...counts, spent: 55_000 } })
  progress.end()
  const { bytes, width, height, mimeType, url } = image
  const { generation, provider, model } = picture
  const expected: JsonEvent[] = [
    { type: 'version', at, format: 'proofsheet-events', version: 1, total: 2 },
    {
      type: 'plan',
      at,
      total: 2,
      expected: 0.11,
      atMost: 0.22,
      currency: 'USD',
      unknown: [],
      emulated: false,
    },
    { type: 'start', at, id: 'a' },
    {
      type: 'made',
      at,
      id: 'a',
      file: 'out/a.png',
      shared: false,
      found: false,
      ms: 1_000,
      ...{ url, mimeType, bytes, width, height, generation, provider, model },
      emulated: false,
      cost: 0.055,
      charged: 'yes',
    },
    { type: 'failed', at, id: 'b', found: false, ms: 5, ...failure({ cost: null }) },
    { type: 'summary', at, ...counts, actual: 0.055, expected: 0.11, atMost: 0.22, currency: 'USD' },
  ]
  expect(written.map((line) => JSON.parse(line))).toEqual(expected)
  for (const line of written) expect(line).toMatch(/^\{"type":.*\}\n$/)
})

describe('signs', () => {
  test.each([
    [{}, true],
    [{ LANG: 'de_DE.UTF-8' }, true],
    [{ LC_ALL: 'C.utf8' }, true],
    [{ LC_ALL: 'C', LANG: 'en_US.UTF-8' }, false],
    [{ LC_CTYPE: 'en_US.ISO-8859-1', LANG: 'en_US.UTF-8' }, false],
    [{ LC_ALL: '', LANG: 'POSIX' }, false],
  ])('the locale %o takes signs beyond ASCII: %s', (env, is) => expect(isUnicode(env)).toBe(is))

  test('are spelled in ASCII where the terminal cannot show them; other texts stay', () => {
    expect(spelled('✓ ≥ $1 → – … 商', { unicode: false })).toBe('+ >= $1 -> - ... 商')
    expect(spelled('✓ ≥', { unicode: true })).toBe('✓ ≥')
  })
})
