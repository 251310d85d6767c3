// Which keys a map may have, by its place in the document, and what is said of one that is unknown.
import {
  FallbackSchema,
  FromReferenceSchema,
  ImageReferenceSchema,
  LayerSchema,
  NamedFromSchema,
  NamedImageSchema,
  ThinkingSchema,
} from './fields.ts'
import { near } from './near.ts'
import {
  BudgetSchema,
  GlobAxisSchema,
  ItemSchema,
  isTableAxis,
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
  if (section === 'refs') return keysOf(NamedImageSchema, NamedFromSchema)
  if (section === 'items' && depth === 2) return keysOf(ItemSchema)
  if (section === 'defaults' && depth === 1) return keysOf(LayerSchema)
  if (LAYERS.includes(String(section)) && depth === 2) return keysOf(LayerSchema)
  const owner = typeof path.at(-1) === 'number' ? path.at(-2) : path.at(-1)
  if (path.at(-2) === 'matrix') return keysOf(isTableAxis(Object(value)) ? TableAxisSchema : GlobAxisSchema)
  if (owner === 'refs') return keysOf(ImageReferenceSchema, FromReferenceSchema)
  if (owner === 'fallback') return keysOf(FallbackSchema)
  if (owner === 'thinking') return keysOf(ThinkingSchema)
  return ['category', 'threshold']
}

/** Which of the keys was meant; undefined when none is near. */
export function meantBy(key: string, keys: readonly string[]): string | undefined {
  const translated = SYNONYMS[key]
  return translated !== undefined && keys.includes(translated) ? translated : near(key, keys)[0]
}

/** What is said of an unknown key. */
export function unknownKey(key: string, meant: string | undefined, keys: readonly string[]) {
  if (key === '<<')
    return { message: 'merge keys are not read', hint: 'put the fields into `presets` and say `use: [name]`' }
  const message = `unknown key \`${key}\``
  if (meant !== undefined) return { message, hint: `did you mean \`${meant}\`?` }
  if (key in ItemSchema.shape) return { message, hint: `\`${key}\` belongs to an item` }
  return { message, hint: `known keys: ${keys.join(', ')}` }
}

function keysOf(...schemas: readonly { shape: object }[]): string[] {
  return [...new Set(schemas.flatMap(({ shape }) => Object.keys(shape)))]
}

// Words that other tools use for our keys.
const SYNONYMS: Record<string, string> = {
  references: 'refs',
  images: 'refs',
  variables: 'vars',
  n: 'samples',
  count: 'samples',
  aspectRatio: 'aspect',
  aspect_ratio: 'aspect',
  ratio: 'aspect',
  imageSize: 'size',
  resolution: 'size',
  extends: 'use',
  preset: 'use',
  exclude: 'skip',
  labels: 'tags',
  filename: 'output',
  csv: 'table',
  column: 'key',
  perImage: 'per_image',
  confirmAbove: 'confirm_above',
}
