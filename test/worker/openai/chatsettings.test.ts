// What a chat says beside its messages: size and shape in every spelling, what is passed on, passed over, and refused
// because it would buy a picture that nobody can use.
import { describe, expect, test } from 'vitest'
import { callsOf, prompt } from '../setup/ask.ts'
import { chat, completion, errorOf, sentFor, user } from './talk.ts'

type Config = {
  generationConfig: {
    responseModalities: string[]
    imageConfig: { imageSize?: string; aspectRatio?: string }
    [setting: string]: unknown
  }
}

/** The settings that reach the provider. */
async function configFor(body: Record<string, unknown>): Promise<Config['generationConfig']> {
  const words = prompt()
  return ((await sentFor(words, { messages: [user(words)], ...body })) as Config).generationConfig
}

describe('settings', () => {
  test.for([
    ['image_config', { image_config: { aspect_ratio: '16:9', image_size: '2K' } }, '2K', '16:9'],
    ['extra_body', { extra_body: { google: { image_config: { image_size: '4K' } } } }, '4K', undefined],
    ['plain names', { aspect_ratio: '3:2' }, '1K', '3:2'],
    ['pixels', { size: '2048x2048' }, '2K', '1:1'],
    ['none', {}, '1K', undefined],
  ] as const)('of the picture are read from %s', async ([, body, imageSize, aspectRatio]) => {
    const { imageConfig } = await configFor({ size: undefined, ...body })
    expect(imageConfig).toEqual(aspectRatio ? { imageSize, aspectRatio } : { imageSize })
  })

  test.for([
    [undefined, ['TEXT', 'IMAGE']],
    [
      ['image', 'text'],
      ['TEXT', 'IMAGE'],
    ],
    [['image'], ['IMAGE']],
    [['text'], ['TEXT']],
  ] as const)('ask for what may be answered: %s', async ([modalities, expected]) => {
    expect((await configFor({ modalities })).responseModalities).toEqual(expected)
  })

  test('that the model has are passed on', async () => {
    const sent = await configFor({
      temperature: 0.5,
      top_p: 0.9,
      seed: 7,
      reasoning_effort: 'high',
      user: 'u',
    })
    expect(sent).toMatchObject({
      temperature: 0.5,
      topP: 0.9,
      seed: 7,
      thinkingConfig: { thinkingLevel: 'HIGH' },
    })
  })

  test('that no picture can heed are passed over', async () => {
    const sent = await configFor({
      reasoning_effort: 'low',
      tools: [{ type: 'function', function: { name: 'f' } }],
      tool_choice: 'auto',
      response_format: { type: 'text' },
      presence_penalty: 1,
      stop: null,
      logprobs: false,
    })
    expect(Object.keys(sent).sort()).toEqual(['imageConfig', 'responseModalities'])
  })

  test.for([
    ['too few for the picture are passed over', 1_000, undefined],
    ['enough for it are passed on', 8_000, 8_000],
    ['more than the model writes are lowered', 200_000, 32_768],
  ] as const)('max_tokens: %s', async ([, max_tokens, expected]) => {
    expect((await configFor({ max_tokens })).maxOutputTokens).toBe(expected)
  })

  test.for([
    ['n', { n: 2 }],
    ['response_format', { response_format: { type: 'json_schema', json_schema: {} } }],
    ['tool_choice', { tool_choice: 'required' }],
    ['tool_choice', { tool_choice: { type: 'function', function: { name: 'f' } } }],
    ['function_call', { function_call: { name: 'f' } }],
    ['modalities', { modalities: ['text', 'audio'] }],
    ['modalities', { modalities: 'image' }],
    ['temperature', { temperature: 'warm' }],
    ['temperature', { temperature: 3 }],
    ['top_p', { top_p: 2 }],
    ['seed', { seed: 1.5 }],
    ['max_tokens', { max_completion_tokens: 0 }],
    ['model', { model: 7 }],
    ['size', { size: '7x1' }],
  ] as const)('%s that cannot be are refused, and nothing is bought', async ([param, body]) => {
    const words = prompt()
    const response = await chat({ messages: [user(words)], ...body })
    const error = await errorOf(response)
    expect([response.status, error.type, error.param]).toEqual([400, 'invalid_request_error', param])
    expect(error.message).toContain(param)
    expect(await callsOf(words)).toHaveLength(0)
  })

  test('name the model; one that is not here is an error that lists those that are', async () => {
    const response = await chat({ messages: [user(prompt())], model: 'gpt-5' })
    const error = await errorOf(response)
    expect([response.status, error.code]).toEqual([404, 'model_not_found'])
    expect(error.message).toContain('nano-banana-2')
  })

  test('may leave the model to the worker', async () => {
    const { model } = await completion({ messages: [user(prompt())], model: undefined, size: undefined })
    expect(model).toBe('gemini-nano-banana-2.1')
  })
})
