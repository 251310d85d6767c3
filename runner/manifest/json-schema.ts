// The manifest's schema for editors: draft 7, which is what yaml-language-server reads. Made from the schema that checks,
// which stays the only one that decides: this one completes and explains.
import { z } from 'zod'
import { LayerSchema } from './fields.ts'
import { ManifestSchema } from './schema.ts'

/** Its file name beside a manifest. */
export const SCHEMA_FILE = 'manifest.schema.json'

/** The first line of a manifest whose editor is to use the schema beside it. */
export const MODELINE = `# yaml-language-server: $schema=./${SCHEMA_FILE}`

export const SCHEMA_TITLE = 'proofsheet manifest'

type Json = { [member: string]: unknown }

/** Fields whose examples are all there is, short of `${…}` and other spellings: an editor offers them. */
const OFFERED = new Set(['model', 'size', 'aspect'])

/** The schema as JSON. */
export function manifestJsonSchema(): Json {
  const { $schema, ...schema } = jsonOf(ManifestSchema)
  const layer = jsonOf(LayerSchema)
  return {
    $schema,
    title: SCHEMA_TITLE,
    ...withLayerOnce(schema, JSON.stringify(layer.properties)),
    definitions: { layer: { type: layer.type, properties: layer.properties, additionalProperties: false } },
  }
}

/** The text of the schema's file. */
export function schemaText(): string {
  return `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`
}

function jsonOf(schema: z.ZodType): Json {
  const override = ({ jsonSchema, path }: { jsonSchema: Json; path: (string | number)[] }) => {
    // The largest number that the validator can tell from its neighbours is no limit of ours.
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    if (path.at(-2) === 'properties' && OFFERED.has(String(path.at(-1)))) offerExamples(jsonSchema)
  }
  return z.toJSONSchema(schema, { target: 'draft-7', io: 'input', override }) as Json
}

function offerExamples(node: Json): void {
  const { type, anyOf } = node
  delete node.type
  node.anyOf = [{ enum: node.examples }, ...((anyOf as Json[] | undefined) ?? [{ type }])]
}

/** The schema with every layer replaced by a pointer to the one among the definitions. */
function withLayerOnce(node: unknown, layer: string): Json {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit)
    if (value === null || typeof value !== 'object') return value
    const { type, properties, additionalProperties, ...words } = value as Json
    // Beside a pointer, draft 7 reads nothing.
    if (properties !== undefined && JSON.stringify(properties) === layer)
      return { ...words, allOf: [{ $ref: '#/definitions/layer' }] }
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, visit(member)]))
  }
  return visit(node) as Json
}
