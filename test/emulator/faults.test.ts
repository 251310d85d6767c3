import { beforeEach, describe, expect, test } from 'vitest'
import { createEmulator } from '../../emulator/app.ts'
import { FAULTS } from '../../emulator/faults.ts'
import { type AnyAnswer, type AnyError, answer, ask, GENERATION_1, NB2, PRO, prompt } from './ask.ts'

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
  const status = async (marker: string, model = NB2) =>
    (await ask(app, faulty(marker, { responseModalities: ['TEXT'] }), { model })).status

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
    const body = await answer(ask(app, faulty('refused', {}), { model: PRO }))
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
