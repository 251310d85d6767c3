// What is written on a picture and changes nothing of it: `metadata` for the worker and its callers, `tags` for selections.
import { entriesOf, fieldsOf, type Sourced, textOf } from './merge.ts'
import type { Finding } from './problems.ts'

// Of RequestSchema in core/request.ts.
const METADATA_KEY_CHARS = 64
const METADATA_VALUE_CHARS = 512
const METADATA_MEMBERS = 50

const TAG = /^[\p{L}\p{N}_][\p{L}\p{N}._-]*$/u
const NO_TAGS: readonly string[] = []

/** The metadata; what is too long for the worker is reported. */
export function metadataOf(
  source: Sourced | undefined,
  add: (finding: Finding) => void,
): Record<string, string> | undefined {
  if (!source) return undefined
  const entries = [...fieldsOf(source)].map(([key, value]) => [key, textOf(value) ?? '', value.at] as const)
  if (entries.length > METADATA_MEMBERS)
    add({
      at: source.at,
      part: 'key',
      message: `has ${entries.length} members; at most ${METADATA_MEMBERS} are kept`,
    })
  for (const [key, text, at] of entries) {
    if (key.length > METADATA_KEY_CHARS)
      add({ at, part: 'key', message: `a key has at most ${METADATA_KEY_CHARS} characters` })
    if (text.length > METADATA_VALUE_CHARS)
      add({ at, message: `has ${text.length} characters; at most ${METADATA_VALUE_CHARS} are kept` })
  }
  return Object.fromEntries(entries.map(([key, text]) => [key, text]))
}

/** The tags, each once. */
export function tagsOf(source: Sourced | undefined, add: (finding: Finding) => void): readonly string[] {
  if (!source) return NO_TAGS
  const tags = new Set<string>()
  for (const entry of entriesOf(source)) {
    const tag = (textOf(entry) ?? '').normalize()
    if (TAG.test(tag)) tags.add(tag)
    else {
      const message = `\`${tag}\` is no tag: letters, digits, \`.\`, \`_\` and \`-\`, without spaces`
      add({ at: entry.at, cause: 'tag', message, subject: tag })
    }
  }
  return [...tags]
}
