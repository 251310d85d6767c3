// What a manifest means, written once more from its description and as plainly as can be: parsed objects in, wanted
// pictures out. It merges everything for every cell, knows no places and no problems, and takes its input to be right.
import { parse as parsePath } from 'node:path/posix'
import picomatch from 'picomatch'
import { findModel, parseSize } from '../../../core/models.ts'

export type Value = string | number | boolean | null | Value[] | Tree
export type Tree = { [key: string]: Value }

/** A manifest with all that it may read. Paths are relative to its folder and begin with `./`. */
export type World = {
  manifest: Tree
  /** Pictures on the disk. */
  pictures: string[]
  /** Rows of each table, as they are read: text from CSV, scalars from the others. */
  tables: Record<string, { [column: string]: Value }[]>
  profile?: string
  /** `--set`: dotted field and value. */
  set: [string, Value][]
  /** `--var`: dotted name and text. */
  vars: [string, string][]
}

export type Wanted = {
  id: string
  base: string
  sample: number
  model: string
  provider: string | undefined
  prompt: string
  size: string | undefined
  aspect: string | undefined
  parameters: Tree
  fallback: { model: string; on: Value }[]
  metadata: Record<string, string> | undefined
  tags: string[]
  output: string | undefined
  references: string[]
}

/** A value of an axis: its part of the id, and what names stand for. */
type Choice = { part: string; names: Record<string, Value> }
export type Cell = { base: string; item: string; names: Record<string, Value> }

const isTree = (value: Value | undefined): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const treeOf = (value: Value | undefined): Tree => (isTree(value) ? value : {})
const listOf = (value: Value | undefined): Value[] => (Array.isArray(value) ? value : [])

/** Scalars and lists replace, maps merge, `"..."` is the inherited list. */
export function over(lower: Value | undefined, upper: Value): Value {
  if (Array.isArray(upper)) return upper.flatMap((x) => (x === '...' ? listOf(lower) : [x]))
  if (!isTree(upper)) return upper
  const merged: Tree = { ...treeOf(lower) }
  for (const [key, value] of Object.entries(upper)) merged[key] = over(merged[key], value)
  return merged
}

/** `a.b.c` and a value as a map in a map in a map. */
function nested(dotted: string, value: Value): Tree {
  return dotted.split('.').reduceRight<Value>((inner, key) => ({ [key]: inner }), value) as Tree
}

/** All cells, in the order of the file. */
export function cellsOf(world: World): Cell[] {
  return Object.entries(treeOf(world.manifest.items)).flatMap(([item, body]) => {
    let cells: Cell[] = [{ base: item, item, names: {} }]
    for (const [axis, values] of Object.entries(treeOf(treeOf(body).matrix)))
      cells = cells.flatMap((cell) =>
        choicesOf(axis, values, world).map(({ part, names }) => ({
          base: `${cell.base}/${part}`,
          item,
          names: { ...cell.names, ...names },
        })),
      )
    const skips = listOf(treeOf(body).skip).map(treeOf)
    return cells.filter(({ names }) => !skips.some((skip) => matchesAll(skip, names)))
  })
}

function matchesAll(skip: Tree, names: Record<string, Value>): boolean {
  return Object.entries(skip).every(([name, wanted]) =>
    [wanted].flat().some((value) => String(value) === String(names[name])),
  )
}

function choicesOf(axis: string, values: Value, world: World): Choice[] {
  const choice = (part: string, whole: Value, fields: Tree): Choice => ({
    part,
    names: {
      [axis]: whole,
      ...Object.fromEntries(Object.entries(fields).map(([key, value]) => [`${axis}.${key}`, value])),
    },
  })
  if (Array.isArray(values)) return values.map((value) => choice(String(value), value, {}))
  const { table, key, glob } = treeOf(values)
  if (table !== undefined)
    return world.tables[table as string]!.map((row) => {
      // A table that is a map of rows has its keys in a column of no name; here it is `sku`.
      const { sku, ...rest } = row
      const part = fitForId(String(sku))
      const columns = Object.entries(key === undefined ? rest : row).map(([name, value]) => [
        name.replace(/[^\p{L}\p{N}_-]/gu, '_'),
        value,
      ])
      return choice(part, part, Object.fromEntries(columns))
    })
  if (glob !== undefined)
    return filesOf(glob as string, world.pictures).map((path) => {
      const { dir, base: file, name, ext } = parsePath(path)
      const below = path.slice(staticFolder(glob as string).length, -ext.length)
      const part = below.split('/').map(fitForId).join('/')
      // Beside the manifest there is no folder to name.
      const folder = dir.slice(2).split('/').at(-1)!
      return choice(part, part, { path, name, file, folder, ext: ext.slice(1) })
    })
  return Object.entries(treeOf(values)).map(([part, value]) =>
    isTree(value) || value === null ? choice(part, part, treeOf(value)) : choice(part, value, {}),
  )
}

function fitForId(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{N}._-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '')
}

/** `./photos/` of `./photos/*.jpg`. */
function staticFolder(pattern: string): string {
  return pattern.slice(0, pattern.slice(0, pattern.search(/[*?[{]/)).lastIndexOf('/') + 1)
}

function filesOf(pattern: string, files: readonly string[]): string[] {
  const matches = picomatch(pattern.slice(2))
  return files.filter((path) => matches(path.slice(2))).sort()
}

/** The pictures a manifest asks for. */
export function expand(world: World): Wanted[] {
  const { manifest } = world
  const cells = cellsOf(world)
  const bases = cells.map(({ base }) => base)
  return cells.flatMap((cell) => {
    const item = treeOf(treeOf(manifest.items)[cell.item])
    const layers = [
      treeOf(manifest.defaults),
      ...listOf(item.use).map((name) => treeOf(treeOf(manifest.presets)[name as string])),
      item,
      ...Object.entries(treeOf(manifest.overrides))
        .filter(([pattern]) => matchesId(pattern, cell.base))
        .map(([, layer]) => treeOf(layer)),
      ...(world.profile ? [treeOf(treeOf(manifest.profiles)[world.profile])] : []),
      ...world.set.map(([field, value]) => nested(field, value)),
    ]
    const fields = layers.reduce<Value>((lower, upper) => over(lower, upper), {}) as Tree
    const vars = [
      treeOf(manifest.vars),
      treeOf(fields.vars),
      ...world.vars.map(([name, value]) => nested(name, value)),
    ].reduce<Value>((lower, upper) => over(lower, upper), {}) as Tree
    return picturesOf(cell, fields, vars, bases, world)
  })
}

/** A pattern matches the whole id or any leading folder of it. */
function matchesId(pattern: string, base: string): boolean {
  const parts = base.split('/')
  return parts.some((_, n) => picomatch.isMatch(parts.slice(0, n + 1).join('/'), pattern))
}

function picturesOf(cell: Cell, fields: Tree, vars: Tree, bases: string[], world: World): Wanted[] {
  // Vars may use other names; values of axes mean what they say.
  const fixed: Record<string, Value> = { ...cell.names, id: cell.base }
  const free = flat(vars)
  const render = (value: Value, images: Record<string, string> = {}): string =>
    String(value)
      .split('$${')
      .map((text) =>
        text.replace(/\$\{([^}]+)\}/g, (_, key: string) =>
          key.startsWith('image.')
            ? images[key.slice(6)]!
            : key in fixed
              ? String(fixed[key])
              : render(free[key]!, images),
        ),
      )
      .join('${')
  const renderAll = (value: Value): Value => {
    if (Array.isArray(value)) return value.map(renderAll)
    if (isTree(value))
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, renderAll(inner)]))
    return typeof value === 'string' ? render(value) : value
  }
  const number = (value: Value): Value => (typeof value === 'string' ? Number(value) : value)

  const references: string[] = []
  const images: Record<string, string> = {}
  for (const entry of listOf(fields.refs)) {
    const own = treeOf(renderAll(isTree(entry) ? entry : { image: entry }))
    const isNamed = typeof own.image === 'string' && own.image.startsWith('@')
    const named = isNamed ? treeOf(world.manifest.refs)[(own.image as string).slice(1)]! : undefined
    const wanted: Tree = named === undefined ? own : { ...own, ...(isTree(named) ? named : { image: named }) }
    const found = sourcesOf(wanted, bases, world).slice(0, (wanted.max as number) ?? undefined)
    const ordinals = found.map((_, n) => references.length + n + 1)
    if (own.as) images[own.as as string] = inWords(ordinals)
    references.push(...found)
  }

  const parameters: Tree = {}
  for (const name of [
    'system',
    'temperature',
    'topP',
    'topK',
    'seed',
    'maxOutputTokens',
    'thinking',
    'modalities',
  ])
    if (fields[name] !== undefined) parameters[name] = renderAll(fields[name]!)
  for (const name of ['temperature', 'topP', 'topK', 'seed', 'maxOutputTokens'])
    if (parameters[name] !== undefined) parameters[name] = number(parameters[name]!)

  const text = (name: string) => (fields[name] === undefined ? undefined : render(fields[name]!))
  const output = text('output')?.replace(/\.(jpe?g|png|webp)$/i, '')
  const samples = fields.samples === undefined ? 1 : Number(render(fields.samples))
  const suffix = (n: number) => (n === 0 ? '' : `#${n + 1}`)
  return Array.from({ length: samples }, (_, n) => ({
    id: `${cell.base}${suffix(n)}`,
    base: cell.base,
    sample: n + 1,
    model: findModel(text('model')!)!.id,
    provider: text('provider'),
    prompt: render(fields.prompt!, images).trimEnd(),
    size: fields.size === undefined ? undefined : parseSize(text('size')!)!,
    aspect: text('aspect'),
    parameters,
    fallback: listOf(fields.fallback)
      .map(treeOf)
      .map(({ model, on }) => ({ model: findModel(model as string)!.id, on: on! })),
    metadata: fields.metadata
      ? (flat(treeOf(renderAll(fields.metadata))) as Record<string, string>)
      : undefined,
    tags: [...new Set(listOf(fields.tags).map((tag) => render(tag)))],
    output: output === undefined ? undefined : `${output}${suffix(n)}`,
    references,
  }))
}

/** What a reference stands for: `file:` or `url:` or `from:` with what it names. */
function sourcesOf(wanted: Tree, bases: string[], world: World): string[] {
  if (wanted.from !== undefined) {
    const from = wanted.from as string
    const wait = wanted.wait ? ' wait' : ''
    if (from.includes('#')) return [`from:${from}${wait}`]
    return bases.filter((base) => picomatch.isMatch(base, from)).map((base) => `from:${base}${wait}`)
  }
  const image = wanted.image as string
  if (image.startsWith('https:')) return [`url:${image}`]
  return filesOf(image, world.pictures).map((path) => `file:${path}`)
}

function inWords(ordinals: number[]): string {
  if (ordinals.length === 1) return `image ${ordinals[0]}`
  return `images ${ordinals.slice(0, -1).join(', ')} and ${ordinals.at(-1)}`
}

function flat(vars: Tree): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(vars).flatMap(([name, value]) =>
      isTree(value)
        ? Object.entries(value).map(([field, inner]) => [`${name}.${field}`, String(inner)])
        : [[name, String(value)]],
    ),
  )
}
