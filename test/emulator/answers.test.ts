import { describe, expect, test } from 'vitest'
import { settle } from '../../core/cost.ts'
import { MODELS } from '../../core/models.ts'
import { PRICES } from '../../core/prices.ts'
import { createEmulator } from '../../emulator/app.ts'
import { type AnyAnswer, answer, ask, GENERATION_1, NB2, PRO, prompt } from './ask.ts'

const { app, bill, calls, reset } = createEmulator()
const small = { imageConfig: { imageSize: '512' } }

describe('parts', () => {
  const shape = ({ candidates }: AnyAnswer) =>
    candidates[0]!.content!.parts.map((part) =>
      part.inlineData ? 'picture' : part.thought ? 'thought' : 'text',
    )

  test.for<[string, Record<string, unknown>, string[]]>([
    ['no modalities mean text and picture', {}, ['text', 'picture']],
    ['TEXT and IMAGE put text first', { responseModalities: ['TEXT', 'IMAGE'] }, ['text', 'picture']],
    ['IMAGE and TEXT put text first', { responseModalities: ['IMAGE', 'TEXT'] }, ['text', 'picture']],
    ['IMAGE is the picture alone', { responseModalities: ['IMAGE'] }, ['picture']],
    ['TEXT is text alone', { responseModalities: ['TEXT'] }, ['text']],
    [
      'thoughts come when asked for',
      { thinkingConfig: { includeThoughts: true } },
      ['thought', 'text', 'picture'],
    ],
  ])('%s', async ([, config, expected]) => {
    expect(shape(await answer(ask(app, prompt('a fern', { ...small, ...config }))))).toEqual(expected)
  })

  test('the first part that is no thought and the picture carry signatures, thoughts none', async () => {
    const config = { ...small, thinkingConfig: { includeThoughts: true } }
    const { candidates } = await answer(ask(app, prompt('a fern', config)))
    const signed = candidates[0]!.content!.parts.map((part) => typeof part.thoughtSignature)
    expect(signed).toEqual(['undefined', 'string', 'string'])
  })

  test('the envelope is camelCase and complete', async () => {
    const body = await answer(ask(app, prompt('a fern', small)))
    expect(Object.keys(body)).toEqual(['candidates', 'usageMetadata', 'modelVersion', 'responseId'])
    expect(body).toMatchObject({
      candidates: [{ content: { role: 'model' }, finishReason: 'STOP' }],
      modelVersion: NB2,
    })
  })
})

describe('usage', () => {
  const usage = async (model: string, config: Record<string, unknown>, ...parts: unknown[]) =>
    (await answer(ask(app, prompt('a fern on a shelf', config, ...parts), { model }))).usageMetadata

  test.for(
    MODELS.flatMap((model) =>
      model.sizes
        .filter((size) => size !== '4K')
        .map((size) => [model.id, size, model.tokens.image[size]!] as const),
    ),
  )('%s at %s reports %i image tokens', async ([model, size, tokens]) => {
    const sent = MODELS.find(({ id }) => id === model)!.sendsSize ? { imageConfig: { imageSize: size } } : {}
    const reported = await usage(model, sent)
    expect(reported.candidatesTokensDetails).toEqual([{ modality: 'IMAGE', tokenCount: tokens }])
    expect(reported.candidatesTokenCount - tokens).toBeGreaterThanOrEqual(88)
    expect(reported.candidatesTokenCount - tokens).toBeLessThanOrEqual(630)
    expect(reported.totalTokenCount).toBe(
      reported.promptTokenCount + reported.candidatesTokenCount + (reported.thoughtsTokenCount ?? 0),
    )
  })

  const link = { fileData: { mimeType: 'image/png', fileUri: 'https://a.example/b.png' } }
  test.for([
    [PRO, 560],
    [NB2, 1120],
    [GENERATION_1, 258],
    ['gemini-nano-banana-2.1', 258],
  ] as const)('an input image on %s counts %i prompt tokens', async ([model, tokens]) => {
    const reported = await usage(model, { responseModalities: ['TEXT'] }, link, link)
    expect(reported.promptTokensDetails).toEqual([
      { modality: 'TEXT', tokenCount: 5 },
      { modality: 'IMAGE', tokenCount: 2 * tokens },
    ])
    expect(reported.promptTokenCount).toBe(5 + 2 * tokens)
  })

  test.for<[string, string, string | undefined, [number, number] | undefined]>([
    ['Pro thinks always', PRO, undefined, [50, 350]],
    ['NB2 leaves thinking out at its default', NB2, undefined, undefined],
    ['NB2 leaves thinking out at minimal', NB2, 'MINIMAL', undefined],
    ['NB2 thinks long at high', NB2, 'HIGH', [700, 792]],
    ['NB2 takes the level in any case', NB2, 'High', [700, 792]],
    ['2.1 thinks by default', 'gemini-nano-banana-2.1', undefined, [50, 350]],
    ['generation 1 does not think', GENERATION_1, undefined, undefined],
  ])('%s', async ([, model, thinkingLevel, range]) => {
    const thinkingConfig = thinkingLevel ? { thinkingConfig: { thinkingLevel } } : {}
    const { thoughtsTokenCount } = await usage(model, { responseModalities: ['TEXT'], ...thinkingConfig })
    if (!range) return expect(thoughtsTokenCount).toBeUndefined()
    expect(thoughtsTokenCount).toBeGreaterThanOrEqual(range[0])
    expect(thoughtsTokenCount).toBeLessThanOrEqual(range[1])
  })
})

describe('the bill', () => {
  test('tokens are priced by the same sum as the preview', async () => {
    reset()
    const { usageMetadata } = await answer(ask(app, prompt('a fern', small)))
    const row = PRICES.find(({ provider, model }) => provider === 'google' && model === NB2)
    const costMicroUsd = settle(row, usageMetadata, 1)
    // 747 image tokens at $60 per million, and a little text.
    expect(costMicroUsd).toBeGreaterThan(44_820)
    expect(costMicroUsd).toBeLessThan(47_000)
    expect(bill()).toMatchObject([
      { call: 'call-1', provider: 'google', model: NB2, costMicroUsd, delivered: true },
    ])
  })

  test.for([
    ['a flat price is charged per request', 'apiyi', 'gemini-3-pro-image-preview', PRO, 90_000],
    ['a provider without a price row has no amount', 'tokaify', 'gemini-3-pro-image-preview', PRO, null],
    ['a provider nobody knows has no amount', 'third-relay', NB2, NB2, null],
  ] as const)('%s', async ([, provider, model, canonical, costMicroUsd]) => {
    reset()
    await answer(ask(app, prompt('a fern'), { provider, model }))
    expect(bill()).toMatchObject([{ provider, model: canonical, costMicroUsd }])
  })

  test('witness routes tell calls and charges, and reset forgets them', async () => {
    await app.request('/reset', { method: 'POST' })
    await answer(ask(app, prompt('a fern', { ...small, responseModalities: ['IMAGE'] })))
    await ask(app, prompt('a fern', { candidateCount: 3 }))
    const body = async (path: string) => (await app.request(path)).json()
    expect(await body('/calls')).toMatchObject({
      calls: [
        {
          id: 'call-1',
          prompt: 'a fern',
          size: '512',
          aspect: '1:1',
          outcome: 'picture',
          status: 200,
          charged: true,
        },
        { id: 'call-2', outcome: 'INVALID_ARGUMENT', status: 400, charged: false },
      ],
    })
    expect(await body('/bill')).toMatchObject({ charges: [{ call: 'call-1', delivered: true }] })
    expect((await app.request('/reset', { method: 'POST' })).status).toBe(204)
    expect([calls(), bill(), await body('/calls')]).toEqual([[], [], { calls: [] }])
  })

  test('a call arrives at the time of the clock that was given', async () => {
    const emulator = createEmulator({ now: () => 1_234 })
    await ask(emulator.app, {})
    expect(emulator.calls()).toMatchObject([{ receivedAt: 1_234 }])
  })

  test('latency follows model, size and prompt, and errors take none', async () => {
    const slept: number[] = []
    const { app } = createEmulator({
      sleep: async (ms) => {
        slept.push(ms)
      },
      latencyMs: ({ model, size, prompt }) =>
        model === NB2 && size === '512' && prompt === 'a fern' ? 250 : 0,
    })
    await answer(ask(app, prompt('a fern', small)))
    await answer(ask(app, prompt('a fern [[fault:slow ms=70]]', small)))
    await ask(app, prompt('a fern [[fault:overloaded]]', small))
    expect(slept).toEqual([250, 320])
  })
})
