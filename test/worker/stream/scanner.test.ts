import { describe, expect, test } from 'vitest'
import { type BlobSink, isInlineData, ScanError, scanJson } from '../../../worker/stream/scanner.ts'
import { concat, fromBase64, type Random, seeded, shatter, streamOf } from './random.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

/** A sink that keeps copies of what it gets. */
function collect(): BlobSink & { blobs: Uint8Array[]; closed: number; largest: number } {
  const blobs: Uint8Array[] = []
  return {
    blobs,
    closed: 0,
    largest: 0,
    open: () => void blobs.push(new Uint8Array(0)),
    async write(bytes) {
      // The view must stay as it is until the write ends.
      await Promise.resolve()
      this.largest = Math.max(this.largest, bytes.length)
      blobs.push(concat([blobs.pop()!, bytes]))
    },
    close() {
      this.closed++
    },
  }
}

async function scan(text: string | Uint8Array, cut?: Random, maxSkeletonBytes = 1_000_000) {
  const sink = collect()
  const bytes = typeof text === 'string' ? utf8(text) : text
  const chunks = cut ? shatter(bytes, cut, cut.pick([2, 5, 30, 2_000])) : [bytes]
  const type = cut?.chance(0.5) ? { type: 'bytes' as const } : {}
  const skeleton = await scanJson(streamOf(chunks, type), { isBlob: isInlineData, sink, maxSkeletonBytes })
  return { skeleton, blobs: sink.blobs, closed: sink.closed }
}

/** The same by JSON.parse. JSON keeps the order of keys that are no integers. */
function naive(text: string): { skeleton: unknown; blobs: Uint8Array[] } {
  const blobs: Uint8Array[] = []
  const walk = (value: unknown, name: string | undefined): unknown => {
    if (Array.isArray(value)) return value.map((member) => walk(member, name))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => {
        const isBlob = key === 'data' && (name === 'inlineData' || name === 'inline_data')
        if (typeof member !== 'string' || !isBlob) return [key, walk(member, key)]
        blobs.push(fromBase64(member))
        return [key, blobs.length - 1]
      }),
    )
  }
  return { skeleton: walk(JSON.parse(text), undefined), blobs }
}

const TEXTS = [
  '',
  '"data":"QUJD"',
  'é\u{1f600}\u2028',
  '\\',
  '\\"',
  '}{][',
  'a\nb\t',
  '\u0000',
  'x'.repeat(500),
]
const KEYS = ['data', 'inlineData', 'inline_data', 'parts', 'text', 'mimeType', 'da"ta', 'é', '\\', '']

function document(random: Random, depth: number): string {
  const gap = () => random.pick(['', '', '', ' ', '\n\t ', '\r\n'])
  const joined = (members: string[]) => members.map((m) => gap() + m + gap()).join(',')
  const several = (make: () => string) => joined(Array.from({ length: random.below(4) }, make))
  const kind = depth === 0 ? random.pick(['object', 'list']) : random.below(depth > 5 ? 3 : 8)
  if (kind === 0) return random.pick(['null', 'true', 'false', '0', '-1.5e+3', '12345678901'])
  if (kind === 1) return string(random.pick(TEXTS), random)
  if (kind === 2) return string(random.bytes(random.below(40)).toBase64(), random)
  if (kind === 'list' || kind === 3) return `[${gap()}${several(() => document(random, depth + 1))}]`
  if (kind === 'object' || kind === 4) {
    const keys = new Set(Array.from({ length: random.below(5) }, () => random.pick(KEYS)))
    const memberOf = (key: string) => (key === 'data' ? base64String(random) : document(random, depth + 1))
    const member = (key: string) => `${string(key, random)}${gap()}:${gap()}${memberOf(key)}`
    return `{${gap()}${joined([...keys].map(member))}}`
  }
  const data = `${string('data', random)}${gap()}:${gap()}${base64String(random)}`
  const label = `"mimeType":${gap()}"image/png"`
  const inline = joined(random.chance(0.5) ? [data, label] : [label, data])
  const one = `{${inline}}`
  const value = random.chance(0.2) ? `[${one},${gap()}${one}]` : one
  return `{${string(random.pick(['inlineData', 'inline_data']), random)}:${gap()}${value}}`
}

function base64String(random: Random): string {
  if (random.chance(0.1)) return random.pick(['null', '7', '{}', '["QUJD"]'])
  let text = random
    .bytes(random.below(random.pick([4, 60, 500])))
    .toBase64({ alphabet: random.chance(0.7) ? 'base64' : 'base64url' })
  if (random.chance(0.2)) text = text.replace(/(.{76})/g, '$1\r\n')
  return string(text, random)
}

/** A JSON string, each character escaped in one of the ways that mean the same. */
function string(text: string, random: Random): string {
  const often = random.chance(0.2)
  const one = (char: string) => {
    const plain = JSON.stringify(char).slice(1, -1)
    if (char === '/' && random.chance(0.5)) return '\\/'
    const isOdd = char === '=' || char === '+' ? random.chance(0.3) : often && random.chance(0.2)
    const hex = char.charCodeAt(0).toString(16).padStart(4, '0')
    return isOdd && char.length === 1 ? `\\u${random.chance(0.5) ? hex : hex.toUpperCase()}` : plain
  }
  return `"${[...text].map(one).join('')}"`
}

test('a random document cut at random places gives what JSON.parse and a whole decoding give', async () => {
  let pictures = 0
  for (let seed = 1; seed <= 3_000; seed++) {
    const random = seeded(seed)
    const text = (random.chance(0.1) ? '\ufeff' : '') + document(random, 0) + random.pick(['', ' ', '\n\n'])
    const found = await scan(text, random).catch((error) => {
      throw new Error(`seed ${seed}`, { cause: error })
    })
    const expected = naive(text.replace(/^\ufeff/, ''))
    expect(found, `seed ${seed}`).toEqual({ ...expected, closed: expected.blobs.length })
    pictures += found.blobs.length
  }
  expect(pictures).toBeGreaterThan(3_000)
}, 20_000)

test('every proper beginning of a document is truncated, wherever it ends', async () => {
  const text = ' {"a":[1,{"inlineData":{"data":"QUJ\\u0044RQ=="}},"é"],"\\n":null} '
  const bytes = utf8(text)
  for (let length = 0; length < bytes.length - 1; length++)
    await expect(scan(bytes.subarray(0, length)), `${length} bytes`).rejects.toMatchObject({
      name: 'ScanError',
      kind: 'truncated',
    })
  expect((await scan(bytes.subarray(0, -1))).blobs).toEqual([utf8('ABCE')])
})

describe('what is a blob', () => {
  test.for([
    ['data in inlineData, type first', '{"inlineData":{"mimeType":"x","data":"QUJD"}}', ['ABC']],
    ['data in inline_data, type last', '{"inline_data":{"data":"QUJD","mime_type":"x"}}', ['ABC']],
    ['an empty one', '{"inlineData":{"data":""}}', ['']],
    ['keys written with escapes', '{"inline\\u0044ata":{"d\\u0061ta":"QUJD"}}', ['ABC']],
    [
      'padding and slashes written with escapes',
      '{"inlineData":{"data":"\\/\\/8\\u003d"}}',
      ['\u00ff\u00ff'],
    ],
    ['line breaks written with escapes', '{"inlineData":{"data":"QU\\nJD\\r\\n"}}', ['ABC']],
    ['line breaks as they are, which JSON forbids', '{"inlineData":{"data":"QU\nJD"}}', ['ABC']],
    ['several, through lists', '{"inlineData":[{"data":"QQ"},[{"data":"Qg"}]]}', ['A', 'B']],
    ['one key twice', '{"inlineData":{"data":"QQ","data":"Qg"}}', ['A', 'B']],
    ['not: null', '{"inlineData":{"data":null}}', []],
    ['not: a number', '{"inlineData":{"data":7}}', []],
    ['not: a list member', '{"inlineData":{"data":["QUJD"]}}', []],
    ['not: data elsewhere', '{"data":"QUJD","fileData":{"data":"QUJD"}}', []],
    ['not: data one level deeper', '{"inlineData":{"more":{"data":"QUJD"}}}', []],
    ['not: data beside inlineData', '{"inlineData":{},"data":"QUJD"}', []],
    ['not: a text that looks like it', '{"text":"\\"inlineData\\":{\\"data\\":\\"QUJD\\"}"}', []],
  ] as const)('%s', async ([, text, expected]) => {
    for (const cut of [undefined, seeded(3)]) {
      const { blobs, closed } = await scan(text, cut)
      expect(blobs.map((blob) => new TextDecoder('latin1').decode(blob))).toEqual(expected)
      expect(closed).toBe(expected.length)
    }
  })
})

describe('what is no answer', () => {
  const deep = '['.repeat(129) + ']'.repeat(129)
  const long = JSON.stringify({ text: 'x'.repeat(100) })
  const data = (text: string) => `{"inlineData":{"data":"${text}"}}`
  test.for([
    ['nothing', '', 'truncated'],
    ['white space only', ' \n', 'truncated'],
    ['half a word', 'tru', 'truncated'],
    ['half a number', '-1.5e', 'truncated'],
    ['a page', '<html>', 'malformed'],
    ['a word that is none', '{"a":nul}', 'malformed'],
    ['a trailing comma', '{"a":1,}', 'malformed'],
    ['a crossed bracket', '{"a":[1}]', 'malformed'],
    ['a closing bracket alone', ']', 'malformed'],
    ['a second value', '{}{}', 'malformed'],
    ['a second string', '"a" "b"', 'malformed'],
    ['a word after the value', '{} x', 'malformed'],
    ['two numbers with a space between', '[1 2]', 'malformed'],
    ['a number joined to a blob', '{"inlineData":[{"data":"QQ"},{"data":"QQ"5}]}', 'malformed'],
    ['two blobs under one key', '{"inlineData":{"data":"QQ" "QQ"}}', 'malformed'],
    ['an unknown escape in a blob', data('QQ\\x'), 'malformed'],
    ['a broken escape in a blob', data('QQ\\u00zz'), 'malformed'],
    ['a broken key', '{"\\u00zz":1}', 'malformed'],
    ['a blob with other characters', data('Q*JD'), 'base64'],
    ['a blob with a quote', data('QU\\"JD'), 'base64'],
    ['a blob with characters beyond ASCII', data('QU\\u20acD'), 'base64'],
    ['a blob that ends inside a byte', data('QUJDR'), 'base64'],
    ['more text than the bound', long, 'too_large'],
    ['too many levels', deep, 'too_deep'],
  ] as const)('%s', async ([, text, kind]) => {
    for (const cut of [undefined, seeded(4)]) {
      const result = scan(text, cut, text === long ? 100 : undefined)
      await expect(result).rejects.toBeInstanceOf(ScanError)
      await expect(result).rejects.toMatchObject({ kind })
    }
  })
})

test('bytes that are no UTF-8 are refused where a caller wrote them, and marked where they were paid for', async () => {
  const bytes = Uint8Array.from([...utf8('{"text":"'), 0xff, ...utf8('"}')])
  const options = { isBlob: isInlineData, sink: collect() }
  const strict = scanJson(streamOf([bytes]), { ...options, isStrict: true })
  await expect(strict).rejects.toMatchObject({ name: 'ScanError', kind: 'malformed' })
  expect(await scanJson(streamOf([bytes]), options)).toEqual({ text: '\ufffd' })
})

test('blobs and white space do not count towards the bound', async () => {
  const blob = new Uint8Array(10_000).toBase64()
  const { blobs } = await scan(`{"inlineData":${' '.repeat(5_000)}{"data":"${blob}"}}`, undefined, 100)
  expect(blobs[0]).toHaveLength(10_000)
})

test('a chunk as large as the picture reaches the sink in slices of 48 KiB at most', async () => {
  const sink = collect()
  const picture = new Uint8Array(1_000_000).fill(7)
  const text = JSON.stringify({ inlineData: { data: picture.toBase64() } })
  await scanJson(streamOf([utf8(text)]), { isBlob: isInlineData, sink })
  expect(sink.blobs).toEqual([picture])
  expect(sink.largest).toBeLessThanOrEqual(48 * 1024)
})

test('no more is read while the sink is writing', async () => {
  const chunks = shatter(utf8(`{"inlineData":{"data":"${'QUJD'.repeat(1_000)}"}}`), seeded(5), 100)
  let pulled = 0
  let writing = false
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        expect(writing).toBe(false)
        const chunk = chunks[pulled++]
        if (chunk) controller.enqueue(chunk)
        else controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  const sink: BlobSink = {
    open() {},
    close() {},
    async write() {
      writing = true
      for (let turn = 0; turn < 5; turn++) await Promise.resolve()
      writing = false
    },
  }
  await scanJson(body, { isBlob: isInlineData, sink })
  expect(pulled).toBe(chunks.length + 1)
})

test('an error of the stream inside the value is thrown as it is', async () => {
  const error = new Error('connection lost')
  const body = streamOf([utf8('{"a":')], { error })
  await expect(scanJson(body, { isBlob: isInlineData, sink: collect() })).rejects.toBe(error)
})

test('an error of the stream after the complete value takes nothing away', async () => {
  const body = streamOf([utf8('{"a":1}')], { error: new Error('connection lost') })
  expect(await scanJson(body, { isBlob: isInlineData, sink: collect() })).toEqual({ a: 1 })
})

test('an error of the sink is thrown as it is, and the stream is cancelled with it', async () => {
  const error = new Error('R2 is down')
  let reason: unknown
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(utf8('{"inlineData":{"data":"QUJD')),
    cancel(given) {
      reason = given
    },
  })
  const sink = { ...collect(), write: () => Promise.reject(error) }
  await expect(scanJson(body, { isBlob: isInlineData, sink })).rejects.toBe(error)
  expect(reason).toBe(error)
})
