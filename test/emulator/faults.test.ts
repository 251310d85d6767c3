import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createEmulator } from '../../emulator/app.ts'
import { FAULTS } from '../../emulator/faults.ts'
import { type ServedEmulator, serveEmulator } from '../../emulator/serve.ts'
import {
  type AnyAnswer,
  type AnyError,
  answer,
  ask,
  GENERATION_1,
  NB2,
  PRO,
  pathOf,
  picturesOf,
  prompt,
} from './ask.ts'

const { app, bill, calls, reset } = createEmulator()
beforeEach(reset)

const small = { responseModalities: ['TEXT', 'IMAGE'], imageConfig: { imageSize: '512' } }
const faulty = (marker: string, config: Record<string, unknown> = small) =>
  prompt(`a fern [[fault:${marker}]]`, config)
const parts = ({ candidates }: AnyAnswer) => candidates[0]?.content?.parts ?? []

test('every fault says where it was seen', () => {
  for (const { seen } of Object.values(FAULTS)) expect(seen.length).toBeGreaterThan(10)
})

test('a misspelt fault is an error that names the known ones', async () => {
  const response = await ask(app, faulty('ratelimited'))
  expect(response.status).toBe(400)
  expect(((await response.json()) as AnyError).error.message).toMatch(
    /knows no fault "ratelimited"; it knows rate-limited,/,
  )
})

describe('errors', () => {
  const details = async (response: Response) => ((await response.json()) as AnyError).error.details!

  test('rate-limited is a 429 with a fractional delay in the body, a quota per minute and no header', async () => {
    const response = await ask(app, faulty('rate-limited retry=1.5'))
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, null])
    const [quota, , retry] = await details(response)
    expect(retry).toEqual({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.500000000s' })
    expect(JSON.stringify(quota)).toContain('PerMinute')
  })

  test('daily-quota is a 429 that names a quota per day', async () => {
    const response = await ask(app, faulty('daily-quota'))
    expect(response.status).toBe(429)
    const [quota] = await details(response)
    expect(JSON.stringify(quota)).toContain('GenerateRequestsPerDayPerProjectPerModel-FreeTier')
  })

  test.for([
    ['overloaded', 503, 'UNAVAILABLE'],
    ['internal', 500, 'INTERNAL'],
  ] as const)('%s is a %i', async ([fault, status, name]) => {
    const response = await ask(app, faulty(fault))
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ error: { code: status, status: name } })
    expect(calls()).toMatchObject([{ outcome: fault, status, charged: false }])
    expect(bill()).toEqual([])
  })

  test('html is a page with status 502 behind which the call was charged', async () => {
    const response = await ask(app, faulty('html'))
    expect([response.status, response.headers.get('content-type')]).toEqual([502, 'text/html'])
    expect(await response.text()).toContain('<h1>502 Bad Gateway</h1>')
    expect(bill()).toMatchObject([{ delivered: false }])
  })

  test('error-in-200 is an error object with status 200', async () => {
    const response = await ask(app, faulty('error-in-200'))
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ error: { code: 503 } })
  })

  test.for([
    ['html charged=no', 0],
    ['internal charged=yes', 1],
  ] as const)('%s is charged %i times', async ([marker, charges]) => {
    await ask(app, faulty(marker))
    expect(bill()).toHaveLength(charges)
  })
})

describe('times', () => {
  const status = async (marker: string, model = NB2) => (await ask(app, faulty(marker), { model })).status

  test('a fault with times=2 fails twice and then succeeds', async () => {
    const marker = 'overloaded times=2'
    expect([await status(marker), await status(marker), await status(marker)]).toEqual([503, 503, 200])
  })

  test('each model and each prompt is counted for itself, and reset starts again', async () => {
    const marker = 'overloaded times=1'
    expect([await status(marker), await status(marker, PRO), await status(marker)]).toEqual([503, 503, 200])
    reset()
    expect(await status(marker)).toBe(503)
  })

  test('several markers follow one another', async () => {
    const both = 'overloaded times=1]] [[fault:rate-limited times=2'
    expect([await status(both), await status(both), await status(both)]).toEqual([503, 429, 200])
  })
})

describe('answers without a picture', () => {
  test('refused has a reason, a message, no content, and thinking counted twice but once in the total', async () => {
    const body = await answer(ask(app, faulty('refused'), { model: PRO }))
    expect(body.candidates[0]).toEqual({
      finishReason: 'IMAGE_SAFETY',
      finishMessage: expect.any(String),
      index: 0,
    })
    const { promptTokenCount, candidatesTokenCount, thoughtsTokenCount, totalTokenCount } = body.usageMetadata
    expect(thoughtsTokenCount).toBeGreaterThan(0)
    expect(candidatesTokenCount).toBe(thoughtsTokenCount)
    expect(totalTokenCount).toBe(promptTokenCount + thoughtsTokenCount!)
  })

  test('blocked-prompt has feedback and no candidates', async () => {
    const body = await answer(ask(app, faulty('blocked-prompt')))
    expect(body).toMatchObject({
      promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
      usageMetadata: { candidatesTokenCount: 0 },
    })
    expect(body).not.toHaveProperty('candidates')
  })

  test('no-image ends with NO_IMAGE', async () => {
    const body = await answer(ask(app, faulty('no-image')))
    expect(body.candidates).toMatchObject([{ finishReason: 'NO_IMAGE' }])
    expect(parts(body)).toEqual([])
  })

  test('text-only stops with words', async () => {
    const body = await answer(ask(app, faulty('text-only')))
    expect(body.candidates[0]!.finishReason).toBe('STOP')
    expect(parts(body)).toMatchObject([{ text: expect.any(String) }])
    expect(body.usageMetadata).not.toHaveProperty('candidatesTokensDetails')
  })

  test.for([
    ['at a flat price, in full', 'apiyi', GENERATION_1, 20_000],
    ['by tokens, a little', 'google', GENERATION_1, 3],
  ] as const)('a refusal is charged %s', async ([, provider, model, costMicroUsd]) => {
    await answer(ask(app, faulty('refused', {}), { provider, model }))
    expect(bill()).toMatchObject([
      { provider, costMicroUsd: expect.closeTo(costMicroUsd, -1), delivered: true },
    ])
  })
})

describe('several pictures', () => {
  const kinds = (body: AnyAnswer) =>
    parts(body).map(({ thought, inlineData, thoughtSignature }) =>
      [thought ? 'thought' : '', inlineData ? 'picture' : 'text', thoughtSignature ? 'signed' : '']
        .filter(Boolean)
        .join(' '),
    )
  test.for<[string, string[], number]>([
    ['thoughts', ['text signed', 'thought picture', 'thought picture', 'picture signed'], 1],
    ['drafts', ['text signed', 'picture signed', 'picture signed', 'picture signed'], 3],
    ['storyboard', ['text signed', 'picture signed', 'text', 'picture signed', 'text', 'picture signed'], 3],
  ])('%s', async ([fault, expected, counted]) => {
    const body = await answer(ask(app, faulty(fault)))
    expect(kinds(body)).toEqual(expected)
    expect(body.usageMetadata.candidatesTokensDetails).toEqual([
      { modality: 'IMAGE', tokenCount: counted * 747 },
    ])
    const plain = picturesOf(await answer(ask(app, prompt('a fern', small))))[0]!
    const pictures = picturesOf(body)
    expect(pictures.at(-1)!.bytes.equals(plain.bytes)).toBe(true)
    expect(
      new Set(pictures.map(({ bytes }) => createHash('sha256').update(bytes).digest('hex'))),
    ).toHaveLength(3)
  })
})

describe('the wire', () => {
  const raw = async (marker: string) => (await ask(app, faulty(marker))).text()
  const plain = async () => picturesOf(await answer(ask(app, prompt('a fern', small))))[0]!

  test.for([
    ['mime-first', /"inlineData": \{\s+"mimeType": "image\/jpeg",\s+"data": "/],
    ['data-first', /"inlineData": \{\s+"data": "[^"]+",\s+"mimeType": "image\/jpeg"/],
  ] as const)('%s orders the keys so', async ([fault, order]) => {
    const text = await raw(fault)
    expect(text).toMatch(order)
    expect(picturesOf(JSON.parse(text))[0]!.bytes.equals((await plain()).bytes)).toBe(true)
  })

  test('escaped writes solidus, padding and line breaks as escapes, and means the same picture', async () => {
    const text = await raw('escaped')
    const data = /"data": "([^"]+)"/.exec(text)![1]!
    expect(data).toMatch(/\\\//)
    expect(data).toMatch(/\\n/)
    expect(data).not.toMatch(/[^\\]\/|=/)
    expect(picturesOf(JSON.parse(text))[0]!.bytes.equals((await plain()).bytes)).toBe(true)
  })

  test('mislabelled says JPEG and is PNG', async () => {
    const [picture] = picturesOf(JSON.parse(await raw('mislabelled')))
    expect(picture!.mimeType).toBe('image/jpeg')
    expect((await sharp(picture!.bytes).metadata()).format).toBe('png')
  })

  test('tiny is a picture of three bytes', async () => {
    expect(picturesOf(JSON.parse(await raw('tiny')))[0]!.bytes).toHaveLength(3)
  })

  test('big is a valid PNG of exactly that many bytes in the asked pixels', async () => {
    const [picture] = picturesOf(JSON.parse(await raw('big bytes=3000001')))
    expect(picture!.bytes).toHaveLength(3_000_001)
    const { data, info } = await sharp(picture!.bytes).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, data.length]).toEqual([512, 512, 512 * 512 * 3])
  })

  test('url-answer gives a link in a text part, & escaped, and the link gives the picture', async () => {
    const text = await raw('url-answer')
    expect(text).toContain('\\u0026Signature=')
    const body = JSON.parse(text) as AnyAnswer
    expect(parts(body)).toMatchObject([
      { text: expect.stringMatching(/^http:/), thoughtSignature: expect.any(String) },
    ])
    const link = new URL(parts(body)[0]!.text!)
    const response = await app.request(link.pathname + link.search)
    expect(response.headers.get('content-type')).toBe('image/jpeg')
    const bytes = Buffer.from(await response.arrayBuffer())
    expect(bytes.equals((await plain()).bytes)).toBe(true)
  })
})

describe('standing rules', () => {
  const outcomes = async (seed: string) => {
    const emulator = createEmulator({ faults: [{ fault: 'overloaded', probability: 0.5, seed }] })
    const body = prompt('a fern', { responseModalities: ['TEXT'] })
    for (let call = 0; call < 20; call += 1) await ask(emulator.app, body)
    return emulator.calls().map(({ status }) => status)
  }

  test('a rule strikes by chance, the same way for the same seed', async () => {
    const [first, again, other] = [await outcomes('a'), await outcomes('a'), await outcomes('b')]
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
    expect(new Set(first)).toEqual(new Set([200, 503]))
  })

  test('a rule with probability 1 and parameters strikes always', async () => {
    const faults = [{ fault: 'rate-limited' as const, probability: 1, parameters: { retry: '9' } }]
    const response = await ask(createEmulator({ faults }).app, prompt('a fern'))
    expect(JSON.stringify(await response.json())).toContain('9.000000000s')
  })
})

describe('on a socket', () => {
  let emulator: ServedEmulator
  beforeAll(async () => {
    emulator = await serveEmulator()
  })
  afterAll(() => emulator.close())
  beforeEach(() => emulator.reset())

  const send = (marker: string, signal?: AbortSignal) =>
    fetch(emulator.url + pathOf(), {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: JSON.stringify(faulty(marker)),
      ...(signal ? { signal } : {}),
    })
  const ended = async (outcome: string) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => (emulator.calls()[0]?.outcome === outcome ? resolve() : setImmediate(look))
    look()
    await promise
  }

  test('cut ends the connection in the middle of the picture', async () => {
    const response = await send('cut')
    expect(response.status).toBe(200)
    let text = ''
    const reading = (async () => {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text += chunk
    })()
    await expect(reading).rejects.toThrow('terminated')
    expect(text).toMatch(/"data": "[A-Za-z0-9+/]{1000,}$/)
    expect(emulator.bill()).toMatchObject([{ delivered: false }])
  })

  test('reset ends the connection before any answer, and is charged', async () => {
    await expect(send('reset')).rejects.toThrow('fetch failed')
    expect(emulator.calls()).toMatchObject([{ outcome: 'reset', status: null, charged: true }])
    expect(emulator.bill()).toMatchObject([{ delivered: false }])
  })

  test.for(['hang', 'slow ms=60000'])(
    'a client that leaves during %s is charged all the same',
    async (marker) => {
      const leaving = new AbortController()
      const sending = send(marker, leaving.signal)
      await ended('running')
      leaving.abort()
      await expect(sending).rejects.toThrow('aborted')
      await ended('client-left')
      expect(emulator.bill()).toMatchObject([{ delivered: false, costMicroUsd: expect.any(Number) }])
    },
  )

  test('a client that leaves in the middle of a big answer is charged, undelivered', async () => {
    const leaving = new AbortController()
    const response = await send('big bytes=60000000', leaving.signal)
    const reader = response.body!.getReader()
    await reader.read()
    leaving.abort()
    await expect(reader.closed).rejects.toThrow('aborted')
    expect(emulator.bill()).toMatchObject([{ delivered: false }])
  })

  test('a big answer arrives whole', async () => {
    const body = (await (await send('big bytes=20000000')).json()) as AnyAnswer
    expect(picturesOf(body)[0]!.bytes).toHaveLength(20_000_000)
    expect(emulator.bill()).toMatchObject([{ delivered: true }])
  })

  test('eight calls at once are all answered', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => send(`data-first id=${index}`)))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    await Promise.all(answers.map((response) => response.arrayBuffer()))
    expect(emulator.bill()).toHaveLength(8)
  })
})
