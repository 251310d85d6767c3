// What leaves the catalog: which pictures, and how each format says them.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'csv-parse/sync'
import { describe, expect, test } from 'vitest'
import { type Format, formatted } from '../../runner/catalog/formats.ts'
import { catalogOf, type Picture } from '../../runner/catalog/pictures.ts'
import type { Plan } from '../../runner/plan/plan.ts'
import { notesOn } from '../../runner/views/export.ts'
import { entry, item, plan } from './items.ts'

const TSC = join(import.meta.dirname, '..', '..', 'node_modules', 'typescript', 'bin', 'tsc')

function picture(changes: Partial<Picture> = {}): Picture {
  return {
    url: 'https://pictures.example/a.png',
    width: 4,
    height: 5,
    mimeType: 'image/png',
    bytes: 3,
    sha256: '0'.repeat(64),
    sample: 1,
    tags: [],
    metadata: {},
    provider: 'google',
    model: 'gemini-3-pro-image',
    cost: 0.055,
    file: null,
    emulated: false,
    ...changes,
  }
}

/** A plan of these ids, all made but those that are named; marks by id. */
function made(
  ids: string[],
  { missing = [] as string[], marks = {} as Record<string, 'picked' | 'rejected'> } = {},
): Plan {
  const before = plan(ids.map((id) => item(id)))
  const entries = before.items
    .filter((p) => !missing.includes(p.item.id))
    .map((p) => entry(p, marks[p.item.id] ? { review: marks[p.item.id]! } : {}))
  return plan(
    ids.map((id) => item(id)),
    new Map(entries.map((e) => [e.id, e])),
  )
}

const export_ = (made: Plan, allSamples = false) => {
  const { pictures, left } = catalogOf(made, { allSamples }, () => null)
  return {
    ids: [...pictures].map(([id, p]) => `${id} ${p.url.split('/').at(-1)}`),
    left: Object.fromEntries(left),
  }
}

describe('what is exported', () => {
  test('is what is made; what is not is counted by reason', () => {
    expect(export_(made(['a', 'b', 'c'], { missing: ['b'] }))).toEqual({
      ids: ['a a.png', 'c c.png'],
      left: { new: 1 },
    })
  })

  test('is one picture for all samples: the picked one, under the id they share', () => {
    const samples = ['a', 'a#2', 'a#3']
    expect(export_(made(samples)).ids).toEqual(['a a.png'])
    expect(export_(made(samples, { marks: { 'a#2': 'picked' } })).ids).toEqual(['a a#2.png'])
  })

  test('is, of samples without a pick, the first that is made and not rejected', () => {
    const samples = ['a', 'a#2', 'a#3']
    const some = made(samples, { missing: ['a'], marks: { 'a#2': 'rejected' } })
    expect(export_(some)).toEqual({ ids: ['a a#3.png'], left: {} })
    const none = made(samples, { missing: ['a', 'a#3'], marks: { 'a#2': 'rejected' } })
    expect(export_(none)).toEqual({ ids: [], left: { new: 2, rejected: 1 } })
  })

  test('is every sample on request, but no rejected one', () => {
    const all = made(['a', 'a#2', 'a#3'], { marks: { 'a#2': 'rejected' } })
    expect(export_(all, true)).toEqual({ ids: ['a a.png', 'a#3 a#3.png'], left: { rejected: 1 } })
  })

  test('is what is selected only', () => {
    const lock = new Map(plan([item('a'), item('b')]).items.map((p) => [p.item.id, entry(p)]))
    expect(export_(plan([item('a'), item('b')], lock, { selected: ['b'] }))).toEqual({
      ids: ['b b.png'],
      left: {},
    })
  })
})

describe('JSON', () => {
  test('is a map of id to picture', () => {
    const text = formatted(new Map([['a/b', picture({ tags: ['hero'] })]]), 'json')
    expect(JSON.parse(text)).toEqual({ 'a/b': picture({ tags: ['hero'] }) })
  })
})

describe('CSV', () => {
  test('is read back as it was: commas, quotes, line ends, unknown figures', () => {
    const metadata = { note: 'a "quoted", thing\r\nwith lines' }
    const text = formatted(
      new Map([
        ['a', picture({ metadata, tags: ['hero', 'shop'], cost: null, width: null })],
        ['b', picture({ metadata: { sku: '1' }, emulated: true })],
      ]),
      'csv',
    )
    expect(text.replaceAll(/"[^"]*"/g, '').split('\r\n')).toHaveLength(4)
    const rows: Record<string, string>[] = parse(text, { columns: true, record_delimiter: '\r\n' })
    expect(rows[0]).toMatchObject({
      id: 'a',
      tags: 'hero shop',
      cost: '',
      width: '',
      'metadata.note': metadata.note,
      'metadata.sku': '',
    })
    expect(rows[1]).toMatchObject({
      id: 'b',
      cost: '0.055',
      emulated: 'true',
      'metadata.note': '',
      'metadata.sku': '1',
    })
  })
})

describe('TypeScript', () => {
  test('has types that know the ids', async () => {
    const ids = ['packshot/mug#2', "it's", '__proto__', 'a\u2028b']
    const metadata = { sku: 'ff-1' }
    const errors = await typeErrors(
      new Map(ids.map((id) => [id, picture({ metadata, width: null })])),
      `const id: Id = "packshot/mug#2"
       const own: Id = "__proto__"
       const url: string = catalog[id].url
       const any: Picture = catalog[own]
       const sku: "ff-1" = catalog["it's"].metadata.sku
       // @ts-expect-error: it is read-only
       catalog[id].cost = 1
       // @ts-expect-error: there is no such picture
       const wrong: Id = "packshot/mgu"
       export const used = [url, any, sku, wrong]`,
    )
    expect(errors).toBe('')
  }, 60_000)

  test('has every id when it runs, whatever it is called', async () => {
    const text = formatted(
      new Map([
        ['__proto__', picture()],
        ['constructor', picture()],
      ]),
      'ts',
    )
    const code = `import('data:text/javascript,' + encodeURIComponent(require('node:module').stripTypeScriptTypes(process.argv[1])))
      .then(({ catalog }) => console.log(Object.keys(catalog).join()))`
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', code, text])
    expect(stdout).toBe('__proto__,constructor\n')
  })

  test('of nothing has no id', async () => {
    expect(
      await typeErrors(
        new Map(),
        'export const none: Id[] = []; export type P = Picture; export const all = catalog',
      ),
    ).toBe('')
  }, 60_000)
})

test('an export says what it leaves out, what is a stand-in and which addresses are of no use elsewhere', () => {
  const catalog = {
    pictures: new Map([
      ['a', picture({ emulated: true, url: 'http://127.0.0.1:8787/images/a.png' })],
      ['b', picture()],
    ]),
    left: new Map([
      ['new', 2],
      ['rejected', 1],
    ]),
  }
  expect(notesOn(catalog, { manifest: 'shop.yaml', output: 'src/catalog.ts' })).toEqual([
    '2 pictures written to src/catalog.ts',
    'left out: 2 not made yet, 1 rejected (proofsheet run shop.yaml makes what can be made)',
    '1 picture drawn by the emulator: a stand-in, marked as such',
    '1 address leads to this machine and answers only while this runs: proofsheet dev shop.yaml',
  ])
  expect(
    notesOn({ pictures: new Map(), left: new Map([['rejected', 1]]) }, { manifest: 'shop.yaml' }),
  ).toEqual(['no picture is made yet, so the export is empty', 'left out: 1 rejected'])
})

/** What the compiler says of an export and of a program that uses it. */
async function typeErrors(pictures: ReadonlyMap<string, Picture>, use: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'proofsheet-export-'))
  try {
    writeFileSync(join(folder, 'catalog.ts'), formatted(pictures, 'ts' satisfies Format))
    writeFileSync(
      join(folder, 'use.ts'),
      `import { catalog, type Id, type Picture } from './catalog.ts'\n${use}\n`,
    )
    const flags = [
      '--noEmit',
      '--strict',
      '--target',
      'es2022',
      '--module',
      'nodenext',
      '--allowImportingTsExtensions',
      '--ignoreConfig',
    ]
    await promisify(execFile)(process.execPath, [TSC, ...flags, 'use.ts'], { cwd: folder })
    return ''
  } catch (error) {
    return `${(error as { stdout?: string }).stdout}${(error as { stderr?: string }).stderr}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
