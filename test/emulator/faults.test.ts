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

describe('status', () => {
  test.for<[string, number, string | null, RegExp]>([
    ['code=408', 408, null, /"code":408/],
    ['code=524 body=html', 524, null, /<h1>524 from a front end<\/h1>/],
    ['code=503 body=empty', 503, null, /^$/],
    ['code=429 retry=7', 429, '7', /"code":429/],
    ['code=200 body=html', 200, null, /<html>/],
    ['code=204 body=empty', 204, null, /^$/],
    ['body=json', 500, null, /"code":500/],
  ])('%s', async ([marker, status, retryAfter, text]) => {
    const response = await ask(app, faulty(`status ${marker}`))
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter])
    expect(await response.text()).toMatch(text)
    expect(calls()).toMatchObject([{ outcome: 'status', status, charged: false }])
    expect(bill()).toEqual([])
  })

  test('is charged where that is asked for, once, under the id of its call', async () => {
    const response = await ask(app, faulty('status code=520 charged=yes'))
    const id = response.headers.get('x-request-id')
    expect(bill()).toMatchObject([{ call: id, delivered: false }])
    expect(calls()).toMatchObject([{ id, charged: true }])
  })

  test('names a date for the next try', async () => {
    const now = Date.UTC(2026, 10, 21, 7, 27, 30)
    const emulator = createEmulator({ now: () => now })
    const response = await ask(emulator.app, faulty('status code=503 date=30'))
    expect(response.headers.get('retry-after')).toBe('Sat, 21 Nov 2026 07:28:00 GMT')
  })

  test.for(['code=99', 'code=soon', 'body=xml'])('%s is an error that says what it takes', async (marker) => {
    const response = await ask(app, faulty(`status ${marker}`))
    expect([response.status, calls()[0]!.outcome]).toEqual([400, 'INVALID_ARGUMENT'])
  })
})

test.for([
  ['model-gone', 404, /is not found/, 0],
  ['bad-key', 400, /API_KEY_INVALID/, 0],
  ['redirect', 307, /^$/, 0],
  ['empty', 200, /^$/, 1],
] as const)('%s is a %i', async ([fault, status, text, charges]) => {
  const response = await ask(app, faulty(fault))
  expect(response.status).toBe(status)
  expect(await response.text()).toMatch(text)
  expect(bill()).toHaveLength(charges)
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

  test('moderated stops with nothing, and no token was written', async () => {
    const body = await answer(ask(app, faulty('moderated')))
    expect(body.candidates).toEqual([{ finishReason: 'STOP', index: 0 }])
    expect(body.usageMetadata.candidatesTokenCount).toBe(0)
  })

  test('lone-thought holds one picture, of the thinking', async () => {
    const body = await answer(ask(app, faulty('lone-thought')))
    expect(parts(body).filter((part) => part.inlineData)).toMatchObject([{ thought: true }])
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

  test('what a call meets does not depend on when others come', async () => {
    const rule = { fault: 'overloaded' as const, probability: 0.5, seed: 'a' }
    const met = async (order: number[]) => {
      const emulator = createEmulator({ faults: [rule] })
      const found: number[] = []
      for (const n of order) {
        const body = prompt(`fern ${n}`, { responseModalities: ['TEXT'] })
        found[n] = (await ask(emulator.app, body)).status
      }
      return found
    }
    const order = Array.from({ length: 20 }, (_, n) => n)
    expect(await met([...order].reverse())).toEqual(await met(order))
  })

  test('rules for one provider are set while it runs, and leave the others alone', async () => {
    const emulator = createEmulator()
    const set = (rules: object[]) =>
      emulator.app.request('/faults', { method: 'POST', body: JSON.stringify({ provider: 'relay', rules }) })
    const status = async (provider: string) =>
      (await ask(emulator.app, prompt('a fern'), { provider })).status
    expect((await set([{ fault: 'overloaded', probability: 1 }])).status).toBe(204)
    expect([await status('relay'), await status('google')]).toEqual([503, 200])
    expect((await set([{ fault: 'overlooked', probability: 1 }])).status).toBe(400)
    await set([])
    expect(await status('relay')).toBe(200)
  })

  test('a rule with probability 1 and parameters strikes always', async () => {
    const faults = [{ fault: 'rate-limited' as const, probability: 1, parameters: { retry: '9' } }]
    const response = await ask(createEmulator({ faults }).app, prompt('a fern'))
    expect(JSON.stringify(await response.json())).toContain('9.000000000s')
  })
})
