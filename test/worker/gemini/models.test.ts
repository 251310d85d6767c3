// The models as Google's clients list and get them.
import { describe, expect, test } from 'vitest'
import { marketOf } from '../../../core/market.ts'
import { listModels, modelEntry } from '../../../worker/gemini/models.ts'
import { ask } from '../setup/ask.ts'

type List = { models: { name: string }[]; nextPageToken?: string }

const get = async (path: string) => {
  const response = await ask(path)
  return { status: response.status, body: (await response.json()) as List & Record<string, unknown> }
}

const IDS = [
  'models/gemini-3-pro-image',
  'models/gemini-3.1-flash-image',
  'models/gemini-nano-banana-2.1',
  'models/gemini-3.1-flash-lite-image',
  'models/gemini-2.5-flash-image',
]

test.for(['/v1beta/models', '/v1/models'])('the list holds what is sold here (%s)', async (path) => {
  const { status, body } = await get(path)
  expect(status).toBe(200)
  expect(body.models.map((model) => model.name)).toEqual(IDS)
  expect(body).not.toHaveProperty('nextPageToken')
})

test('a list in pages holds each model once', async () => {
  const names: string[] = []
  let token = ''
  do {
    const { body } = await get(`/v1beta/models?pageSize=2&pageToken=${token}`)
    expect(body.models.length).toBeLessThanOrEqual(2)
    names.push(...body.models.map((model) => model.name))
    token = body.nextPageToken ?? ''
  } while (token)
  expect(names).toEqual(IDS)
})

test.for(['pageSize=x', 'pageSize=-1', 'pageToken=x'])(
  'a page that cannot be is refused (%s)',
  async (query) => {
    const { status, body } = await get(`/v1beta/models?${query}`)
    expect(status).toBe(400)
    expect(body).toMatchObject({ error: { status: 'INVALID_ARGUMENT' } })
  },
)

test.for([
  'gemini-3.1-flash-image',
  'gemini-3.1-flash-image-preview',
  'nano-banana-2',
  'models/nano-banana-2',
  'apiyi/nano-banana-2',
])('a model is found by any of its names: %s', async (name) => {
  const { status, body } = await get(`/v1beta/models/${name}`)
  expect(status).toBe(200)
  expect(body).toEqual({
    name: 'models/gemini-3.1-flash-image',
    version: '3.1',
    displayName: 'Nano Banana 2',
    description: expect.stringContaining('Deprecated by Google.'),
    inputTokenLimit: 131_072,
    outputTokenLimit: 32_768,
    supportedGenerationMethods: ['generateContent', 'countTokens'],
    temperature: 1,
    topP: 0.95,
    topK: 64,
    maxTemperature: 2,
    thinking: true,
  })
})

test('limits that are not established are left out', async () => {
  const { body } = await get('/v1/models/gemini-nano-banana-2.1')
  expect(body).not.toHaveProperty('inputTokenLimit')
})

test('a model that nobody sells is not found', async () => {
  const { status, body } = await get('/v1beta/models/gemini-9')
  expect(status).toBe(404)
  expect(body).toMatchObject({
    error: {
      code: 404,
      status: 'NOT_FOUND',
      message: expect.stringMatching(/^models\/gemini-9 is not found for API version v1beta/),
    },
  })
})

describe('only what a provider with a key sells is listed', () => {
  const market = marketOf({ APIYI_API_KEY: 'k' })
  test('in the list', () => {
    const sold = market.sellers.find((seller) => seller.id === 'apiyi')!.wire
    const names = listModels(market, {}).models.map((model) => model.name)
    expect(names.sort()).toEqual(
      Object.keys(sold)
        .map((id) => `models/${id}`)
        .sort(),
    )
    expect(names.length).toBeLessThan(IDS.length)
  })
  test('and by name', () => {
    expect(modelEntry(market, 'gemini-nano-banana-2.1')).toBeUndefined()
    expect(modelEntry(market, 'apiyi/nano-banana-2')).toBeDefined()
    expect(modelEntry(market, 'google/nano-banana-2')).toBeUndefined()
  })
})
