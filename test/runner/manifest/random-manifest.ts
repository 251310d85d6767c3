// Random manifests that are right: every kind of axis, every layer, references of every kind. A seed gives the same
// manifest tomorrow.
import { type Cell, cellsOf, expand, type Tree, type Value, type World } from './reference-expander.ts'

export type Random = ReturnType<typeof randomOf>

export function randomOf(seed: number) {
  let state = seed
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
  return {
    next,
    chance: (percent: number) => next(100) < percent,
    one: <T>(from: readonly T[]): T => from[next(from.length)]!,
    some: <T>(from: readonly T[]): T[] => from.filter(() => next(2) === 0),
  }
}

const URLS = ['https://x.example/1.png', 'https://x.example/2.png', 'https://x.example/3.png']

const PICTURES = [
  './logo.png',
  './photos/mug/2.jpg',
  './photos/mug/10.jpg',
  './photos/mug/side view.png',
  './photos/jug/1.jpg',
  './photos/top.jpg',
  './Zoo.png',
]

const GLOBS = ['./photos/*/*.jpg', './photos/**/*.{jpg,png}', './*.png', './photos/mug/*', './[Zl]*.png']
const REF_PATTERNS = ['./photos/mug/*.jpg', './photos/**/*.png', './photos/*/1*.jpg', './logo.png']

const ROWS: Tree[] = [
  { sku: 'm-1', name: 'Mug, "blue"', n: 7, 'my note': 'first\nsecond' },
  { sku: 'Ärm 2 / x', name: 'Jug; 16:9', n: 11, 'my note': '' },
  { sku: '#3', name: '  spaced  ', n: 0, 'my note': '${u}' },
  { sku: 4, name: 'true', n: 12, 'my note': 'no' },
]

const TABLES = [
  './t/rows.csv',
  './t/rows.tsv',
  './t/semicolons.csv',
  './t/rows.jsonl',
  './t/rows.json',
  './t/rows.yaml',
  './t/map.yaml',
]

const SEPARATORS: Record<string, string> = { './t/rows.tsv': '\t', './t/semicolons.csv': ';' }

const isText = (path: string) => /\.[ct]sv$/.test(path)

/** The rows that a table gives for rows as they were meant: CSV knows text alone. */
function rowsOf(path: string, rows: Tree[]): Tree[] {
  if (!isText(path)) return rows
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, String(v)])))
}

/** What stands in the file. */
export function tableText(path: string, rows: Tree[]): string {
  if (path.endsWith('.jsonl')) return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  if (path.endsWith('map.yaml'))
    return rows
      .map(({ sku, ...rest }) => `${JSON.stringify(String(sku))}: ${JSON.stringify(rest)}\n`)
      .join('')
  if (!isText(path)) return JSON.stringify(rows, null, 2)
  const separator = SEPARATORS[path] ?? ','
  const cell = (value: Value) => (/^[\w-]+$/.test(String(value)) ? String(value) : quoted(String(value)))
  const line = (values: Value[]) => `${values.map(cell).join(separator)}\r\n`
  return `\uFEFF${line(Object.keys(rows[0]!))}${rows.map((row) => line(Object.values(row))).join('')}`
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

export function worldOf(random: Random): World {
  const { chance, one, next, some } = random
  const isThinking = chance(30)
  const layer = (templates: readonly string[]) => fields(random, templates, isThinking)
  const used = some(TABLES)
  const tables = Object.fromEntries(
    used.map((path) => [path, rowsOf(path, ROWS.slice(0, 1 + next(ROWS.length)))]),
  )
  const items: Tree = {}
  for (let n = 0; n < 1 + next(4); n++) {
    const { matrix, templates } = axesOf(random, used)
    items[`item${n}`] = {
      ...layer([...templates, '${v}', '${id}', '$${v}', 'plain']),
      ...(chance(60) ? { use: Array.from({ length: next(3) }, () => one(['one', 'two', 'three'])) } : {}),
      ...(Object.keys(matrix).length > 0 ? { matrix } : {}),
    }
  }
  const world: World = {
    manifest: {
      vars: { u: 'top-u', v: 'see ${u}', number: '3', light: { soft: 'dim ${u}', hard: 'noon' } },
      refs: { logo: './logo.png', mugs: { image: './photos/mug/*.jpg', max: 1 }, far: URLS[0]! },
      defaults: { model: 'nano-banana-2', prompt: 'always ${v}', ...layer(['${v}', '${light.soft}']) },
      presets: Object.fromEntries(['one', 'two', 'three'].map((name) => [name, layer(['${u}', '${id}'])])),
      items,
    },
    pictures: [...PICTURES],
    tables,
    set: [],
    vars: [],
  }
  skipSome(world, random)
  overrideSome(world, random, layer)
  if (chance(40)) {
    world.manifest.profiles = { draft: layer(['${v}']), final: layer(['${u}']) }
    if (chance(70)) world.profile = one(['draft', 'final'])
  }
  const settings: [string, Value][] = [
    ['size', '4K'],
    ['metadata.m', 'set'],
    ['tags', ['...', 'set']],
    ['tags', ['first', '...', 'set']],
    ['samples', 2],
    ['seed', 5],
    ['refs', ['./logo.png', '...']],
    ['vars.u', 'set ${number}'],
  ]
  while (chance(35)) world.set.push(one(settings))
  const variables: [string, string][] = [
    ['u', 'flag'],
    ['light.soft', 'lamp'],
    ['v', 'of ${u}'],
  ]
  while (chance(25)) world.vars.push(one(variables))
  deriveSome(world, random)
  return world
}

function fields(random: Random, templates: readonly string[], isThinking: boolean): Tree {
  const { chance, one, next } = random
  const template = one(templates)
  return {
    ...(chance(50) ? { size: one<Value>(['1K', '2k', '4K']) } : {}),
    ...(chance(50) ? { aspect: one(['1:1', '16:9', '4:5']) } : {}),
    ...(chance(20) ? { model: one(['nano-banana-pro', 'gemini-3.1-flash-image', 'nano-banana-2']) } : {}),
    ...(chance(20) ? { provider: one(['google', isThinking ? 'google' : 'apiyi']) } : {}),
    ...(chance(40) ? { seed: one<Value>([next(9), '${number}']) } : {}),
    ...(chance(20) ? { temperature: one<Value>([0, 0.5, '1.${number}']) } : {}),
    ...(chance(20) ? { system: `you are ${template}` } : {}),
    ...(chance(30) ? { samples: one<Value>([1, 2, 3, '${number}']) } : {}),
    ...(chance(20)
      ? { fallback: [{ model: 'nano-banana-2.1', on: one([['unavailable'], ['no_image', 'failed']]) }] }
      : {}),
    ...(chance(20) && isThinking ? { thinking: one<Tree>([{ level: 'high' }, { budget: next(99) }]) } : {}),
    ...(chance(10) ? { modalities: ['TEXT', 'IMAGE'] } : {}),
    ...(chance(40)
      ? { metadata: { [one(['m', 'n'])]: one<Value>([`${template}${next(3)}`, next(3), true]) } }
      : {}),
    ...(chance(40) ? { vars: { [one(['u', 'v'])]: `own${next(5)}` } } : {}),
    ...(chance(20) ? { vars: { light: { soft: 'own light' } } } : {}),
    ...(chance(30) ? { tags: [...(chance(50) ? ['...'] : []), one(['shop', 'hero', 't${number}'])] } : {}),
    ...(chance(20) ? { output: one(['pics/${id}', 'pics/${id}.png', '${id}-final.JPG']) } : {}),
    ...(chance(40) ? { refs: refsOf(random) } : {}),
    ...(chance(30) ? { prompt: `p${next(5)} ${template}${one(['', '\n', ' ${light.hard}'])}` } : {}),
  }
}

function refsOf({ chance, one }: Random): Value[] {
  return [
    one<Value>([one(URLS), '@logo', '@mugs', '@far', { image: one(REF_PATTERNS), max: 2 }]),
    ...(chance(50) ? ['...'] : []),
    ...(chance(50)
      ? [one<Value>([one(URLS), one(REF_PATTERNS), { image: './none/*.png', optional: true }])]
      : []),
  ]
}

/** Axes of every kind, and templates that use them. */
function axesOf({ chance, next, one }: Random, tables: string[]): { matrix: Tree; templates: string[] } {
  const matrix: Tree = {}
  const templates: string[] = []
  const axis = (name: string, value: Value, ...texts: string[]) => {
    matrix[name] = value
    templates.push(...texts)
  }
  if (chance(50)) axis('x', ['a', 'b', 7].slice(0, 1 + next(3)), '${x}')
  if (chance(40)) axis('y', { p: { f: 'F1' }, q: { f: 'F2 of ${u}', g: 'G' } }, '${y}-${y.f}')
  if (chance(20)) axis('z', { wide: '16:9', tall: null }, '${z}')
  if (chance(40) && tables.length > 0) {
    const table = one(tables)
    const isMap = table.endsWith('map.yaml')
    axis(
      'row',
      isMap ? { table } : { table, key: 'sku' },
      isMap ? '${row} ${row.name}' : '${row} ${row.sku} ${row.name}',
      '${row.my_note}${row.n}',
    )
  }
  if (chance(20))
    axis(
      'photo',
      { glob: one(GLOBS) },
      '${photo} ${photo.path} ${photo.name}',
      '${photo.file} ${photo.folder}.${photo.ext}',
    )
  return { matrix, templates }
}

/** Leaves cells out of some items: what each entry says is true of a cell, and something is left. */
function skipSome(world: World, { chance, one, some }: Random): void {
  for (const [item, body] of Object.entries(world.manifest.items as Tree)) {
    const cells = cellsOf(world).filter((cell) => cell.item === item)
    if (!chance(40) || cells.length < 2) continue
    const { names } = one(cells)
    const [first, ...rest] = Object.keys(names)
    const entry = Object.fromEntries([first!, ...some(rest)].map((name) => [name, names[name]!]))
    if (Object.values(entry).some((value) => typeof value === 'string' && value.includes('${'))) continue
    const tree = body as Tree
    tree.skip = [entry]
    if (!cellsOf(world).some((cell) => cell.item === item)) delete tree.skip
  }
}

function overrideSome(world: World, { chance, one }: Random, layer: (templates: string[]) => Tree): void {
  if (!chance(50)) return
  const cells = cellsOf(world)
  const patternOf = ({ base, item }: Cell) =>
    one([base, item, base.replace(/\/[^/]+$/, '/*'), '**', `{${item},nobody}`, `${item}*`])
  const patterns = [patternOf(one(cells)), patternOf(one(cells))]
  world.manifest.overrides = Object.fromEntries(
    patterns.map((pattern) => [pattern, layer(['${v}', '${id}'])]),
  )
}

/** Lets the last item be made from pictures of others. */
function deriveSome(world: World, { chance, one }: Random): void {
  const items = world.manifest.items as Tree
  const names = Object.keys(items)
  const last = items[names.at(-1)!] as Tree
  if (names.length < 2 || !chance(60)) return
  const target = one(names.slice(0, -1))
  const { id, base } = one(expand(world).filter((wanted) => wanted.base.split('/')[0] === target))
  const from = one([base, id, base.includes('/') ? `${target}/**` : target, base.replace(/[^/]+$/, '*')])
  last.refs = [
    { from, as: 'made', max: 2, ...(chance(30) ? { wait: 'pick' } : {}) },
    { image: './logo.png', as: 'logo' },
  ]
  last.prompt = 'From ${image.made} and ${image.logo}, ${u}.'
  // A layer above the item may replace the references and leave the prompt that counts them.
  if (expand(world).some(({ prompt }) => prompt.includes('undefined'))) {
    delete last.refs
    delete last.prompt
  }
}
