// Where a picture is saved: a path below the output folder, of its own. It must be one on every system, and no two pictures
// may be saved as one file.
import type { KnownIds } from './known.ts'
import type { Sourced } from './merge.ts'
import type { Finding, Findings, Path } from './problems.ts'

const EXTENSION = /\.(png|jpe?g|webp|heic|heif)$/i

// What Windows refuses in a name, and what is no character to see.
const REFUSED = /[<>:"|?*\\]|\p{Cc}/u

const MOST_CHARS = 100

/** The path, without a picture's extension; undefined after a problem. */
export function outputOf(source: Sourced | undefined, add: (finding: Finding) => void): string | undefined {
  if (!source || !('scalar' in source)) return undefined
  const { at, scalar } = source
  const text = String(scalar).normalize()
  const path = text.replace(EXTENSION, '')
  const wrong = wrongWith(text, path)
  if (wrong) {
    const hint = 'a path below the output folder, as in shop/${id}'
    add({ at, cause: wrong, message: `\`${text}\` ${wrong}`, hint, subject: text })
  }
  return wrong ? undefined : path
}

function wrongWith(text: string, path: string): string | undefined {
  const refused = REFUSED.exec(text)?.[0]
  if (refused === '\\') return 'has a `\\`; folders are separated by `/`'
  if (refused !== undefined) return `has a character that file names cannot have: ${JSON.stringify(refused)}`
  if (text.startsWith('/')) return 'begins with `/`'
  if (text.startsWith('@')) return 'begins with `@`, as the folders of profiles do'
  const parts = path.split('/')
  if (parts.some((part) => part.trim() === '')) return 'has a part without a name'
  if (parts.some((part) => part === '.' || part === '..')) return 'has a part `.` or `..`'
  if (parts.some((part) => /^\s|[\s.]$/.test(part)))
    return 'has a part that begins or ends with a space or ends with a dot'
  if (parts.some((part) => part.length > MOST_CHARS))
    return `has a part of more than ${MOST_CHARS} characters`
  return undefined
}

/** Reports pictures with an output that would be saved as one file with another. Ids are told apart where cells are
 *  opened. */
export function reportSameOutputs(
  cells: readonly { id: string; samples: number; output: string; at: Path }[],
  ids: KnownIds,
  findings: Findings,
): void {
  const folded = new Map([...ids.bases.keys()].map((id) => [id.toLowerCase(), id]))
  const taken = new Map<string, string>()
  // An id is free where its own picture is saved elsewhere.
  const elsewhere = new Set(cells.map(({ id }) => id))
  for (const { id, samples, output, at } of cells) {
    for (let sample = 1; sample <= samples; sample++) {
      const path = sample === 1 ? output : `${output}#${sample}`
      const lower = path.toLowerCase()
      const base = lower.replace(/#[1-9]\d*$/, '')
      const owner = folded.get(base)
      const twin = taken.get(lower) ?? (owner !== undefined && !elsewhere.has(owner) ? owner : undefined)
      if (twin === undefined) taken.set(lower, id)
      else if (twin !== id) {
        const message = `\`${id}\` and \`${twin}\` are both saved as \`${path}\``
        const hint = 'use the names of the axes, or ${id}'
        findings.add({ at, cause: 'output', message, hint })
        break
      }
    }
  }
}
