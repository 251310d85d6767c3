// Bodies with images as Base64, taken as a stream: what is stored, what is refused, and what becomes of the rest.
import { describe, expect, test } from 'vitest'
import { askedOf } from '../../worker/generation/wish.ts'
import { Problem } from '../../worker/http/problem.ts'
import { countBody, type IntakeEffects, takeBody } from '../../worker/references/intake.ts'
import { isInlineData } from '../../worker/stream/scanner.ts'
import { post, prompt, stored } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { JPEG, large, PNG, sha256 } from './setup/pictures.ts'

const MAX = 7 * 1024 * 1024
const OPTIONS = { isBlob: isInlineData, maxJsonBytes: 100_000, field: 'data' }

const effects = (workspace: string): IntakeEffects => ({ bucket: env.BUCKET, workspace })
const image = (data: string) => ({ inlineData: { data } })
const bodyOf = (json: unknown) =>
  new Response(typeof json === 'string' ? json : JSON.stringify(json)).body as ReadableStream<Uint8Array>

/** A body that counts how much of it was taken. */
function counted(text: string, pieceLength = 1_000) {
  const bytes = new TextEncoder().encode(text)
  const state = { taken: 0, total: bytes.length }
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = bytes.subarray(state.taken, state.taken + pieceLength)
      state.taken += piece.length
      if (piece.length === 0) controller.close()
      else controller.enqueue(piece)
    },
  })
  return { body, state }
}

describe('images of a body', () => {
  test('stand in their places as numbers, stored under their digests', async () => {
    const json = [image(PNG.toBase64()), image(JPEG.toBase64())]
    const taken = await takeBody(bodyOf(json), OPTIONS, effects('taken'))
    expect(taken.json).toEqual([{ inlineData: { data: 0 } }, { inlineData: { data: 1 } }])
    expect(taken.images).toMatchObject([{ sha256: sha256(PNG) }, { sha256: sha256(JPEG) }])
    expect(await stored('references/taken/')).toHaveLength(2)
  })

  test('that cannot be used do not keep the others from being stored', async () => {
    const json = [
      image(`iVBO!${'A'.repeat(200_000)}`),
      image(PNG.toBase64()),
      image(btoa('no picture')),
      image(large(MAX + 1).toBase64()),
      image(`${large(MAX + 200_000).toBase64()}!`),
      image(JPEG.toBase64()),
    ]
    const { images } = await takeBody(bodyOf(json), OPTIONS, effects('mixed'))
    expect(images.map((one) => (one instanceof Problem ? one.code : one.mimeType))).toEqual([
      'invalid_request',
      'image/png',
      'unsupported_media_type',
      'payload_too_large',
      'payload_too_large',
      'image/jpeg',
    ])
    expect(await stored('references/mixed/')).toHaveLength(2)
  })

  test.for([
    ['exactly as long as an upload may be', MAX, /^references\/long\/[0-9a-f]{64}$/],
    ['one byte longer', MAX + 1, /^references\/long\/large\/[0-9a-z]{26}$/],
    ['as long as a model makes them', 20_000_000, /^references\/long\/large\/[0-9a-z]{26}$/],
  ] as const)('are stored whole where long ones are taken: %s', async ([, length, place]) => {
    const bytes = large(length)
    bytes[length - 1] = 7
    const { images } = await takeBody(bodyOf([image(bytes.toBase64())]), OPTIONS, {
      ...effects('long'),
      long: env.BUCKET,
    })
    const one = images[0] as { key: string; bytes: number; sha256: string }
    expect(one).toMatchObject({ mimeType: 'image/png', bytes: length, sha256: sha256(bytes) })
    expect(one.key).toMatch(place)
    const object = await env.BUCKET.get(one.key)
    expect(object!.httpMetadata!.contentType).toBe('image/png')
    expect(sha256(new Uint8Array(await object!.arrayBuffer()))).toBe(one.sha256)
  })

  test('that are long are stored once, however often they come, and apart for each workspace', async () => {
    const body = () => bodyOf([image(large(MAX + 5_000).toBase64())])
    const keys = []
    for (const workspace of ['once', 'once', 'other']) {
      const { images } = await takeBody(body(), OPTIONS, { ...effects(workspace), long: env.BUCKET })
      keys.push((images[0] as { key: string }).key)
    }
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).toMatch(/^references\/other\//)
    const objects = (await env.BUCKET.list({ prefix: 'references/once/' })).objects
    expect(objects.filter((object) => object.size > 0).map((object) => object.key)).toEqual([keys[0]])
  })

  test('that are long and break off leave nothing', async () => {
    const text = JSON.stringify([image(large(MAX + 200_000).toBase64())])
    const refused = takeBody(bodyOf(text.slice(0, -1_000)), OPTIONS, { ...effects('cut'), long: env.BUCKET })
    await expect(refused).rejects.toMatchObject({ code: 'invalid_json' })
    expect(await stored('references/cut/')).toEqual([])
  })

  test('are only counted where nothing is to be stored', async () => {
    const before = await stored()
    const { json, images } = await countBody(bodyOf([image(PNG.toBase64()), image('?'), image('')]), OPTIONS)
    expect([json, images]).toEqual([
      [{ inlineData: { data: 0 } }, { inlineData: { data: 1 } }, { inlineData: { data: 2 } }],
      3,
    ])
    expect(await stored()).toEqual(before)
  })
})

test('the words of a request do not depend on where its images lie', () => {
  const asked = (key: string) => {
    const references = [{ sha256: sha256(PNG), mimeType: 'image/png', bytes: PNG.length, key }]
    return askedOf({ model: 'nano-banana-2', prompt: 'a', references } as never)
  }
  expect(asked('references/default/large/b')).toBe(asked('references/default/large/a'))
})

describe('a body that is refused is read to its end', () => {
  const rest = 'x'.repeat(400_000)
  test.for([
    [
      'with more images than are taken',
      JSON.stringify([...Array(3).fill(image(PNG.toBase64())), { rest }]),
      'unsupported',
    ],
    ['with more text than is taken', JSON.stringify({ rest }), 'payload_too_large'],
    ['that is no JSON', `{"a":1}} ${rest}`, 'invalid_json'],
  ] as const)('%s', async ([, text, code]) => {
    const { body, state } = counted(text)
    const refused = takeBody(body, { ...OPTIONS, maxImages: 2 }, effects('refused'))
    await expect(refused).rejects.toMatchObject({ code })
    expect(state.taken).toBe(state.total)
  })

  test('when R2 fails as well', async () => {
    const { body, state } = counted(JSON.stringify([image(PNG.toBase64()), { rest }]))
    const broken = {
      head: () => Promise.resolve(null),
      put: () => Promise.reject(new Error('R2 is down')),
    } as unknown as IntakeEffects['bucket']
    // The third try fails after a delay for the one write per second that R2 allows.
    await expect(takeBody(body, OPTIONS, { bucket: broken, workspace: 'x' })).rejects.toThrow('R2 is down')
    expect(state.taken).toBe(state.total)
  })

  test('and is answered, not cut off', async () => {
    const references = [...Array(15).fill({ data: PNG.toBase64(), mimeType: 'image/png' }), { rest }]
    const response = await post({ prompt: prompt(), references })
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      422,
      'unsupported',
    ])
  })
})
