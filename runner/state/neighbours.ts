// Manifests in one folder share `out/`: where they use the same ids, each would put its pictures in the place of the
// other's.
import { basename, dirname, join } from 'node:path'
import { listFiles, readText } from './disk.ts'
import { type Lock, readEntries, slotOf } from './lock.ts'

const MOST_SHOWN = 3

/** A line for every other lock beside this one that holds other pictures under ids of `wanted`. Reads those locks. */
export function warnOfNeighbours(
  lockPath: string,
  lock: Lock,
  wanted: Iterable<{ id: string; profile?: string | undefined }>,
): string[] {
  const others = listFiles(dirname(lockPath)).filter(
    (name) => name.endsWith('.lock.jsonl') && name !== basename(lockPath),
  )
  if (others.length === 0) return []
  const slots = [...wanted].map(slotOf)
  return others.flatMap((name) => {
    const theirs = readEntries(readText(join(dirname(lockPath), name)))
    // The same bytes are the same file: a manifest that was renamed or copied.
    const shared = slots.filter((slot) => {
      const image = theirs.get(slot)?.image
      return image !== undefined && image.sha256 !== lock.get(slot)?.image?.sha256
    })
    if (shared.length === 0) return []
    const shown = shared.slice(0, MOST_SHOWN).join(', ')
    const more = shared.length > MOST_SHOWN ? ` and ${shared.length - MOST_SHOWN} more` : ''
    return [
      `${name} holds other pictures of ${shown}${more}, and both are saved to out/; give one of the manifests a folder of its own with --out-dir`,
    ]
  })
}
