// What `--set` and `--var` write is read as a manifest would write it, and what cannot be is told at the flag.
import { expect, test } from 'vitest'
import { items, load, problems, type SomeLayers } from './fixture.ts'

const WORLD = `
vars: { tone: { warm: oat, cold: ash } }
defaults: { model: nano-banana-2, prompt: "\${tone.warm} \${tone.cold}" }
items: { a: {} }
`
const promptOf = async (layers: SomeLayers) => (await items(WORLD, {}, layers))[0]?.prompt

test.for([
  ['an alias', 'tags=[&a x, *a]'],
  ['an alias of nothing', 'tags=[*gone]'],
  ['an alias alone', 'seed=*gone'],
  ['a tag that YAML does not know', 'tags=!mine [x]'],
  ['a list that is not closed', 'tags=[x'],
  ['brackets without end', `tags=${'['.repeat(50_000)}`],
] as const)('%s in --set is told at its value', async ([, written]) => {
  const { diagnostics } = await load(WORLD, {}, { set: [written] })
  expect(diagnostics).toMatchObject([
    {
      file: `--set ${written}`,
      column: written.indexOf('=') + 8,
      message: 'the value cannot be read as YAML',
      hint: 'put quotes around it, as in --set \'prompt="…"\'',
    },
  ])
})

test.for([
  ['an anchor that nothing uses is no part of the value', 'system=&a x', 'x'],
  ['an alias in prose is prose', 'system=*bold*', '*bold*'],
  ['a list in prose is prose, aliases and all', 'system=[&a x, *a]', '[&a x, *a]'],
  ['a tag in prose is prose', 'system=!mine x', '!mine x'],
  ['a number in prose is text', 'system=007', '007'],
] as const)('%s', async ([, written, system]) => {
  const [item] = await items(WORLD, {}, { set: [written] })
  expect(item?.parameters.system).toBe(system)
})

test('a number that --set gives to a var is one, as it would be in the manifest', async () => {
  const set = ['vars.x=5.0', 'seed=${x}', 'metadata.n=${x}', 'prompt=${x}']
  const [item] = await items(WORLD, {}, { set })
  expect([item?.parameters.seed, item?.metadata, item?.prompt]).toEqual([5, { n: '5' }, '5'])
})

test('--var may set what only --set has: a var, and a field of one', async () => {
  const set = ['vars.extra=x', 'vars.tone.odd=x', 'prompt=${extra} ${tone.odd}']
  expect(await promptOf({ set, vars: ['extra=new', 'tone.odd=teal'] })).toBe('new teal')
  expect(await problems(WORLD, {}, { set, vars: ['tone.od=x'] })).toContain('did you mean `tone.odd`?')
})

test.for([
  ['two fields of one var are both set', ['tone.warm=clay', 'tone.cold=zinc'], 'clay zinc'],
  ['the later of two for one field counts', ['tone.warm=clay', 'tone.warm=rust'], 'rust ash'],
] as const)('%s', async ([, vars, prompt]) => expect(await promptOf({ vars })).toBe(prompt))
