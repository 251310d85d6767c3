// The plan of the house, read from its sources: which way the arrows run, and where effects may be. An allowance that
// nobody uses any more fails as well, so that the list stays as short as it can be.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')

const FOLDERS = ['core', 'worker', 'runner', 'emulator'] as const

/** Path from the root, with `/`, and the text without its comments. */
type Source = { path: string; code: string }

const SOURCES: Source[] = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.includes('node_modules'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .map((path) => ({ path, code: withoutComments(readFileSync(join(ROOT, path), 'utf8')) })),
)

function withoutComments(text: string): string {
  // A line comment begins a line or follows white space: `https://` in a string does neither.
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

/** What a source imports: packages as they are, files as paths from the root. */
function importsOf({ path, code }: Source): string[] {
  const specifiers = code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)
  return [...specifiers].map(([, name]) =>
    name!.startsWith('.') ? normalize(join(dirname(path), name!)).replaceAll('\\', '/') : name!,
  )
}

const inFolder = (folder: string) => SOURCES.filter(({ path }) => path.startsWith(`${folder}/`))

/** The sources in which a pattern occurs. */
const holding = (pattern: RegExp, sources = SOURCES) =>
  sources.filter(({ code }) => pattern.test(code)).map(({ path }) => path)

test('there is something to read in every folder', () => {
  for (const folder of FOLDERS) expect(inFolder(folder).length, folder).toBeGreaterThan(5)
  expect(importsOf(inFolder('core').find((s) => s.path === 'core/routes.ts')!)).toContain('core/models.ts')
})

describe('arrows run one way', () => {
  test.for([
    ['core', ['core']],
    ['worker', ['worker', 'core']],
    ['runner', ['runner', 'core']],
    ['emulator', ['emulator', 'core']],
  ] as const)('%s imports files of %j only', ([folder, allowed]) => {
    const strays = inFolder(folder).flatMap((source) =>
      importsOf(source)
        .filter((name) => /^[\w.]+\/.*\.(ts|js|json)$/.test(name))
        .filter((name) => !allowed.some((own) => name.startsWith(`${own}/`)))
        .map((name) => `${source.path} imports ${name}`),
    )
    expect(strays).toEqual([])
  })
})

describe('core is pure', () => {
  test('it imports zod and itself, nothing else', () => {
    const packages = inFolder('core')
      .flatMap(importsOf)
      .filter((name) => !name.startsWith('core/'))
    expect([...new Set(packages)]).toEqual(['zod'])
  })

  test.for([
    // Date.parse reads a text; it does not tell the time.
    ['a clock', /\bnew Date\b|\bDate\.(?!parse\b)|\bperformance\b|\bset(Timeout|Interval)\b/],
    ['chance', /\bMath\.random\b|\bcrypto\b/],
    ['a console', /\bconsole\b/],
    ['a process', /\bprocess\b|\bBuffer\b|\bnode:/],
    ['the network', /(?<![.\w])fetch\b\s*[(,)]|\bglobalThis\b|\bXMLHttpRequest\b|\bWebSocket\b/],
  ] as const)('it does not know %s', ([, pattern]) => {
    // Strings are words for people: they may say what the code may not do.
    const spoken = inFolder('core').map((source) => ({
      ...source,
      code: source.code.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''"),
    }))
    expect(holding(pattern, spoken)).toEqual([])
  })
})

describe('effects are at the rim', () => {
  test.for<[string, RegExp, string[]]>([
    [
      'Date.now',
      /\bDate\.now\b|\bnew Date\(\)/,
      [
        'worker/batches/object.ts',
        'worker/generation/object.ts',
        'worker/generation/shield.ts',
        'worker/index.ts',
        'worker/money/account.ts',
        'worker/providers/gate.ts',
        'runner/cli.ts',
        'emulator/clock.ts',
      ],
    ],
    ['Math.random', /\bMath\.random\b/, []],
    ['console', /\bconsole\./, ['worker/log.ts']],
    ['process.env', /\bprocess\.env\b/, ['runner/cli.ts', 'runner/local/serve.ts']],
  ])('%s', ([, pattern, rim]) => expect(holding(pattern).sort()).toEqual(rim.sort()))

  test('the global fetch', () => {
    // A function that takes `fetch` as an argument calls that one; an object that has one of its own makes it of the
    // global one.
    const takesItsOwn = /[(,]\s*fetch: \w+,?[^{;]*\)[^{;]*\{/
    const callers = SOURCES.filter(({ code }) => !takesItsOwn.test(code))
    const named = holding(/\bglobalThis\.fetch\b|=> fetch\(/)
    const called = holding(/(?<![.\w])fetch\(/, callers)
    expect([...new Set([...named, ...called])].sort()).toEqual([
      'runner/cli.ts',
      'worker/batches/object.ts',
      'worker/generation/ask.ts',
      'worker/generation/object.ts',
    ])
  })
})
