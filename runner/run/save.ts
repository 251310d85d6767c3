// Pictures on disk: `<folder>/<output or id>.<ext>`, those of a profile below `@<profile>/`. Written elsewhere and renamed
// into their place, so that a file that is there is whole. A picture that is there already is not fetched again.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm, stat, utimes } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import PQueue from 'p-queue'
import { extensionOf } from '../../core/media.ts'
import type { Client } from '../client.ts'
import type { Item } from '../manifest/item.ts'
import { newDraft, placeDraft } from '../state/drafts.ts'
import type { LockEntry } from '../state/lock.ts'

/** The bytes that arrived are not the picture. */
export class DownloadBroken extends Error {
  override name = 'DownloadBroken'
}

/** The worker has deleted it, as its operator wishes of old pictures. */
export class PictureDeleted extends Error {
  override name = 'PictureDeleted'
}

/** Where pictures lie: the folder that was named, else `out/` beside the manifest. Absolute. */
export function outFolder({ manifest, outDir }: { manifest: string; outDir?: string }, cwd: string): string {
  return outDir === undefined ? resolve(cwd, manifest, '..', 'out') : resolve(cwd, outDir)
}

/** Where an item's picture belongs. The entry must have one. */
export function fileOf(
  item: Pick<Item, 'id' | 'output'>,
  { image, profile }: Pick<LockEntry, 'image' | 'profile'>,
  folder: string,
): string {
  const name = `${item.output ?? item.id}.${extensionOf(image!.mimeType)}`
  return profile === undefined ? join(folder, name) : join(folder, `@${profile}`, name)
}

/** Whether the picture of an entry is at this path: a file of its size. One that is older than the entry may be what the
 *  item was before: its bytes are compared, and it is touched so that they need not be again. */
export async function isSaved({ image, recordedAt }: LockEntry, path: string): Promise<boolean> {
  try {
    const found = await stat(path)
    if (found.size !== image!.bytes) return false
    if (found.mtimeMs >= recordedAt) return true
    const hash = createHash('sha256')
    await pipeline(createReadStream(path), hash)
    if (hash.digest('hex') !== image!.sha256) return false
    const at = new Date(recordedAt)
    await utimes(path, at, at).catch(() => {})
    return true
  } catch {
    return false
  }
}

/** Files looked at side by side. */
const LOOKS = 64

/** The files that hold the pictures of these entries, by item; those that hold another picture by now are not among them. */
export async function savedFiles(
  pictures: readonly { item: Pick<Item, 'id' | 'output'>; entry: LockEntry }[],
  folder: string,
): Promise<Map<string, string>> {
  const looks = new PQueue({ concurrency: LOOKS })
  const found = await looks.addAll(
    pictures.map(({ item, entry }) => async (): Promise<[string, string][]> => {
      const path = entry.image && fileOf(item, entry, folder)
      return path !== undefined && (await isSaved(entry, path)) ? [[item.id, path]] : []
    }),
  )
  return new Map(found.flat())
}

/** `deletedAt`: ISO 8601. */
export function deletedWords(deletedAt: string): string {
  return `the worker has deleted this picture (${deletedAt.slice(0, 10)}), as it does with old ones`
}

export type SaveOptions = {
  /** `.proofsheet/`: where it lies until it is whole. */
  stateFolder: string
  /** Where the item's last picture was: removed when the new one is elsewhere. */
  previous?: string | undefined
  /** Breaks the download off. */
  signal?: AbortSignal | undefined
}

/** Fetches the picture of an entry to a path. Throws PictureDeleted, DownloadBroken, WorkerUnreachable and what the file system says. */
export async function savePicture(
  { image }: Pick<LockEntry, 'image'>,
  path: string,
  client: Client,
  { stateFolder, previous, signal }: SaveOptions,
): Promise<void> {
  const { url, sha256, deletedAt } = image!
  if (deletedAt) throw new PictureDeleted(deletedWords(deletedAt))
  const hash = createHash('sha256')
  const response = await client.download(url, signal)
  const draft = await newDraft(stateFolder)
  // Open before anything can break off: a file that is opened later would come to be after it was removed.
  const file = await open(draft, 'w')
  const hashed = async function* (source: AsyncIterable<Uint8Array>) {
    for await (const chunk of source) {
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    await pipeline(
      Readable.fromWeb(response.body as never),
      hashed,
      file.createWriteStream(),
      ...(signal ? [{ signal }] : []),
    )
    if (hash.digest('hex') !== sha256) throw new DownloadBroken(`${url} did not arrive whole`)
    await placeDraft(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
  if (previous !== undefined && previous !== path) await rm(previous, { force: true })
}
