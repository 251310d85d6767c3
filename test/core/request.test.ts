// What a caller may ask for, and what a model or a provider cannot do of it.
import { describe, expect, test } from 'vitest'
import { findModel } from '../../core/models.ts'
import { PROVIDERS, type Provider } from '../../core/providers.ts'
import { type GenerationRequest, limitsOf, RequestSchema } from '../../core/request.ts'

const SHA = 'a'.repeat(64)
const least = { model: 'nano-banana-2', prompt: 'a fern' }

describe('a request', () => {
  test('needs a model and a prompt, and gets no defaults', () => {
    expect(RequestSchema.parse(least)).toEqual(least)
  })

  test.for<[string, object]>([
    ['a size in any spelling', { size: '0.5k' }],
    ['a size as a number', { size: 512 }],
    ['each of the fourteen ratios', { aspect: '1:8' }],
    ['a stored reference', { references: [{ sha256: SHA }] }],
    ['a reference to be fetched', { references: [{ url: 'https://cdn.example/fern.jpg' }] }],
    ['an earlier picture', { references: [{ generation: `gen_${'0a'.repeat(13)}` }] }],
    ['inline data', { references: [{ data: 'iVBORw0KGgo=', mimeType: 'image/png' }] }],
    [
      'an address for the provider',
      { references: [{ fileUri: 'https://x.example/a', mimeType: 'image/heic' }] },
    ],
    ['a temperature above one', { temperature: 2 }],
    ['an empty list of safety settings', { safetySettings: [] }],
    ['a threshold', { safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }] }],
    ['both modalities', { modalities: ['TEXT', 'IMAGE'] }],
    ['more output tokens than any model writes', { maxOutputTokens: 100_000 }],
    ['fallbacks with reasons', { fallback: [{ model: 'nano-banana-pro', on: ['no_image', 'refused'] }] }],
    ['a limit of its cost', { maxCost: 0.5 }],
    ['metadata', { metadata: { sku: 'ff-201' } }],
  ])('may hold %s', ([, more]) => expect(RequestSchema.safeParse({ ...least, ...more }).success).toBe(true))

  test('has its spellings made canonical', () => {
    const references = [{ data: '', mimeType: 'image/jpg' }]
    const request = RequestSchema.parse({ ...least, size: '512px', references })
    expect([request.size, request.references]).toEqual(['512', [{ data: '', mimeType: 'image/jpeg' }]])
  })

  test.for<[string, object, string]>([
    ['an empty prompt', { prompt: '' }, 'prompt'],
    ['a prompt of more than 131072 characters', { prompt: 'x'.repeat(131_073) }, 'prompt'],
    ['a misspelt member', { referenes: [] }, ''],
    ['an unknown size', { size: '3K' }, 'size'],
    ['an unknown ratio', { aspect: '9:21' }, 'aspect'],
    ['a digest in upper case', { references: [{ sha256: SHA.toUpperCase() }] }, 'references.0.sha256'],
    ['a reference named twice', { references: [{ sha256: SHA, url: 'https://x.example/' }] }, 'references.0'],
    ['a reference without encryption', { references: [{ url: 'http://x.example/' }] }, 'references.0.url'],
    ['data without its type', { references: [{ data: '' }] }, 'references.0'],
    ['a type that is none', { references: [{ data: '', mimeType: 'image/gif' }] }, 'references.0'],
    ['a temperature above two', { temperature: 2.1 }, 'temperature'],
    ['modalities without a picture', { modalities: ['TEXT'] }, 'modalities'],
    ['a fallback without a reason', { fallback: [{ model: 'nano-banana', on: [] }] }, 'fallback.0.on'],
    [
      'a fallback for an unknown reason',
      { fallback: [{ model: 'nano-banana', on: ['timed_out'] }] },
      'fallback.0.on.0',
    ],
    ['a limit of nothing', { maxCost: 0 }, 'maxCost'],
    ['a deadline of more than a day', { deadline: 86_401 }, 'deadline'],
    ['metadata that is no text', { metadata: { sku: 7 } }, 'metadata.sku'],
    ['a seed that is no whole number', { seed: 0.5 }, 'seed'],
  ])('is refused for %s', ([, more, path]) => {
    const issues = RequestSchema.safeParse({ ...least, ...more }).error?.issues
    expect(issues?.map((issue) => issue.path.join('.'))).toContain(path)
  })
})

describe('limits', () => {
  const provider = (id: string) => PROVIDERS.find((p) => p.id === id)!
  type References = Parameters<typeof limitsOf>[1]
  type Asked = Partial<GenerationRequest>
  const MB = 1024 * 1024
  const strict: Provider = { ...provider('tokaify'), maxTemperature: 1 }
  const found = (model: string, at: Provider, asked: Asked, references: References) =>
    limitsOf(asked, references, findModel(model)!, at).map((l) => `${l.code} ${l.path}: ${l.message}`)

  test.for<[string, string, Provider, Asked, References, string[]]>([
    ['nothing is wrong with the least', 'nano-banana', provider('google'), {}, [], []],
    [
      'size',
      'nano-banana-pro',
      provider('google'),
      { size: '512' },
      [],
      ['unsupported size: nano-banana-pro cannot make 512; it makes 1K, 2K, 4K'],
    ],
    [
      'size of a model with one',
      'nano-banana',
      provider('apiyi'),
      { size: '2K' },
      [],
      ['unsupported size: nano-banana cannot make 2K; it makes 1K'],
    ],
    ['the one size of a model may be named', 'nano-banana', provider('apiyi'), { size: '1K' }, [], []],
    [
      'ratio',
      'nano-banana-pro',
      provider('google'),
      { aspect: '1:8' },
      [],
      [
        'unsupported aspect: nano-banana-pro cannot make 1:8; it makes 1:1, 2:3, 3:2, 3:4, 4:3, 4:5, 5:4, 9:16, 16:9, 21:9',
      ],
    ],
    ['the extra ratios of NB2', 'nano-banana-2', provider('google'), { aspect: '1:8' }, [], []],
    ['as many references as it takes', 'nano-banana', provider('google'), {}, [{}, {}, {}], []],
    [
      'one reference too many',
      'nano-banana',
      provider('google'),
      {},
      [{}, {}, {}, {}],
      ['unsupported references: nano-banana takes at most 3 reference images, not 4'],
    ],
    ['fourteen references', 'nano-banana-2', provider('google'), {}, Array(14).fill({}), []],
    [
      'fifteen references',
      'nano-banana-2',
      provider('google'),
      {},
      Array(15).fill({}),
      ['unsupported references: nano-banana-2 takes at most 14 reference images, not 15'],
    ],
    ['a reference of 7 MB', 'nano-banana-2', provider('google'), {}, [{ bytes: 7 * MB }], []],
    [
      'a reference of one byte more, found by its place',
      'nano-banana-2',
      provider('google'),
      {},
      [{}, { bytes: 7 * MB + 1 }],
      ['payload_too_large references[1]: has 7.1 MiB; a reference has at most 7 MiB'],
    ],
    [
      'ten of them fit into 100 MB of Base64',
      'nano-banana-2',
      provider('google'),
      {},
      Array(10).fill({ bytes: 7 * MB }),
      [],
    ],
    [
      'eleven do not',
      'nano-banana-2',
      provider('apiyi'),
      {},
      Array(11).fill({ bytes: 7 * MB }),
      ['payload_too_large references: are 103 MiB together once encoded; apiyi takes 100 MiB'],
    ],
    [
      'an address is passed on where the provider fetches it',
      'nano-banana-2',
      provider('apiyi'),
      {},
      [{ fileUri: 'https://x.example/' }],
      [],
    ],
    [
      'an address elsewhere',
      'nano-banana-pro',
      provider('tokaify'),
      {},
      [{ fileUri: 'https://x.example/' }],
      [
        'unsupported references[0]: tokaify does not fetch fileUri references; give {url} and the worker fetches it',
      ],
    ],
    ['a temperature within', 'nano-banana-pro', strict, { temperature: 1 }, [], []],
    [
      'a temperature above',
      'nano-banana-pro',
      strict,
      { temperature: 1.1 },
      [],
      ['unsupported temperature: tokaify takes at most 1'],
    ],
    ['thinking at Google', 'nano-banana-pro', provider('google'), { thinking: { level: 'high' } }, [], []],
    ['thinking of NB2 at APIYI', 'nano-banana-2', provider('apiyi'), { thinking: { level: 'high' } }, [], []],
    [
      'thinking of Pro at APIYI',
      'nano-banana-pro',
      provider('apiyi'),
      { thinking: { level: 'high' } },
      [],
      ['unsupported thinking: apiyi takes thinking settings for gemini-3.1-flash-image only'],
    ],
  ])('%s', ([, model, at, asked, references, messages]) => {
    expect(found(model, at, asked, references)).toEqual(messages)
  })

  test('all limits are reported together', () => {
    const references = [{ fileUri: 'https://x.example/' }, {}, {}, { bytes: 8 * MB }]
    const asked: Asked = { size: '4K', aspect: '1:8', temperature: 2, thinking: {} }
    const at = { ...strict, thinkingModels: [] }
    expect(limitsOf(asked, references, findModel('nano-banana')!, at).map((l) => l.path)).toEqual([
      'size',
      'aspect',
      'references',
      'references[0]',
      'references[3]',
      'temperature',
      'thinking',
    ])
  })

  test('a picture that a model made may be longer than an upload, but counts towards the request', () => {
    const made = { mimeType: 'image/png', bytes: 20 * MB, made: true } as const
    expect(found('nano-banana-pro', provider('google'), {}, [made])).toEqual([])
    expect(found('nano-banana-pro', provider('google'), {}, Array(4).fill(made))).toEqual([
      'payload_too_large references: are 107 MiB together once encoded; google takes 100 MiB',
    ])
  })

  test('a type that a model does not read is refused with those it reads', () => {
    const model = { ...findModel('nano-banana')!, referenceTypes: ['image/png', 'image/jpeg'] as const }
    expect(limitsOf({}, [{ mimeType: 'image/heic' }], model, provider('google'))).toEqual([
      {
        path: 'references[0]',
        code: 'unsupported',
        message: 'nano-banana does not read image/heic; it reads image/png, image/jpeg',
      },
    ])
  })
})
