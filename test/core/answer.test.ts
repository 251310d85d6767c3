// Reading answers in every dialect that was seen, and which of their pictures is the result.
import { describe, expect, test } from 'vitest'
import {
  type Answer,
  type AnswerPart,
  chooseResult,
  isGrounded,
  readAnswer,
  readError,
  textOf,
} from '../../core/answer.ts'

/** What is read of an answer for ourselves; the rest is for native clients. */
type Own = Omit<Answer, 'candidate' | 'promptFeedback' | 'usageMetadata'>

const EMPTY: Own = {
  parts: [],
  finishReason: undefined,
  finishMessage: undefined,
  blockReason: undefined,
  usage: undefined,
  modelVersion: undefined,
  responseId: undefined,
  error: undefined,
}

const FULL = {
  candidates: [
    {
      content: {
        role: 'model',
        parts: [
          { text: 'let me think', thought: true },
          { inlineData: { mimeType: 'image/png', data: 0 }, thought: true },
          { text: 'Here…', thoughtSignature: 'c2ln' },
          { inlineData: { mimeType: 'image/jpeg', data: 1 }, thoughtSignature: 'c2ln' },
        ],
      },
      finishReason: 'STOP',
      finishMessage: 'done',
      index: 0,
    },
  ],
  promptFeedback: { blockReason: 'OTHER' },
  usageMetadata: {
    promptTokenCount: 533,
    candidatesTokenCount: 1120,
    thoughtsTokenCount: 217,
    totalTokenCount: 1870,
    toolUsePromptTokenCount: 0,
    candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1120 }],
  },
  modelVersion: 'gemini-3-pro-image',
  responseId: 'r-1',
}

const READ: Answer = {
  parts: [
    { kind: 'text', text: 'let me think', thought: true },
    { kind: 'picture', picture: 0, label: 'image/png', thought: true },
    { kind: 'text', text: 'Here…', thought: false, more: { thoughtSignature: 'c2ln' } },
    { kind: 'picture', picture: 1, label: 'image/jpeg', thought: false, more: { thoughtSignature: 'c2ln' } },
  ],
  finishReason: 'STOP',
  finishMessage: 'done',
  blockReason: 'OTHER',
  usage: FULL.usageMetadata,
  modelVersion: 'gemini-3-pro-image',
  responseId: 'r-1',
  candidate: { finishReason: 'STOP', finishMessage: 'done', index: 0 },
  promptFeedback: { blockReason: 'OTHER' },
  usageMetadata: FULL.usageMetadata,
  error: undefined,
}

/** The same answer as a relay spells it that translates Google's library objects. */
function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase)
  if (typeof value !== 'object' || value === null) return value
  const rename = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [rename(key), snakeCase(member)]))
}

describe('an answer is read', () => {
  test('in camelCase', () => expect(readAnswer(FULL)).toEqual(READ))
  test('in snake_case', () => expect(readAnswer(snakeCase(FULL))).toEqual(READ))
  test('in a mixture of both', () => {
    const mixed = { ...FULL, usageMetadata: undefined, usage_metadata: snakeCase(FULL.usageMetadata) }
    expect(readAnswer(mixed)).toEqual(READ)
  })

  test('with everything else that a native client needs, in camelCase', () => {
    const ratings = [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'LOW' }]
    const answer = readAnswer({
      candidates: [
        {
          finish_reason: 'STOP',
          safety_ratings: ratings,
          grounding_metadata: {
            web_search_queries: ['lamps'],
            grounding_chunks: [{ web: { source_uri: 'x' } }],
          },
          citation_metadata: null,
        },
        { finishReason: 'OTHER' },
      ],
      prompt_feedback: { safety_ratings: ratings },
      usage_metadata: { prompt_tokens_details: [{ modality: 'TEXT', token_count: 6 }] },
    })
    expect(answer.candidate).toStrictEqual({
      finishReason: 'STOP',
      safetyRatings: ratings,
      groundingMetadata: { webSearchQueries: ['lamps'], groundingChunks: [{ web: { sourceUri: 'x' } }] },
    })
    expect(answer.promptFeedback).toStrictEqual({ safetyRatings: ratings })
    expect(answer.usageMetadata).toStrictEqual({ promptTokensDetails: [{ modality: 'TEXT', tokenCount: 6 }] })
  })

  test('with parts of other kinds as they came, their own words untouched', () => {
    const call = { name: 'draw_it', args: { line_width: 3 } }
    const parts = [
      { function_call: call, thought_signature: 'c2ln' },
      { executableCode: { code: '1' }, thought: true },
      { thoughtSignature: 'bGFzdA==' },
      { thought: true },
    ]
    expect(readAnswer({ candidates: [{ content: { parts } }] }).parts).toStrictEqual([
      { kind: 'other', part: { functionCall: call, thoughtSignature: 'c2ln' } },
      { kind: 'other', part: { executableCode: { code: '1' }, thought: true } },
      { kind: 'other', part: { thoughtSignature: 'bGFzdA==' } },
    ])
  })

  test.for<[string, unknown, boolean]>([
    ['no metadata', {}, false],
    ['empty metadata', { groundingMetadata: {} }, false],
    ['empty lists', { groundingMetadata: { webSearchQueries: [], searchEntryPoint: {} } }, false],
    ['queries', { groundingMetadata: { webSearchQueries: ['lamps'] } }, true],
    ['queries for images, in snake_case', { grounding_metadata: { image_search_queries: ['lamps'] } }, true],
    ['sources without queries', { groundingMetadata: { groundingChunks: [{ web: {} }] } }, true],
  ])('saying whether a search was made: %s', ([, candidate, expected]) => {
    expect(isGrounded(readAnswer({ candidates: [candidate] }))).toBe(expected)
  })

  test.for<[string, unknown, Partial<Own>]>([
    ['nothing', undefined, {}],
    ['null', null, {}],
    ['a text', 'ok', {}],
    ['a list', [FULL], {}],
    ['no candidates', { candidates: [] }, {}],
    ['candidates that are null', { candidates: null, usageMetadata: null }, {}],
    ['a candidate that is null', { candidates: [null] }, {}],
    [
      'a picture in the second candidate, for which its reason counts',
      {
        candidates: [
          { content: { parts: [{ text: 'no' }] }, finishReason: 'OTHER' },
          { content: { parts: [{ inlineData: { data: 0 } }] }, finishReason: 'STOP' },
        ],
      },
      { parts: [{ kind: 'picture', picture: 0, label: undefined, thought: false }], finishReason: 'STOP' },
    ],
    [
      'content that is null',
      { candidates: [{ content: null, finishReason: 'STOP' }] },
      { finishReason: 'STOP' },
    ],
    [
      'parts that are null',
      { candidates: [{ content: { parts: null }, finishReason: 'NO_IMAGE' }] },
      { finishReason: 'NO_IMAGE' },
    ],
    ['parts that are nothing', { candidates: [{ content: { parts: [null, 7, 'x', [], {}] } }] }, {}],
    ['a text that is none', { candidates: [{ content: { parts: [{ text: 7 }, { text: null }] } }] }, {}],
    [
      'an empty text',
      { candidates: [{ content: { parts: [{ text: '' }] } }] },
      { parts: [{ kind: 'text', text: '', thought: false }] },
    ],
    [
      'a picture without a type',
      { candidates: [{ content: { parts: [{ inlineData: { data: 0 } }] } }] },
      { parts: [{ kind: 'picture', picture: 0, label: undefined, thought: false }] },
    ],
    [
      'inline data without a picture',
      { candidates: [{ content: { parts: [{ inlineData: { data: 'text' } }, { inlineData: null }] } }] },
      {},
    ],
    [
      'thought as a text',
      { candidates: [{ content: { parts: [{ text: 'x', thought: 'true' }] } }] },
      { parts: [{ kind: 'text', text: 'x', thought: false }] },
    ],
    ['a blocked prompt', { promptFeedback: { blockReason: 'SAFETY' } }, { blockReason: 'SAFETY' }],
    [
      'a reason that is new',
      { candidates: [{ finishReason: 'MOON_PHASE' }] },
      { finishReason: 'MOON_PHASE' },
    ],
    ['a reason that is no text', { candidates: [{ finishReason: 3 }] }, {}],
  ])('with what is missing left out: %s', ([, json, expected]) => {
    const { candidate: _, promptFeedback: __, usageMetadata: ___, ...own } = readAnswer(json)
    expect(own).toEqual({ ...EMPTY, ...expected })
  })

  test.for<[string, unknown, unknown]>([
    ['no usage', undefined, undefined],
    ['usage that is null', null, undefined],
    ['usage that is text', 'none', undefined],
    ['empty usage', {}, {}],
    ['a count that is text', { totalTokenCount: '1870' }, {}],
    ['a negative count', { promptTokenCount: -1 }, {}],
    ['a count of 0', { candidatesTokenCount: 0 }, { candidatesTokenCount: 0 }],
    ['details that are null', { candidatesTokensDetails: null }, {}],
    ['details of nothing', { candidatesTokensDetails: [null, {}] }, { candidatesTokensDetails: [{}, {}] }],
  ])('with counts that are numbers: %s', ([, usageMetadata, expected]) => {
    expect(readAnswer({ usageMetadata }).usage).toEqual(expected)
  })

  test.for<[string, unknown, unknown]>([
    ['no error', { candidates: [] }, undefined],
    ['an error that is null', { error: null }, undefined],
    [
      "Google's",
      { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'slow down', details: [{ a: 1 }] } },
      { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'slow down', details: [{ a: 1 }] },
    ],
    ['an error of another shape', { error: { code: 'bad_key', type: 'x' } }, { details: [] }],
    ['an error that is text', { error: 'no credit' }, { message: 'no credit', details: [] }],
    ['details that are none', { error: { details: [null, 'x'] } }, { details: [{}, {}] }],
  ])('with its error: %s', ([, json, expected]) => {
    expect(readError(json)).toEqual(expected)
    expect(readAnswer(json).error).toEqual(expected)
  })
})

describe('the result', () => {
  /** Parts from a picture of them: t text, (t) thought text, i image, (i) thought image, _ white space. */
  const draw = (layout: string): AnswerPart[] => {
    let picture = 0
    return [...layout.matchAll(/(\()?([ti_])/g)].map(([, thought, kind]) =>
      kind === 'i'
        ? { kind: 'picture', picture: picture++, label: undefined, thought: thought !== undefined }
        : { kind: 'text', text: kind === '_' ? ' \n' : 'words', thought: thought !== undefined },
    )
  }

  test.for<[string, string, number | undefined, boolean, number[]]>([
    ['nothing where nothing was drawn', '', undefined, false, []],
    ['nothing where only text came', 't (t) t', undefined, false, []],
    ['the only picture', 'i', 0, false, []],
    ['the picture before the text', 'i t', 0, false, []],
    ['the picture after the text', 't i', 0, false, []],
    ['the final picture after interim ones', '(t) (i) (i) t i', 2, false, []],
    ['the final picture before a thought', 'i (i)', 0, false, []],
    ['the last of drafts back to back', 'i i i', 2, false, []],
    ['the last of drafts after a text', 't i i', 1, false, []],
    ['a lone thought, and it is marked', '(i)', 0, true, []],
    ['the last of several thoughts, marked', '(i) (t) (i) t', 1, true, []],
    ['the last of pictures with text between, the others kept', 't i t i t i', 2, false, [0, 1]],
    ['a draft between two pictures is no other', 'i i t i', 2, false, [1]],
    ['white space does not part drafts', 'i _ i', 1, false, []],
    ['thoughts do not part drafts', 'i (t) (i) i', 2, false, []],
    ['text parts them across a thought', 'i (i) t i', 2, false, [0]],
  ])('%s', ([, layout, result, isThought, others]) => {
    expect(chooseResult({ parts: draw(layout), finishReason: 'STOP' }, () => true)).toEqual({
      result,
      isThought,
      others,
    })
  })

  test('the same picture twice is one result', () => {
    const twin = { kind: 'picture', picture: 0, label: 'image/png', thought: false } as const
    const parts = [twin, { ...twin, picture: 1 }]
    expect(chooseResult({ parts, finishReason: 'STOP' }, () => true)).toEqual({
      result: 1,
      isThought: false,
      others: [],
    })
  })

  test('a lone thought of an answer that was refused is no result', () => {
    const answer = { parts: draw('(i)'), finishReason: 'IMAGE_SAFETY' }
    expect(chooseResult(answer, () => true).result).toBeUndefined()
  })

  test('what was no picture after all is passed over', () => {
    const answer = { parts: draw('i i'), finishReason: 'STOP' }
    expect(chooseResult(answer, (picture) => picture === 0).result).toBe(0)
  })

  test('the text is joined, without thoughts and outer white space', () => {
    const text = (words: string, thought = false): AnswerPart => ({ kind: 'text', text: words, thought })
    expect(textOf([text(' Here '), text('hidden', true), text('it is.\n')])).toBe('Here it is.')
    expect(textOf([text('hidden', true), text(' \n')])).toBeUndefined()
    expect(textOf([])).toBeUndefined()
  })
})
