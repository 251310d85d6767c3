import { env } from 'cloudflare:workers'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { PART_BYTES, type PictureOptions, PictureWriter } from '../../../worker/stream/picture.ts'
import { concat, seeded } from './random.ts'

const bucket = (env as unknown as { BUCKET: R2Bucket }).BUCKET

const CHUNK_BYTES = 48 * 1024

/** A PNG's signature and header, 640 × 480, and noise up to `length` bytes. */
function png(length: number): Uint8Array {
  const bytes = noise(length)
  bytes.set(
    Uint8Array.fromHex('89504e470d0a1a0a0000000d4948445200000280000001e00806000000').subarray(0, length),
  )
  return bytes
}

function noise(length: number): Uint8Array {
  const block = seeded(length).bytes(64 * 1024)
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += block.length) bytes.set(block.subarray(0, length - at), at)
  return bytes
}

function jpeg(): Uint8Array {
  // Start, an APP0 segment, a baseline frame of 33 × 21, one component.
  const head = 'ffd8ffe000104a46494600010100000100010000ffc0000b08001500210101110000ffd9'
  return concat([Uint8Array.fromHex(head), noise(100)])
}

function webp(): Uint8Array {
  // RIFF, WEBP, VP8X: canvas 100 × 50, each stored minus one in 24 bits.
  const head = '5249464600000000574542505650385' + '80a00000000000000630000310000'
  return concat([Uint8Array.fromHex(head), noise(100)])
}

async function write(bytes: Uint8Array, options: Partial<PictureOptions> = {}) {
  const slept: number[] = []
  const writer = new PictureWriter({
    bucket,
    key: (extension) => `pictures/${bytes.length}.${extension}`,
    metadata: { generation: 'gen_1' },
    sleep: async (ms) => void slept.push(ms),
    ...options,
  })
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    await writer.write(bytes.subarray(at, at + CHUNK_BYTES))
  }
  return { writer, slept }
}

const hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('a picture is stored whole, under its own type and digest', () => {
  test.for([
    ['4.9 MB', 4_900_000, 0],
    ['exactly one part', PART_BYTES, 0],
    ['one byte more', PART_BYTES + 1, 2],
    ['20 MB', 20_000_000, 4],
  ] as const)('%s', async ([, length, parts]) => {
    const bytes = png(length)
    const { writer } = await write(bytes)
    const picture = await writer.finish()
    const sha256 = hex(bytes)
    const key = `pictures/${length}.png`
    expect(picture).toEqual({ key, mimeType: 'image/png', bytes: length, width: 640, height: 480, sha256 })
    const object = (await bucket.get(key))!
    expect(hex(new Uint8Array(await object.arrayBuffer()))).toBe(sha256)
    expect(object.httpMetadata?.contentType).toBe('image/png')
    expect(object.customMetadata).toEqual({ generation: 'gen_1' })
    expect(object.checksums.toJSON().sha256).toBe(parts === 0 ? sha256 : undefined)
    expect(/-(\d+)$/.exec(object.etag)?.[1]).toBe(parts === 0 ? undefined : String(parts))
    expect(writer.peakHeldBytes).toBe(Math.min(length, PART_BYTES))
    expect(writer.heldBytes).toBe(0)
  })
})

test.for([
  ['a JPEG', jpeg(), 'jpg', 'image/jpeg', 33, 21],
  ['a WebP', webp(), 'webp', 'image/webp', 100, 50],
  ['a PNG cut off inside its header', png(18), 'png', 'image/png', null, null],
] as const)(
  '%s is measured where its bytes allow it',
  async ([, bytes, extension, mimeType, width, height]) => {
    const { writer } = await write(bytes, { key: (ext) => `measured/${bytes.length}.${ext}` })
    const key = `measured/${bytes.length}.${extension}`
    expect(await writer.finish()).toMatchObject({ key, mimeType, width, height })
  },
)

test.for([
  ['nothing', new Uint8Array(0), ''],
  ['one byte', Uint8Array.of(0x89), '89'],
  ['three bytes', Uint8Array.of(1, 2, 3), '010203'],
  ['six million bytes', new Uint8Array(6_000_000), '00'.repeat(16)],
] as const)('%s of no known type are reported and not stored', async ([, bytes, firstBytesHex]) => {
  const calls: string[] = []
  const { writer } = await write(bytes, { bucket: recording(bucket, calls) })
  expect(await writer.finish()).toEqual({ unrecognised: true, bytes: bytes.length, firstBytesHex })
  expect(calls).toEqual([])
  expect(writer.heldBytes).toBe(0)
})

/** The bucket, with its calls written down and each of `failures` made to fail the first so many times. */
function recording(
  inner: R2Bucket,
  calls: string[],
  failures: Record<string, number> = {},
): PictureOptions['bucket'] {
  const call = <T>(name: string, work: () => Promise<T>): Promise<T> => {
    calls.push(name)
    const left = failures[name] ?? 0
    failures[name] = left - 1
    return left > 0 ? Promise.reject(new Error(`${name} failed`)) : work()
  }
  return {
    put: ((...args: Parameters<R2Bucket['put']>) => call('put', () => inner.put(...args))) as R2Bucket['put'],
    head: (key: string) => call('head', () => inner.head(key)),
    createMultipartUpload: (key: string, options?: R2MultipartOptions) =>
      call('create', async () => {
        const upload = await inner.createMultipartUpload(key, options)
        return {
          key,
          uploadId: upload.uploadId,
          uploadPart: (number: number, value: Parameters<R2MultipartUpload['uploadPart']>[1]) =>
            call('part', () => upload.uploadPart(number, value)),
          abort: () => call('abort', () => upload.abort()),
          complete: (parts: R2UploadedPart[]) => call('complete', () => upload.complete(parts)),
        }
      }),
  }
}

test.for([
  ['a put', 100_000, { put: 2 }, ['put', 'put', 'put']],
  [
    'the beginning of an upload',
    PART_BYTES + 1,
    { create: 2 },
    ['create', 'create', 'create', 'part', 'part', 'complete'],
  ],
  ['a part', PART_BYTES + 1, { part: 2 }, ['create', 'part', 'part', 'part', 'part', 'complete']],
  [
    'a completion',
    PART_BYTES + 1,
    { complete: 2 },
    ['create', 'part', 'part', 'complete', 'head', 'complete', 'head', 'complete'],
  ],
] as const)(
  '%s that fails twice is repeated from what is held',
  async ([what, length, failures, expected]) => {
    const bytes = png(length)
    const calls: string[] = []
    const key = `retried/${what}`
    const { writer, slept } = await write(bytes, {
      bucket: recording(bucket, calls, { ...failures }),
      key: () => key,
    })
    expect(await writer.finish()).toMatchObject({ key, sha256: hex(bytes) })
    expect(slept).toEqual([1_000, 2_000])
    expect(calls).toEqual(expected)
    expect(hex(new Uint8Array(await (await bucket.get(key))!.arrayBuffer()))).toBe(hex(bytes))
  },
)

test('a third failure is thrown as it is', async () => {
  const calls: string[] = []
  const { writer } = await write(png(100), { bucket: recording(bucket, calls, { put: 3 }) })
  await expect(writer.finish()).rejects.toThrow('put failed')
  expect(calls).toEqual(['put', 'put', 'put'])
})

test('a completion that happened although its answer was lost is a success', async () => {
  const calls: string[] = []
  const real = recording(bucket, calls)
  const bytes = png(PART_BYTES + 1)
  const { writer } = await write(bytes, {
    key: () => 'lost-answer',
    bucket: {
      ...real,
      async createMultipartUpload(...args) {
        const upload = await real.createMultipartUpload(...args)
        const complete = async (parts: R2UploadedPart[]): Promise<R2Object> => {
          await upload.complete(parts)
          throw new Error('connection lost')
        }
        return { ...upload, complete }
      },
    },
  })
  expect(await writer.finish()).toMatchObject({ key: 'lost-answer', sha256: hex(bytes) })
  expect(calls).toEqual(['create', 'part', 'part', 'complete', 'head'])
})

test('a picture that is given up leaves nothing behind', async () => {
  const calls: string[] = []
  const { writer } = await write(png(PART_BYTES + 100_000), {
    bucket: recording(bucket, calls),
    key: () => 'given-up',
  })
  await writer.abort()
  expect(calls).toEqual(['create', 'part', 'abort'])
  expect(writer.heldBytes).toBe(0)
  expect(await bucket.head('given-up')).toBeNull()
})
