// Which keys a map may have, by its place in the document, and what is said of one that is unknown.
import { axisKind } from './axis-kind.ts'
import {
  FallbackSchema,
  FromReferenceSchema,
  ImageReferenceSchema,
  LayerSchema,
  NamedFromSchema,
  NamedImageSchema,
  ThinkingSchema,
} from './fields.ts'
import {
  BudgetSchema,
  GlobAxisSchema,
  ItemSchema,
  ManifestSchema,
  RequestPriceSchema,
  TableAxisSchema,
  TokenPriceSchema,
} from './schema.ts'

const LAYERS = ['presets', 'profiles', 'overrides']

/** The keys that the map at this place may have. `value` is the map: an axis is told by what it has. */
export function keysAt(path: readonly PropertyKey[], value: unknown): readonly string[] {
  const [section] = path
  const depth = path.length
  if (depth === 0) return keysOf(ManifestSchema)
  if (section === 'budget') return keysOf(BudgetSchema)
  if (section === 'prices') return keysOf(RequestPriceSchema, TokenPriceSchema)
  if (section === 'refs') return referenceKeys(value, NamedImageSchema, NamedFromSchema)
  if (section === 'items' && depth === 2) return keysOf(ItemSchema)
  if (section === 'defaults' && depth === 1) return keysOf(LayerSchema)
  if (LAYERS.includes(String(section)) && depth === 2) return keysOf(LayerSchema)
  const owner = typeof path.at(-1) === 'number' ? path.at(-2) : path.at(-1)
  if (path.at(-2) === 'matrix')
    return keysOf(axisKind(Object(value)) === 'table' ? TableAxisSchema : GlobAxisSchema)
  if (owner === 'refs') return referenceKeys(value, ImageReferenceSchema, FromReferenceSchema)
  if (owner === 'fallback') return keysOf(FallbackSchema)
  if (owner === 'thinking') return keysOf(ThinkingSchema)
  return ['category', 'threshold']
}

/** What is said of an unknown key. */
export function unknownKey(key: string, meant: string | undefined, keys: readonly string[]) {
  if (key === '<<')
    return { message: 'merge keys are not read', hint: 'put the fields into `presets` and say `use: [name]`' }
  const message = `unknown key \`${key}\``
  if (meant !== undefined) return { message, hint: `did you mean \`${meant}\`?` }
  if (key === 'wait' && keys.includes('image')) return { message, hint: '`wait` belongs to {from}' }
  if (key in ItemSchema.shape) return { message, hint: `\`${key}\` belongs to an item` }
  return { message, hint: `known keys: ${keys.join(', ')}` }
}

function referenceKeys(value: unknown, image: { shape: object }, from: { shape: object }): string[] {
  const has = (key: string) => Object.hasOwn(Object(value), key)
  if (has('image') === has('from')) return keysOf(image, from)
  return keysOf(has('image') ? image : from)
}

function keysOf(...schemas: readonly { shape: object }[]): string[] {
  return [...new Set(schemas.flatMap(({ shape }) => Object.keys(shape)))]
}
