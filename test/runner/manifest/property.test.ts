// Random manifests against an expander written once more, as plainly as possible: no layers of places, no templates read
// beforehand, no scopes. Seeds are fixed, so a failure is the same failure tomorrow.
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { items } from './fixture.ts'

type Json = string | number | Json[] | { [key: string]: Json }
type Tree = { [key: string]: Json }
type Document = {
  vars: Record<string, string>
  defaults: Tree
  presets: Record<string, Tree>
  items: Record<string, Tree>
}

function randomOf(seed: number) {
  let state = seed
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
  return {
    next,
    chance: (percent: number) => next(100) < percent,
    one: <T>(from: readonly T[]): T => from[next(from.length)]!,
  }
}
type Random = ReturnType<typeof randomOf>

const URLS = ['https://x.example/1.png', 'https://x.example/2.png', 'https://x.example/3.png']

function fields(random: Random, template: string): Tree {
  const { chance, one, next } = random
  return {
    ...(chance(50) ? { size: one(['1K', '2K', '4K']) } : {}),
    ...(chance(50) ? { aspect: one(['1:1', '16:9', '4:5']) } : {}),
    ...(chance(40) ? { seed: next(9) } : {}),
    ...(chance(30) ? { samples: 1 + next(3) } : {}),
    ...(chance(40) ? { metadata: { [one(['m', 'n'])]: `${template}${next(3)}` } } : {}),
    ...(chance(40) ? { vars: { [one(['u', 'v'])]: `own${next(5)}` } } : {}),
    ...(chance(40) ? { refs: [one(URLS), ...(chance(50) ? ['...'] : []), one(URLS)] } : {}),
    ...(chance(30) ? { prompt: `p${next(5)} ${template}` } : {}),
  }
}

function documentOf(random: Random): Document {
  const { next, one, chance } = random
  const presets = Object.fromEntries(['one', 'two', 'three'].map((name) => [name, fields(random, '${u}')]))
  const made = Array.from({ length: 1 + next(4) }, (_, n): [string, Tree] => {
    const axes: Tree = {}
    if (chance(60)) axes.x = ['a', 'b', 7].slice(0, 1 + next(3))
    if (chance(50)) axes.y = { p: { f: 'F1' }, q: { f: 'F2', g: 'G' } }
    if (chance(20)) axes.z = { wide: '16:9' }
    const uses = Array.from({ length: next(3) }, () => one(['one', 'two', 'three']))
    const names = [
      ...('x' in axes ? ['${x}'] : []),
      ...('y' in axes ? ['${y}-${y.f}'] : []),
      ...('z' in axes ? ['${z}'] : []),
    ]
    const template = one([...names, '${v}', '${id}', '$${v}', 'plain'])
    return [`item${n}`, { ...fields(random, template), use: uses, matrix: axes }]
  })
  return {
    vars: { u: 'top-u', v: 'see ${u}' },
    defaults: { model: 'nano-banana-2', prompt: 'always ${v}', ...fields(random, '${v}') },
    presets,
    items: Object.fromEntries(made),
  }
}

const isTree = (value: Json | undefined): value is Tree => typeof value === 'object' && !Array.isArray(value)

function over(lower: Json | undefined, upper: Json): Json {
  if (Array.isArray(upper))
    return upper.flatMap((x) => (x === '...' ? (Array.isArray(lower) ? lower : []) : [x]))
  if (!isTree(upper)) return upper
  const merged: Tree = isTree(lower) ? { ...lower } : {}
  for (const key of Object.keys(upper)) merged[key] = over(merged[key], upper[key]!)
  return merged
}

function naive({ vars, defaults, presets, items: all }: Document) {
  return Object.entries(all).flatMap(([name, item]) => {
    const uses = (item.use as string[]).map((use) => presets[use]!)
    const whole = [defaults, ...uses, item].reduce<Json>((lower, upper) => over(lower, upper), {}) as Tree
    let cells: { id: string; names: Record<string, string> }[] = [{ id: name, names: {} }]
    for (const [axis, values] of Object.entries(item.matrix as Tree)) {
      const entries = Array.isArray(values)
        ? values.map((v) => [String(v), v] as const)
        : Object.entries(values)
      cells = cells.flatMap((cell) =>
        entries.map(([id, value]) => {
          const names: Record<string, string> = { ...cell.names, [axis]: isTree(value) ? id : String(value) }
          if (isTree(value))
            for (const [field, v] of Object.entries(value)) names[`${axis}.${field}`] = String(v)
          return { id: `${cell.id}/${id}`, names }
        }),
      )
    }
    return cells.flatMap(({ id, names }) => {
      const scope: Record<string, string> = {
        ...vars,
        ...((whole.vars as Record<string, string>) ?? {}),
        ...names,
        id,
      }
      const render = (text: string): string =>
        text
          .split('$${')
          .map((part) => part.replace(/\$\{([^}]+)\}/g, (_, key: string) => render(scope[key]!)))
          .join('${')
      const metadata = whole.metadata as Record<string, string> | undefined
      return Array.from({ length: (whole.samples as number) ?? 1 }, (_, n) => ({
        id: n === 0 ? id : `${id}#${n + 1}`,
        sample: n + 1,
        prompt: render(whole.prompt as string),
        size: whole.size,
        aspect: whole.aspect,
        seed: whole.seed,
        metadata: metadata && Object.fromEntries(Object.entries(metadata).map(([k, v]) => [k, render(v)])),
        urls: ((whole.refs as string[]) ?? []).map(render),
      }))
    })
  })
}

async function loaded(document: Json) {
  const made = await items(stringify(document, { aliasDuplicateObjects: false }))
  return made.map(({ id, sample, prompt, size, aspect, parameters, metadata, references }) => ({
    id,
    sample,
    prompt,
    size,
    aspect,
    seed: parameters.seed,
    metadata,
    urls: references.map((reference) => reference.kind === 'url' && reference.url),
  }))
}

const reversed = (tree: Tree): Tree => Object.fromEntries(Object.entries(tree).reverse())

const SEEDS = Array.from({ length: 150 }, (_, n) => n + 1)

test('random manifests expand like a naive expander', async () => {
  let pictures = 0
  for (const seed of SEEDS) {
    const document = documentOf(randomOf(seed))
    const expected = naive(document)
    expect(await loaded(document), `seed ${seed}`).toEqual(expected)
    pictures += expected.length
  }
  expect(pictures).toBeGreaterThan(1000)
})

test('the order of keys in defaults, presets and vars does not matter', async () => {
  for (const seed of SEEDS) {
    const document = documentOf(randomOf(seed))
    const presets = Object.fromEntries(
      Object.entries(document.presets).map(([name, preset]) => [name, reversed(preset)]),
    )
    const turned = {
      items: document.items,
      presets: reversed(presets),
      defaults: reversed(document.defaults),
      vars: reversed(document.vars),
    }
    expect(await loaded(turned), `seed ${seed}`).toEqual(await loaded(document))
  }
})
