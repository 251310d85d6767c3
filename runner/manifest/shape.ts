// Whether the values have the shape the schema says. What is wrong is told and marked, and the rest goes on to be looked at
// for its meaning. A misspelt key is one problem, not an unknown key and a missing one.
import type { z } from 'zod'
import { LayerSchema } from './fields.ts'
import { keysAt, unknownKey } from './keys.ts'
import { type Marks, mark } from './merge.ts'
import { meantBy } from './near.ts'
import type { Findings, Path } from './problems.ts'
import { MANIFEST_VERSION, ManifestSchema } from './schema.ts'
import { type Issue, narrow } from './unions.ts'
import { plainWords, valueAt } from './words.ts'

/** What to do about a manifest without pictures. */
export const EXAMPLE = '`proofsheet init` writes an example'

/** Reports every value that is not as the schema wants it; the marks say which. Undefined when the manifest is of a newer
 *  version and nothing of it can be judged. */
export function checkShape(data: unknown, findings: Findings): Marks | undefined {
  const version = valueAt(data, ['version'])
  if (typeof version === 'number' && version > MANIFEST_VERSION) {
    const message = `this manifest is of version ${version}; this proofsheet reads version ${MANIFEST_VERSION}`
    findings.add({ at: ['version'], message, hint: 'upgrade proofsheet' })
    return undefined
  }
  return check(ManifestSchema, data, findings, { place: (path) => path, keys: keysAt })
}

/** The same for a layer that stands by itself. `place` tells where its parts are written. */
export function checkLayer(data: unknown, place: (path: Path) => Path, findings: Findings): Marks {
  return check(LayerSchema, data, findings, {
    place,
    keys: (path, value) => keysAt(['defaults', ...path], value),
  })
}

type About = {
  /** Where a part of the value is written. */
  place: (path: Path) => Path
  /** The keys that a map in the value may have. */
  keys: (path: readonly PropertyKey[], value: unknown) => readonly string[]
  item?: string
}

function check(schema: z.ZodType, data: unknown, findings: Findings, about: About): Marks {
  const { error } = schema.safeParse(data)
  const marks: Marks = { parts: new Map() }
  report(error?.issues ?? [], data, findings, about, marks)
  return marks
}

/** Reports the issues of a schema on one value. */
export function report(
  issues: readonly Issue[],
  data: unknown,
  findings: Findings,
  { place, keys: known, item }: About,
  marks: Marks = { parts: new Map() },
): void {
  const of = item === undefined ? {} : { item }
  const misspelt = new Set<string>()
  const missing: (string | number)[][] = []
  for (const issue of issues.flatMap((each) => narrow(each, [], data))) {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)))
    const at = place(path)
    const value = valueAt(data, path)
    if (issue.code === 'unrecognized_keys') {
      const keys = known(path, value)
      for (const key of issue.keys) {
        const meant = meantBy(key, keys)
        // What a merge key would have brought is not known.
        mark(marks, key === '<<' ? path : [...path, key], key === '<<' ? 'broken' : 'dropped')
        if (meant !== undefined) misspelt.add([...path, meant].join('\0'))
        if (meant !== undefined && valueAt(data, [...path, meant]) === undefined)
          mark(marks, [...path, meant], 'broken')
        findings.add({ at: [...at, key], part: 'key', ...unknownKey(key, meant, keys), ...of })
      }
      continue
    }
    mark(marks, path, 'broken')
    if (issue.code === 'invalid_type' && value === undefined) missing.push(path)
    else if (issue.code === 'invalid_key') {
      const key = String(path.at(-1))
      const { message = 'is not a name' } =
        key === '<<' ? unknownKey(key, undefined, []) : (issue.issues[0] ?? {})
      findings.add({ at, part: 'key', message: key === '<<' ? message : `\`${key}\` ${message}` })
    } else findings.add({ at, ...plainWords(issue, value, at), ...of })
  }
  for (const path of missing) {
    if (misspelt.has(path.join('\0'))) continue
    const message = `has no \`${String(path.at(-1))}\``
    const hint = path.join('.') === 'items' ? EXAMPLE : undefined
    findings.add({ at: place(path.slice(0, -1)), part: 'key', message, hint, ...of })
  }
}
