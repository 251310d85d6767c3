// Many ids in few words: a folder of which all pictures are meant is `packshot/ff-102/*`, and the samples of a picture are
// the picture. What it prints selects the same pictures again.

import { baseOf } from '../manifest/ids.ts'

/** Folds ids. It knows all there are, so that it can tell a whole folder from a part. */
export type Fold = (ids: readonly string[]) => string[]

/** A fold over these ids. */
export function foldOf(all: readonly string[]): Fold {
  const totals = sizesOf(all)
  return (ids) => {
    const sizes = sizesOf(ids)
    const whole = (name: string) => sizes.get(name) === totals.get(name)
    const names = ids.map((id) => {
      const folders = foldersOf(id)
      const folder = folders.find((name) => whole(name) && totals.get(name)! > samplesBelow(name, id, totals))
      if (folder !== undefined) return `${folder}/*`
      const base = baseOf(id)
      return whole(base) ? base : id
    })
    return [...new Set(names)]
  }
}

/** The names of a list, the first ones of a long one. */
export function listed(names: readonly string[], most = 6): string {
  const shown = names.slice(0, most).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}

/** How many pictures are below each folder and each id without its `#n`. */
function sizesOf(ids: readonly string[]): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const id of ids)
    for (const name of [...foldersOf(id), baseOf(id)]) sizes.set(name, (sizes.get(name) ?? 0) + 1)
  return sizes
}

// A folder with one picture in it is not worth a pattern, however many samples that has.
function samplesBelow(folder: string, id: string, totals: ReadonlyMap<string, number>): number {
  return id.startsWith(`${folder}/`) ? totals.get(baseOf(id))! : 0
}

/** The outermost first. */
function foldersOf(id: string): string[] {
  const base = baseOf(id)
  const folders: string[] = []
  for (let slash = base.indexOf('/'); slash !== -1; slash = base.indexOf('/', slash + 1))
    folders.push(base.slice(0, slash))
  return folders
}
