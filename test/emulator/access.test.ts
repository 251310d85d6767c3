import { describe, expect, test } from 'vitest'
import { createEmulator } from '../../emulator/app.ts'
import { type AnyError, type Asked, ask, GENERATION_1, NB2, PRO, prompt } from './ask.ts'
import { bad, type Refusal, refuses } from './refusal.ts'

const emulator = createEmulator()
const { app } = emulator

describe('the key', () => {
  const google = { headers: {} }
  const noKey = { code: 403, status: 'PERMISSION_DENIED', message: /unregistered callers/ }
  test.for<Refusal>([
    ['no key at Google is a 403', () => prompt('a fern'), noKey, google],
    [
      'no key at a relay is a 401',
      () => prompt('a fern'),
      { code: 401, status: 'UNAUTHENTICATED', message: /Bearer/ },
      { ...google, provider: 'tokaify', model: 'gemini-3-pro-image-preview' },
    ],
    [
      "Google's header does not open a relay",
      () => prompt('a fern'),
      { code: 401, status: 'UNAUTHENTICATED', message: /Bearer/ },
      { headers: { 'x-goog-api-key': 'k' }, provider: 'apiyi', model: GENERATION_1 },
    ],
    ['an empty Bearer is no key', () => prompt('a fern'), noKey, { headers: { authorization: 'Bearer ' } }],
    [
      'a bad key is a 400 as at Google',
      () => prompt('a fern'),
      bad('API key not valid. Please pass a valid API key.'),
      { headers: { 'x-goog-api-key': 'bad-key' } },
    ],
  ])('%s', (row) => refuses(emulator, row))

  test.for<[string, Asked]>([
    ['x-goog-api-key', { headers: { 'x-goog-api-key': 'k' } }],
    ['?key=', { headers: {}, query: '?key=k' }],
    ['Bearer at Google', { headers: { authorization: 'Bearer k' } }],
    ['Bearer at a relay nobody knows, under /v1', { provider: 'third-relay', version: 'v1' }],
  ])('%s opens', async ([, asked]) => {
    expect((await ask(app, prompt('a fern', { responseModalities: ['TEXT'] }), asked)).status).toBe(200)
  })

  test('a bad key carries API_KEY_INVALID and a localised message', async () => {
    const response = await ask(app, prompt('a fern'), { headers: { authorization: 'Bearer bad-key' } })
    const { error } = (await response.json()) as AnyError
    expect(error.details).toMatchObject([
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
      { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage', message: error.message },
    ])
  })
})

describe('the model', () => {
  const missing = (id: string) => ({
    code: 404,
    status: 'NOT_FOUND',
    message: new RegExp(`^models/${id} is not found for API version v1beta`),
  })
  test.for<Refusal>([
    ['an unknown id is a 404', () => prompt('a fern'), missing('gemini-9'), { model: 'gemini-9' }],
    [
      'Google does not sell preview ids',
      () => prompt('a fern'),
      missing('gemini-3-pro-image-preview'),
      { model: 'gemini-3-pro-image-preview' },
    ],
    ['APIYI sells preview ids only', () => prompt('a fern'), missing(PRO), { model: PRO, provider: 'apiyi' }],
    ['Tokaify sells one model', () => prompt('a fern'), missing(NB2), { model: NB2, provider: 'tokaify' }],
    [
      'a short name is no wire id',
      () => prompt('a fern'),
      missing('nano-banana-2'),
      { model: 'nano-banana-2', provider: 'relay' },
    ],
  ])('%s', (row) => refuses(emulator, row))

  test.for([NB2, 'gemini-3.1-flash-image-preview', 'gemini-3-pro-image-preview', 'gemini-nano-banana-2.1'])(
    'a relay nobody knows sells %s',
    async (model) => {
      const body = prompt('a fern', { responseModalities: ['TEXT'] })
      expect((await ask(app, body, { model, provider: 'relay' })).status).toBe(200)
    },
  )

  test('another method is a 404 in the same shape', async () => {
    const response = await app.request(`/google/v1beta/models/${NB2}:predict`, { method: 'POST' })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { status: 'NOT_FOUND' } })
  })
})
