// The files that the references and prompts of all cells name: listed, read, and asked for when references are counted.
import { resolve } from 'node:path'
import type { ClosedFolder, ManifestEffects } from './effects.ts'
import { isPattern } from './ids.ts'
import type { PromptFile } from './prompt.ts'
import { type Files, readFiles } from './reading.ts'
import type { Entry } from './references.ts'

/** What was read, and the files of each pattern that is one. */
type Gathered = Files & { listed: ReadonlyMap<string, readonly string[] | ClosedFolder> }

/** Reads what entries and prompts name. A text like a pattern is one when no file has literally that name. */
export async function gather(
  entries: Iterable<Entry>,
  prompts: Iterable<PromptFile>,
  folder: string,
  fx: ManifestEffects,
): Promise<Gathered> {
  const paths = new Set<string>()
  const patterns = new Map<string, string>()
  for (const entry of entries) {
    if (entry.kind !== 'file') continue
    paths.add(entry.path)
    if (isPattern(entry.shown)) patterns.set(entry.shown, entry.path)
  }
  const named = await readFiles({ pictures: paths, prompts }, fx)
  const listed = new Map<string, string[] | ClosedFolder>()
  for (const [pattern, path] of patterns) {
    const file = named.pictures.get(path)
    if (file && 'missing' in file) listed.set(pattern, await fx.listFiles(pattern, folder))
  }
  const found = [...listed.values()].flatMap((files) =>
    Array.isArray(files) ? files.map((file) => resolve(folder, file)) : [],
  )
  const fresh = found.filter((path) => !paths.has(path))
  const matched = await readFiles({ pictures: fresh, prompts: [] }, fx)
  const pictures = new Map([...named.pictures, ...matched.pictures])
  return { pictures, prompts: named.prompts, listed }
}
