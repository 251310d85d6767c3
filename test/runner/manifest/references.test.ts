// References that are several, or none: patterns of files and of ids, `max`, `optional`, `wait`, and how the prompt counts them.
import { expect, test } from 'vitest'
import { loadManifest } from '../../../runner/manifest/load.ts'
import { type Disk, effectsOf, items, load, market, png } from './fixture.ts'

const DISK: Disk = {
  'p/b.jpg': png,
  'p/a.jpg': png,
  'p/c.jpg': png,
  'odd[1].jpg': png,
  'odd1.jpg': png,
  'logo.png': png,
}
const MODEL = 'defaults: { model: nano-banana-2, prompt: x }\n'
const TOP = `refs: { many: { image: "p/*.jpg", max: 2 }, logo: logo.png, maybe: { image: none.png, optional: true }, cells: { from: "a/*" } }\n`
const ITEMS = 'items:\n  a: { matrix: { x: [r, q] }, samples: 2 }\n'
const load1 = (refs: string, prompt = 'x') =>
  load(`${TOP}${MODEL}${ITEMS}  z: { refs: ${refs}, prompt: "${prompt}" }`, DISK)

const wanted = async (refs: string, prompt?: string) => {
  const { manifest, diagnostics } = await load1(refs, prompt)
  const item = manifest?.items.at(-1)
  if (!item) throw new Error(diagnostics.map((d) => d.message).join())
  return {
    prompt: item.prompt,
    names: item.references.map((r) => ('shown' in r ? r.shown : 'item' in r ? r.item : r.url)),
  }
}

test.for([
  ['a pattern is every file that matches, sorted', '["p/*.jpg"]', ['p/a.jpg', 'p/b.jpg', 'p/c.jpg']],
  ['max takes the first ones', '[{ image: "p/*.jpg", max: 2 }]', ['p/a.jpg', 'p/b.jpg']],
  ['a file that has the name itself is no pattern', '["odd[1].jpg"]', ['odd[1].jpg']],
  ['a name stands for its map', '["@many", "@logo"]', ['p/a.jpg', 'p/b.jpg', 'logo.png']],
  ['an entry has the last word over a name', '[{ image: "@many", max: 1 }]', ['p/a.jpg']],
  ['what is optional may be missing', '["@maybe", { image: "q/*", optional: true }, "@logo"]', ['logo.png']],
  ['an optional empty text names no picture', '[{ image: "", optional: true }, "@logo"]', ['logo.png']],
  ['what is optional and there is taken', '[{ image: logo.png, optional: true }]', ['logo.png']],
  ['a from pattern is every match in the order of the manifest', '[{ from: "a/*" }]', ['a/r', 'a/q']],
  ['a name may stand for items', '["@cells"]', ['a/r', 'a/q']],
  ['max holds for items too', '[{ from: "{a,b}/*", max: 1 }]', ['a/r']],
  ['a sample can be named', '[{ from: "a/q#2" }]', ['a/q#2']],
  ['an optional from may name nothing', '[{ from: b, optional: true }, { from: "b/*", optional: true }]', []],
] as const)('%s', async ([, refs, expected]) => expect((await wanted(refs)).names).toEqual(expected))

test.for([
  ['one is an image', '[{ image: logo.png, as: i }]', 'image 1'],
  ['two are images', '["@logo", { image: "@many", as: i }]', 'images 2 and 3'],
  ['three are a list', '[{ image: "p/*.jpg", as: i }, "@logo"]', 'images 1, 2 and 3'],
  ['what is missing is not counted', '["@maybe", { from: "a/*", as: i }]', 'images 1 and 2'],
] as const)('in the prompt %s', async ([, refs, expected]) =>
  expect((await wanted(refs, '${image.i}')).prompt).toBe(expected),
)

test('wait is handed on, on every item of a pattern', async () => {
  const { manifest } = await load1('[{ from: "a/*", wait: pick, as: i }]')
  expect(manifest?.items.at(-1)?.references).toEqual([
    { kind: 'from', item: 'a/r', wait: 'pick', as: 'i' },
    { kind: 'from', item: 'a/q', wait: 'pick', as: 'i' },
  ])
})

test.for([
  ['["q/*"]', 'no file matches `q/*`'],
  ['[{ image: "@many", as: i }, "@none"]', 'no reference is called `@none`'],
  ['[{ image: none.png }]', 'there is no file `none.png`'],
  ['[{ from: "b/*" }]', 'no id matches `b/*`'],
  ['[{ from: "a/*#2" }]', '`a/*#2` is a pattern of pictures, not of samples'],
  ['[{ from: "a/r#3" }]', 'nothing is called `a/r#3`'],
  ['[{ from: "*" }]', 'waits for itself: z → z'],
  ['[{ from: "a/r#0" }]', 'nothing is called `a/r#0`'],
  ['[{ from: a/r, wait: now }]', 'must be pick, is "now"'],
  ['[{ image: logo.png, max: 0 }]', 'must be at least 1, is 0'],
  ['[{ image: logo.png, optional: maybe }]', 'must be true or false, is "maybe"'],
] as const)('%s is an error', async ([refs, message]) => {
  const { diagnostics } = await load1(refs)
  expect(diagnostics.map((d) => d.message)).toEqual([message])
})

test('a name of an optional picture that is missing cannot be used', async () => {
  const { diagnostics } = await load1('[{ image: "@maybe", as: i }]', '${image.i}')
  expect(diagnostics).toMatchObject([{ message: '`image.i` is optional and has no picture here' }])
})

test('what a pattern matches is judged like any picture', async () => {
  const { diagnostics } = await load(`${MODEL}items: { z: { refs: ["*.pdf"] } }`, {
    'a.pdf': { sha256: 'c', bytes: 9 },
  })
  expect(diagnostics).toMatchObject([{ message: '`a.pdf` is no PNG, JPEG, WebP, HEIC or HEIF picture' }])
})

test('more than a provider takes in one request is an error', async () => {
  const disk = Object.fromEntries(
    [...'abcdefghijkl'].map((name) => [`${name}.png`, { ...png, bytes: 7 * 1024 * 1024 }]),
  )
  const { diagnostics } = await load(`${MODEL}items: { z: { refs: ["*.png"] } }`, disk)
  expect(diagnostics).toMatchObject([
    {
      path: 'items.z.refs',
      message: 'are 113 MiB together once encoded; google takes 100 MiB',
      hint: 'use fewer or smaller references',
    },
  ])
})

test('ten thousand patterns of ids are found in a moment', async () => {
  const rows = Array.from({ length: 10_000 }, (_, n) => `v${n}`).join('\n')
  const axis = '{ table: t.csv, key: k }'
  const yaml = `${MODEL}items:
  a: { matrix: { x: ${axis} }, prompt: "\${x}" }
  b: { matrix: { x: ${axis} }, prompt: "\${x}", refs: [{ from: "a/\${x}{,y}" }] }
`
  const start = performance.now()
  expect(await items(yaml, { 't.csv': `k\n${rows}` })).toHaveLength(20_000)
  // About a second on an idle machine (2 cores, 2026-11); asking every id takes minutes.
  expect(performance.now() - start).toBeLessThan(20_000)
})

test.for([
  ['an axis', 'z: { matrix: { p: { glob: "./locked/*.png" } }, prompt: "${p}" }'],
  ['a reference', 'z: { refs: ["./locked/*.png"] }'],
  ['an optional reference', 'z: { refs: [{ image: "./locked/*.png", optional: true }] }'],
] as const)('a folder that may not be read is told where %s looks into it', async ([, item]) => {
  const fx = {
    ...effectsOf({ 'catalog.yaml': `${MODEL}items: { ${item} }` }),
    listFiles: async () => ({ folder: 'locked', unreadable: 'EACCES' }),
  }
  const { diagnostics } = await loadManifest('/shop/catalog.yaml', market, fx)
  expect(diagnostics.map(({ message, hint }) => [message, hint])).toEqual([
    [
      'the folder `locked` may not be read (EACCES)',
      'change its permissions, or run as a user that may read it',
    ],
  ])
})

test.for([
  ['[{ image: logo.png, wait: pick }]', '`wait` belongs to {from}'],
  ['[{ image: logo.png, as: i, optionl: true }]', 'did you mean `optional`?'],
  ['[{ from: a/r, wiat: pick }]', 'did you mean `wait`?'],
] as const)('%s has an unknown key, and is told what is known of it', async ([refs, hint]) => {
  const { diagnostics } = await load1(refs)
  expect(diagnostics).toMatchObject([{ message: expect.stringMatching(/^unknown key/), hint }])
})

test('a name is not called missing where the section of names is broken', async () => {
  const yaml =
    'refs: 5\nitems: { a: { model: nano-banana-2, prompt: "${image.l}", refs: ["@logo", { image: "@logo", as: l }] } }'
  expect((await load(yaml)).diagnostics.map(({ path }) => path)).toEqual(['refs'])
})

test.for([['"@other"'], ['{ image: "@other" }']] as const)(
  'a name of a name is a path that begins with @: %s',
  async ([named]) => {
    const yaml = `refs: { logo: ${named}, other: ./o.png }\nitems: { a: { model: nano-banana-2, prompt: x, refs: ["@logo", "@other"] } }`
    const made = await items(yaml, { '@other': png, 'o.png': png })
    expect(made[0]?.references).toMatchObject([{ path: '/shop/@other' }, { path: '/shop/o.png' }])
  },
)
