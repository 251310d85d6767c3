// The models as clients of the OpenAI API list and name them.
import { describe, expect, test } from 'vitest'
import { ask, callsOf, prompt } from '../setup/ask.ts'
import { errorOf, generate } from './ask.ts'

/** Bindings under which only tokaify has a key. */
const ONLY_TOKAIFY = { GOOGLE_API_KEY: '', APIYI_API_KEY: '', BAD_KEY: '', ANY_KEY: '' }

test('the list holds what is sold here, by Google’s ids', async () => {
  const response = await ask('/openai/v1/models')
  expect(response.headers.get('x-request-id')).toBeTruthy()
  expect(await response.json()).toEqual({
    object: 'list',
    data: [
      { id: 'gemini-3-pro-image', object: 'model', created: 1779926400, owned_by: 'google' },
      { id: 'gemini-3.1-flash-image', object: 'model', created: 1779926400, owned_by: 'google' },
      { id: 'gemini-nano-banana-2.1', object: 'model', created: 1791244800, owned_by: 'google' },
      { id: 'gemini-3.1-flash-lite-image', object: 'model', created: 1782777600, owned_by: 'google' },
      { id: 'gemini-2.5-flash-image', object: 'model', created: 0, owned_by: 'google' },
    ],
  })
})

test('what no configured provider sells is not in it', async () => {
  const { data } = (await (await ask('/openai/v1/models', {}, ONLY_TOKAIFY)).json()) as {
    data: { id: string }[]
  }
  expect(data.map(({ id }) => id)).not.toContain('gemini-nano-banana-2.1')
  expect(data.length).toBeGreaterThan(0)
  const missing = await ask('/openai/v1/models/nano-banana-2.1', {}, ONLY_TOKAIFY)
  expect(await errorOf(missing)).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
})

test.for([
  'gemini-3-pro-image',
  'nano-banana-pro',
  'gemini-3-pro-image-preview',
  'apiyi/nano-banana-pro',
  'apiyi%2Fnano-banana-pro',
])('a model is found as %s', async (name) => {
  const response = await ask(`/openai/v1/models/${name}`)
  expect(await response.json()).toMatchObject({ id: 'gemini-3-pro-image', object: 'model' })
})

describe('a name that is none of ours is not replaced by one', () => {
  test.for(['gpt-image-1', 'gpt-image-2', 'dall-e-3', 'apiyi/dall-e-2', 'flux'])('%s', async (model) => {
    const wanted = prompt()
    const error = await errorOf(await generate({ prompt: wanted, model }))
    expect(error).toMatchObject({
      status: 404,
      type: 'invalid_request_error',
      code: 'model_not_found',
      param: 'model',
    })
    expect(error.message).toContain(`"${model}"`)
    expect(error.message).toContain('gemini-3.1-flash-image (nano-banana-2)')
    expect(await callsOf(wanted)).toEqual([])
    expect((await errorOf(await ask(`/openai/v1/models/${model}`))).code).toBe('model_not_found')
  })
})

test('a provider that does not sell the model is named', async () => {
  const error = await errorOf(
    await generate({ prompt: prompt(), model: 'tokaify/nano-banana-2.1', size: 'auto' }),
  )
  expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
  expect(error.message).toContain('tokaify does not sell nano-banana-2.1')
})

test.for([
  ['DEFAULT_PROVIDER decides the model of a call without one', { DEFAULT_PROVIDER: 'tokaify' }],
  ['so does what has a key', ONLY_TOKAIFY],
] as const)('%s', async ([, changes]) => {
  const wanted = prompt()
  const body = JSON.stringify({ prompt: wanted, response_format: 'url', size: 'auto' })
  const response = await ask('/openai/v1/images/generations', { method: 'POST', body }, changes)
  expect(response.status).toBe(200)
  const [call] = await callsOf(wanted)
  expect(call).toMatchObject({ provider: 'tokaify' })
})
