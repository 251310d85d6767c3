// The schema that editors read: current, complete, and true of the manifests that are here.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { EXAMPLE } from '../../runner/init/example.ts'
import { MODELINE, manifestJsonSchema, SCHEMA_FILE, schemaText } from '../../runner/manifest/json-schema.ts'

const ROOT = join(import.meta.dirname, '..', '..')

type Node = { [key: string]: unknown }

const SCHEMA = manifestJsonSchema() as Node

function resolved(node: Node): Node {
  const pointer = node.$ref ?? (node.allOf as Node[] | undefined)?.[0]?.$ref
  if (pointer === undefined) return node
  const [, , name] = String(pointer).split('/')
  return (SCHEMA.definitions as Node)[name!] as Node
}

/** Every named property of the schema, with its place. */
function properties(node: unknown, at = ''): { at: string; name: string; schema: Node }[] {
  if (Array.isArray(node)) return node.flatMap((each, index) => properties(each, `${at}[${index}]`))
  if (node === null || typeof node !== 'object') return []
  return Object.entries(node).flatMap(([key, value]) => {
    if (key === 'examples' || key === 'enum') return []
    if (key !== 'properties') return properties(value, `${at}.${key}`)
    return Object.entries(value as Node).flatMap(([name, schema]) => [
      { at: `${at}.${name}`, name, schema: schema as Node },
      ...properties(schema, `${at}.${name}`),
    ])
  })
}

/** What a value has that the schema does not allow, by place; enough of draft 7 for the words that the schema uses. */
function misfits(value: unknown, schema: Node, at: string): string[] {
  const node = resolved(schema)
  if (Array.isArray(node.anyOf)) {
    const each = (node.anyOf as Node[]).map((option) => misfits(value, option, at))
    return each.find((list) => list.length === 0) ?? each.sort((a, b) => a.length - b.length)[0]!
  }
  if ('const' in node) return value === node.const ? [] : [`${at} is not ${node.const}`]
  if (Array.isArray(node.enum)) return node.enum.includes(value) ? [] : [`${at} is none of ${node.enum}`]
  const types = node.type === undefined ? [] : [node.type].flat()
  if (
    types.length > 0 &&
    !types.includes(typeOf(value)) &&
    !(types.includes('number') && typeOf(value) === 'integer')
  )
    return [`${at} is ${typeOf(value)}, not ${types}`]
  if (
    typeof value === 'string' &&
    node.pattern !== undefined &&
    !new RegExp(String(node.pattern), 'u').test(value)
  )
    return [`${at} does not match`]
  if (Array.isArray(value))
    return value.flatMap((each, index) => misfits(each, (node.items ?? {}) as Node, `${at}[${index}]`))
  if (typeOf(value) !== 'object') return []
  const known = (node.properties ?? {}) as { [name: string]: Node }
  const rest = node.additionalProperties
  return [
    ...((node.required ?? []) as string[])
      .filter((name) => !(name in (value as Node)))
      .map((name) => `${at} lacks ${name}`),
    ...Object.entries(value as Node).flatMap(([name, member]) => {
      const named = node.propertyNames ? misfits(name, node.propertyNames as Node, `${at} name ${name}`) : []
      if (known[name]) return misfits(member, known[name], `${at}.${name}`)
      if (rest === false) return [`${at} may not have ${name}`]
      return [...named, ...misfits(member, (rest ?? {}) as Node, `${at}.${name}`)]
    }),
  ]
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

test(`${SCHEMA_FILE} is current (npm run schema writes it)`, () => {
  expect(readFileSync(join(ROOT, SCHEMA_FILE), 'utf8')).toBe(schemaText())
})

test('it is draft 7, and the modeline names its file', () => {
  expect(SCHEMA.$schema).toBe('http://json-schema.org/draft-07/schema#')
  expect(MODELINE).toBe('# yaml-language-server: $schema=./manifest.schema.json')
})

test('every key has a description', () => {
  const bare = properties(SCHEMA).filter(({ schema }) => !schema.description)
  expect(bare.map(({ at }) => at)).toEqual([])
})

test('every key has an example, or values that an editor can offer', () => {
  const offers = (schema: Node): boolean =>
    ['examples', 'enum', 'const'].some((key) => key in schema) ||
    schema.type === 'boolean' ||
    ((schema.anyOf ?? []) as Node[]).some(offers)
  const bare = properties(SCHEMA).filter(({ schema }) => !offers(schema))
  expect(bare.map(({ at }) => at)).toEqual([])
})

test('every example fits its own key', () => {
  const wrong = properties(SCHEMA).flatMap(({ at, schema }) =>
    ((schema.examples ?? []) as unknown[]).flatMap((example) => misfits(example, schema, at)),
  )
  expect(wrong).toEqual([])
})

describe('it allows', () => {
  const manifests = readdirSync(join(ROOT, 'manifests')).filter((name) => name.endsWith('.yaml'))
  test.for(manifests)('manifests/%s', (name) => {
    expect(misfits(parse(readFileSync(join(ROOT, 'manifests', name), 'utf8')), SCHEMA, '')).toEqual([])
  })

  test('what init writes', () => {
    expect(misfits(parse(EXAMPLE), SCHEMA, '')).toEqual([])
  })
})

test('it tells a misspelt key from a known one, at every depth', () => {
  const manifest = parse(EXAMPLE)
  manifest.items.packshot.promt = 'x'
  manifest.defaults.sise = '1K'
  manifest.budget.maximum = 3
  expect(misfits(manifest, SCHEMA, '')).toEqual([
    '.budget may not have maximum',
    '.defaults may not have sise',
    '.items.packshot may not have promt',
  ])
})
