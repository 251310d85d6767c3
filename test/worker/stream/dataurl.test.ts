import { expect, test } from 'vitest'
import { dataUrlIn } from '../../../worker/stream/dataurl.ts'
import { type BlobSink, scanJson } from '../../../worker/stream/scanner.ts'
import { concat, streamOf } from './random.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

function collect(): BlobSink & { blobs: string[] } {
  const blobs: string[] = []
  return {
    blobs,
    open: () => void blobs.push(''),
    write: (bytes) => void blobs.push(blobs.pop()! + new TextDecoder().decode(bytes)),
    close: () => void blobs.push(`${blobs.pop()!}.`),
  }
}

/** The scan of a text that arrives in these pieces; `url` in an `image_url`, and what is in `images`, may be data. */
async function scan(...pieces: (string | Uint8Array)[]) {
  const sink = collect()
  const isDataUrl = (key: string, parent: string | undefined) =>
    key === 'images' || (key === 'url' && parent === 'image_url')
  const body = streamOf(pieces.map((piece) => (typeof piece === 'string' ? utf8(piece) : piece)))
  const json = await scanJson(body, {
    isBlob: (key) => key === 'data',
    isDataUrl,
    sink,
    maxSkeletonBytes: 4_000,
  })
  return { json, blobs: sink.blobs }
}

const urlOf = (json: unknown) => (json as { image_url: { url: string } }).image_url.url

test.for([
  ['plain', 'data:image/png;base64,QUJD', 'data:image/png;base64,0'],
  ['an escaped slash', 'data:image\\/png;base64,QUJD', 'data:image/png;base64,0'],
  ['escapes everywhere', '\\u0064ata:image/png;base64\\u002cQUJ\\u0044', 'data:image/png;base64,0'],
  ['upper case', 'DATA:Image/PNG;BASE64,QUJD', 'DATA:Image/PNG;BASE64,0'],
  ['parameters', 'data:image/png;name=a.png;base64,QUJD', 'data:image/png;name=a.png;base64,0'],
  ['white space', ' data: image/png ; base64 , Q U\\nJD ', ' data: image/png ; base64 ,0'],
  ['no type', 'data:;base64,QUJD', 'data:;base64,0'],
])('the Base64 of a data URL goes to the sink, its index stays: %s', async ([, text, kept]) => {
  const { json, blobs } = await scan(`{"image_url":{"url":"${text}"},"n":1}`)
  expect(json).toEqual({ image_url: { url: kept }, n: 1 })
  expect(blobs).toEqual(['ABC.'])
  expect(dataUrlIn(urlOf(json))).toEqual({ type: text!.includes(':;') ? '' : 'image/png', index: 0 })
})

test.for([
  'https://example.com/a,b.png',
  'data:text/plain,hello',
  'data:image/png;base64',
  'data:image/svg+xml;utf8,<svg/>',
  'dat',
  '',
  'd\\u00e4ta:image/png;base64,QUJD',
  'dé:image/png;base64,QUJD',
  `data:${'x'.repeat(600)};base64,QUJD`,
])('any other string is kept as it is: %s', async (text) => {
  const { json, blobs } = await scan(`{"image_url":{"url":"${text}"}}`)
  expect(urlOf(json)).toBe(JSON.parse(`"${text}"`))
  expect(blobs).toEqual([])
})

test('only where the caller says is a data URL taken out', async () => {
  const data = 'data:image/png;base64,QUJD'
  const text = `{"url":"${data}","image_url":{"url":{"url":"${data}"},"${data}":1},"prompt":"${data}"}`
  expect(await scan(text)).toEqual({ json: JSON.parse(text), blobs: [] })
})

test('blobs of both kinds are counted together, and a list stands under its key', async () => {
  const url = 'data:image/png;base64,'
  const { json, blobs } = await scan(
    `{"images":["${url}QQ==","https://x","${url}Qg=="],"data":"Qw==","image_url":{"url":"${url}RA=="}}`,
  )
  expect(json).toEqual({
    images: [`${url}0`, 'https://x', `${url}1`],
    data: 2,
    image_url: { url: `${url}3` },
  })
  expect(blobs).toEqual(['A.', 'B.', 'C.', 'D.'])
})

test('it does not matter where the text is cut', async () => {
  const text =
    '{"image_url":{"url":"data:image\\/png;x=\\u0031;base64,QU\\/D\\n"},"images":["data:x","data:;base64,","é"]}'
  const bytes = utf8(text)
  const whole = await scan(text)
  expect(whole.blobs).toHaveLength(2)
  for (let at = 1; at < bytes.length; at++)
    expect(await scan(bytes.subarray(0, at), bytes.subarray(at)), `cut at ${at}`).toEqual(whole)
  expect(await scan(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole)
})

test.for([
  ['{"image_url":{"url":"data:image/png;base64,QUJ', 'truncated'],
  ['{"image_url":{"url":"data:image/pn', 'truncated'],
  ['{"image_url":{"url":"data:image\\', 'truncated'],
  ['{"image_url":{"url":"data:image/png;base64,Q*JD"}}', 'base64'],
  ['{"image_url":{"url":"data:image\\xpng;base64,QUJD"}}', 'malformed'],
  [`{"image_url":{"url":"${' '.repeat(5_000)}"}}`, 'too_large'],
] as const)('what is broken is said to be: %s', async ([text, kind]) => {
  await expect(scan(text)).rejects.toMatchObject({ name: 'ScanError', kind })
})

test('a large image leaves nothing but its index', async () => {
  const bytes = concat(Array.from({ length: 100 }, () => new Uint8Array(30_000)))
  const sizes: number[] = []
  const sink = { open() {}, write: (part: Uint8Array) => void sizes.push(part.length), close() {} }
  const json = await scanJson(
    streamOf([utf8('{"images":["data:image/png;base64,'), utf8(bytes.toBase64()), utf8('"]}')]),
    { isBlob: () => false, isDataUrl: () => true, sink, maxSkeletonBytes: 100 },
  )
  expect(json).toEqual({ images: ['data:image/png;base64,0'] })
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes.length)
  expect(Math.max(...sizes)).toBeLessThan(100_000)
})
