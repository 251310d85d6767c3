// How a body of the Gemini API is read: names in any casing, values by their types, and everything wrong told at once.
import { describe, expect, test } from 'vitest'
import { readModalities, readThinkingLevel } from '../../core/gemini/config.ts'
import { checkedContents } from '../../core/gemini/contents.ts'
import { readBody, readCountBody, readTakenBody } from '../../core/gemini/fields.ts'
import type { RpcError } from '../../core/gemini/rpc.ts'

/** The error of what is refused. */
function refused(work: () => unknown): RpcError['body']['error'] {
  try {
    work()
  } catch (error) {
    return (error as RpcError).body.error
  }
  throw new Error('it was taken')
}

const inline = (data: unknown) => ({
  contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data } }] }],
})

describe('a body', () => {
  test.for([
    [
      'names in snake_case',
      { generation_config: { max_output_tokens: 1 } },
      { generationConfig: { maxOutputTokens: 1 } },
    ],
    [
      'a single element for a list',
      { contents: { parts: { text: 'a' } } },
      { contents: [{ parts: [{ text: 'a' }] }] },
    ],
    ['null for nothing', { contents: null, tools: [] }, { tools: [] }],
    [
      'numbers as text',
      { generationConfig: { seed: '7', topP: '0.5' } },
      { generationConfig: { seed: 7, topP: 0.5 } },
    ],
    [
      'names of a caller’s own as they are',
      {
        tools: [{ function_declarations: [{ parameters: { properties: { unit_price: { any_of: [] } } } }] }],
      },
      { tools: [{ functionDeclarations: [{ parameters: { properties: { unit_price: { any_of: [] } } } }] }] },
    ],
    [
      'arguments of a function as they are',
      { contents: [{ parts: [{ function_call: { name: 'f', args: { my_key: 1 } } }] }] },
      { contents: [{ parts: [{ functionCall: { name: 'f', args: { my_key: 1 } } }] }] },
    ],
  ])('is read with %s', ([, sent, read]) => expect(readBody(sent)).toEqual(read))

  test.for([
    ['a list', [], 'Invalid JSON payload received. Root element must be a message.'],
    ['nothing', null, 'Invalid JSON payload received. Root element must be a message.'],
    [
      'search types as a list',
      { tools: [{ googleSearch: { searchTypes: [] } }] },
      "Invalid value at 'tools[0].google_search.search_types' (TYPE_MESSAGE), []",
    ],
    [
      'a fraction for a whole number',
      { generationConfig: { seed: 1.5 } },
      "Invalid value at 'generation_config.seed' (TYPE_INT32), 1.5",
    ],
    [
      'words for a number',
      { generationConfig: { topK: 'many' } },
      `Invalid value at 'generation_config.top_k' (TYPE_FLOAT), "many"`,
    ],
    [
      'a number for an image',
      inline(0),
      "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), 0",
    ],
    [
      'a name of the prototype',
      { constructor: {} },
      'Invalid JSON payload received. Unknown name "constructor": Cannot find field.',
    ],
  ])('is refused with %s', ([, sent, message]) => {
    expect(refused(() => readBody(sent))).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT', message })
  })

  test('is told of every fault at once', () => {
    const { details } = refused(() => readBody({ a: 1, generationConfig: { b_c: 1, topP: true } }))
    const fields = (details![0] as unknown as { fieldViolations: { field: string }[] }).fieldViolations
    expect(fields.map(({ field }) => field)).toEqual(['', 'generation_config', 'generation_config.top_p'])
  })

  test('whose images were taken out holds their numbers, and no others', () => {
    expect(readTakenBody(inline(1), 2)).toEqual(inline(1))
    for (const data of [2, -1, 0.5, 'AAAA'])
      expect(refused(() => readTakenBody(inline(data), 2)).message).toMatch(/TYPE_BYTES/)
  })

  test('of countTokens holds contents or a whole request', () => {
    const contents = [{ parts: [{ text: 'a' }] }]
    expect(readCountBody({ generate_content_request: { model: 'm', contents } }, 0)).toEqual({
      generateContentRequest: { model: 'm', contents },
    })
    expect(refused(() => readCountBody({ contents, safetySettings: [] }, 0)).message).toMatch(/Unknown name/)
  })
})

test('a part holds exactly one thing, whatever is said of it', () => {
  const body = (part: Record<string, unknown>) => ({ contents: [{ parts: [part] }] })
  for (const part of [
    { text: '' },
    { text: 'a', thought: true },
    { functionCall: {} },
    { codeExecutionResult: {} },
  ])
    expect(checkedContents(body(part))).toEqual(body(part).contents)
  expect(refused(() => checkedContents(body({ thought: true }))).message).toMatch(
    /must have one initialized field/,
  )
  expect(refused(() => checkedContents(body({ text: '', fileData: {} }))).message).toMatch(
    /Cannot set 'fileData'/,
  )
})

test('modalities and levels are words in any case', () => {
  expect(readModalities(['Image', 'text'])).toEqual(['IMAGE', 'TEXT'])
  expect(readModalities([])).toBeUndefined()
  expect(readModalities(['MODALITY_UNSPECIFIED'])).toBeUndefined()
  expect(readThinkingLevel('HIGH')).toBe('high')
  expect(readThinkingLevel('THINKING_LEVEL_UNSPECIFIED')).toBeUndefined()
})
