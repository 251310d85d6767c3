import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { ReferenceGone, type Segment, streamBody } from '../../../worker/stream/body.ts'
import { seeded, streamOf } from './random.ts'

const bucket = (env as unknown as { BUCKET: R2Bucket }).BUCKET

/** Stores a reference of `length` random bytes. */
async function reference(length: number): Promise<{ segment: Exclude<Segment, string>; base64: string }> {
  const bytes = seeded(length).bytes(length)
  const key = `references/${length}`
  await bucket.put(key, bytes)
  return { segment: { key, bytes: length }, base64: bytes.toBase64() }
}

const FOURTEEN = [1, 2, 3, 4, 5, 100, 49_151, 49_152, 49_153, 98_304, 100_001, 300_000, 500_002, 700_003]

test.for([
  ['no reference', []],
  ['one reference', [1_000_001]],
  ['an empty reference', [0]],
  ['fourteen references of odd sizes', FOURTEEN],
] as const)('%s arrives as written, in the length that was told', async ([, lengths]) => {
  const references = await Promise.all(lengths.map(reference))
  const segments = references.flatMap(({ segment }): Segment[] => ['{"data":"', segment, '"},'])
  const body = streamBody(['{"text":"Käse \u{1f9c0}","parts":[', ...segments, 'null]}'], bucket)
  const text = await new Response(body.body).text()
  const expected = references.map(({ base64 }) => `{"data":"${base64}"},`).join('')
  expect(text).toBe(`{"text":"Käse \u{1f9c0}","parts":[${expected}null]}`)
  expect(body.bytes).toBe(new TextEncoder().encode(text).length)
  expect(body.taken()).toBe(body.bytes)
  await body.done
  expect(body.failure()).toBeUndefined()
})

test('what was read of a reference is never far ahead of what was taken', async () => {
  const length = 5_000_000
  let read = 0
  const counting = {
    get: async () => ({
      size: length,
      body: new ReadableStream({
        type: 'bytes',
        pull(controller) {
          if (read === length) controller.close()
          const filled = Math.min(controller.byobRequest!.view!.byteLength, length - read)
          read += filled
          controller.byobRequest!.respond(filled)
        },
      }),
    }),
  } as unknown as Pick<R2Bucket, 'get'>
  const body = streamBody(['"', { key: 'big', bytes: length }, '"'], counting)
  let seen = 0
  let furthest = 0
  for await (const chunk of body.body) {
    seen += chunk.length
    furthest = Math.max(furthest, read - (seen * 3) / 4)
  }
  expect(read).toBe(length)
  expect(seen).toBe(body.bytes)
  expect(furthest).toBeLessThanOrEqual(2 * 48 * 1024)
})

test.for([
  ['that is not stored', { key: 'nowhere', bytes: 3 }, 'reference nowhere is not stored'],
  [
    'of another size',
    { key: 'references/10', bytes: 9 },
    'reference references/10 holds 10 bytes instead of 9',
  ],
] as const)('a reference %s stops the body before its end', async ([, segment, message]) => {
  await reference(10)
  const body = streamBody(['x'.repeat(1_000), segment, '"'], bucket)
  await expect(new Response(body.body).text()).rejects.toThrow()
  await body.done
  expect(body.failure()).toBeInstanceOf(ReferenceGone)
  expect(body.failure()).toMatchObject({ message, key: segment.key })
  expect(body.taken()).toBeLessThan(body.bytes)
})

test('a reference that ends early stops the body, also where padding would make up for it', async () => {
  const body = streamBody(['"', { key: 'short', bytes: 3 }], {
    get: async () => ({ size: 3, body: streamOf([Uint8Array.of(1, 2)]) }) as R2ObjectBody,
  } as Pick<R2Bucket, 'get'>)
  await expect(new Response(body.body).text()).rejects.toThrow()
  await body.done
  expect(body.failure()).toMatchObject({
    name: 'ReferenceGone',
    message: 'reference short ended 1 bytes early',
  })
})

test('an error of R2 stops the body', async () => {
  const error = new Error('R2 is down')
  const body = streamBody(['x'.repeat(100), { key: 'a', bytes: 3 }], { get: () => Promise.reject(error) })
  await expect(new Response(body.body).text()).rejects.toThrow()
  await body.done
  expect(body.failure()).toBe(error)
})

test('a body that nobody begins to read ends when it is cancelled', async () => {
  const body = streamBody(['x'.repeat(200_000)], bucket)
  await body.cancel()
  await body.done
  expect(body.taken()).toBeLessThan(body.bytes)
  expect(body.failure()).toBeInstanceOf(Error)
})

test('a consumer that leaves ends the body', async () => {
  const { segment } = await reference(700_003)
  const body = streamBody(['"', segment, '"'], bucket)
  const reader = body.body.getReader()
  await reader.read()
  await reader.cancel(new Error('gone'))
  await body.done
  expect(body.failure()).toBeInstanceOf(Error)
  expect(body.taken()).toBeLessThan(body.bytes)
})

// A provider that cannot have read the last byte cannot have carried the request out: what is taken before a connection
// exists must never be all. Nothing listens on port 1 of the loopback.
test.for([40, 300, 3_000, 70_000])(
  'a request of %i bytes to a closed port was not taken whole',
  async (length) => {
    const body = streamBody(['x'.repeat(length)], bucket)
    const init = { method: 'POST', body: body.body }
    await expect(fetch('http://127.0.0.1:1/', init)).rejects.toThrow()
    await body.done
    expect(body.taken()).toBeLessThan(length)
  },
)
