// What is written on a picture and around it: tags, output, metadata, budget, prices, and models that end.
import { expect, test } from 'vitest'
import { endOf } from '../../../runner/manifest/lifecycle.ts'
import { items, load } from './fixture.ts'

const MODEL = 'defaults: { model: nano-banana-2, prompt: x, tags: [all] }\n'
const messages = async (yaml: string) => (await load(yaml)).diagnostics.map((d) => `${d.path}: ${d.message}`)

test('tags are rendered, inherited and each there once', async () => {
  const [item] = await items(
    `${MODEL}items: { a: { matrix: { x: [é] }, tags: ["...", "k.\${x}", 2026, all] } }`,
  )
  expect(item?.tags).toEqual(['all', 'k.é', '2026'])
})

test('a tag has no spaces', async () => {
  expect(await messages(`${MODEL}items: { a: { tags: ["a b", ""] } }`)).toEqual([
    'items.a.tags[0]: `a b` is no tag: letters, digits, `.`, `_` and `-`, without spaces',
    'items.a.tags[1]: `` is no tag: letters, digits, `.`, `_` and `-`, without spaces',
  ])
})

test('an output is a path of its own; samples are numbered, an extension is left out', async () => {
  const made = await items(
    `${MODEL}items: { a: { matrix: { x: [p, q] }, samples: 2, output: "shop/\${x}.JPG" }, b: { output: v1.2 }, c: {} }`,
  )
  expect(made.map(({ output }) => output)).toEqual([
    'shop/p',
    'shop/p#2',
    'shop/q',
    'shop/q#2',
    'v1.2',
    undefined,
  ])
})

test.for([
  ['../x', 'has a part `.` or `..`'],
  ['a/./b', 'has a part `.` or `..`'],
  ['/x', 'begins with `/`'],
  ['@draft/x', 'begins with `@`, as the folders of profiles do'],
  ['a//b', 'has a part without a name'],
  ['.png', 'has a part without a name'],
  ['a\\\\b', 'has a `\\`; folders are separated by `/`'],
  ['a:b', 'has a character that file names cannot have: ":"'],
  ['a\\u0007', 'has a character that file names cannot have: "\\u0007"'],
  ['a./b', 'has a part that begins or ends with a space or ends with a dot'],
] as const)('an output cannot be "%s"', async ([output, words]) => {
  const { diagnostics } = await load(`${MODEL}items: { a: { output: "${output}" } }`)
  expect(diagnostics).toMatchObject([{ path: 'items.a.output', message: expect.stringContaining(words) }])
})

test.for([
  ['two outputs', 'a: { output: x/y }\n  b: { output: X/Y.png }', '`b` and `a` are both saved as `X/Y`'],
  ['an output and an id', 'a: {}\n  b: { output: A }', '`b` and `a` are both saved as `A`'],
  [
    'an output and a sample of a picture without one',
    'a: { samples: 2 }\n  b: { output: "a#2" }',
    '`b` and `a` are both saved as `a#2`',
  ],
  [
    'an output and a sample',
    'a: { samples: 2, output: q }\n  b: { output: "q#2" }',
    '`b` and `a` are both saved as `q#2`',
  ],
] as const)('%s that are one file are an error', async ([, yaml, message]) => {
  expect((await messages(`${MODEL}items:\n  ${yaml}\n`)).map((m) => m.replace(/^.*?: /, ''))).toEqual([
    message,
  ])
})

test.for([['png'], ['jpg'], ['JPEG'], ['webp'], ['heic'], ['HEIF']] as const)(
  'an output leaves out the extension .%s',
  async ([extension]) => {
    const made = await items(`${MODEL}items: { a: { output: "shop/a.${extension}" } }`)
    expect(made[0]?.output).toBe('shop/a')
  },
)

test('an output may take the id of a picture that is saved elsewhere', async () => {
  expect(await messages(`${MODEL}items: { a: { output: b }, b: { output: a } }`)).toEqual([])
})

test('money is in micro-USD', async () => {
  const { manifest } = await load(`budget: { max: 60.5, per_image: 0.000001, confirm_above: 0 }
prices: { apiyi: { nano-banana-2: { perRequest: 0.05 } }, google: { gemini-3-pro-image-preview: { inputPerMillion: 1, textPerMillion: 2, imagePerMillion: 3 } } }
${MODEL}items: { a: {} }`)
  expect(manifest?.budget).toEqual({ max: 60_500_000, perImage: 1, confirmAbove: 0 })
  expect(manifest?.prices).toEqual({
    apiyi: {
      'gemini-3.1-flash-image': {
        provider: 'apiyi',
        model: 'gemini-3.1-flash-image',
        source: 'prices in the manifest',
        unit: 'request',
        microUsd: 50_000,
      },
    },
    google: {
      'gemini-3-pro-image': {
        provider: 'google',
        model: 'gemini-3-pro-image',
        source: 'prices in the manifest',
        unit: 'token',
        inputPerMillion: 1_000_000,
        textPerMillion: 2_000_000,
        imagePerMillion: 3_000_000,
      },
    },
  })
})

test('wrong money is told', async () => {
  expect(
    await messages(`budget: { max: -1, per_image: 0.0000001, confirm_above: much, maxx: 1 }
prices:
  apiy: { nano-banana-2: { perRequest: 1 } }
  apiyi:
    nano-banan-2: { perRequest: 1 }
    nano-banana: { perRequest: 1, textPerMillion: 2 }
    nano-banana-2: { textPerMillion: 2 }
    nano-banana-pro: 0.09
    gemini-3.1-flash-image: { perRequest: 1 }
${MODEL}items: { a: {} }`),
  ).toEqual([
    'budget.max: must be at least 0, is -1',
    'budget.per_image: has more than six decimals: USD are counted in millionths',
    'budget.confirm_above: must be a number, is "much"',
    'budget.maxx: unknown key `maxx`',
    'prices.apiy: there is no provider `apiy`',
    'prices.apiyi.nano-banan-2: there is no model `nano-banan-2`',
    'prices.apiyi.nano-banana.textPerMillion: unknown key `textPerMillion`',
    'prices.apiyi.nano-banana-2: has no `inputPerMillion`',
    'prices.apiyi.nano-banana-2: has no `imagePerMillion`',
    'prices.apiyi.nano-banana-pro: must be {perRequest}, or {inputPerMillion, textPerMillion, imagePerMillion}, is 0.09',
    'prices.apiyi."gemini-3.1-flash-image": nano-banana-2 has a second price at apiyi',
  ])
})

test('metadata has at most 50 members', async () => {
  const members = Array.from({ length: 51 }, (_, n) => `k${n}: ${n}`).join(', ')
  expect(await messages(`${MODEL}items: { a: { metadata: { ${members} } } }`)).toEqual([
    'items.a.metadata: has 51 members; at most 50 are kept',
  ])
})

const ending = (shutdownOn?: string) => ({
  short: 'm',
  lifecycle: { status: 'deprecated' as const, successor: 'n', ...(shutdownOn ? { shutdownOn } : {}) },
})
test.for([
  ['2026-11-20', { severity: 'error', message: 'm was shut down on 2026-11-20', hint: 'its successor is n' }],
  [
    '2026-11-21',
    { severity: 'warning', message: 'm is shut down today, on 2026-11-21', hint: 'its successor is n' },
  ],
  [
    '2026-11-22',
    { severity: 'warning', message: 'm is shut down in 1 day, on 2026-11-22', hint: 'its successor is n' },
  ],
  [
    '2027-01-20',
    { severity: 'warning', message: 'm is shut down in 60 days, on 2027-01-20', hint: 'its successor is n' },
  ],
  ['2027-01-21', undefined],
  [undefined, undefined],
] as const)('on 2026-11-21, of a model that ends on %s is said: %j', ([date, expected]) =>
  expect(endOf(ending(date), '2026-11-21')).toEqual(expected),
)

test('a prompt file without a word is named', async () => {
  const { diagnostics } = await load(`${MODEL}items: { a: { prompt: "file:./p.md" } }`, {
    'p.md': '\uFEFF \r\n',
  })
  expect(diagnostics).toMatchObject([{ path: 'items.a.prompt', message: '`./p.md` is empty' }])
})
