// Pictures on disk: `<folder>/<id>.<ext>`, written beside their place and renamed into it, so that a file that is there
// is whole. A picture that is there already is not fetched again.
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extensionOf } from '../../core/media.ts'
import type { Client } from '../client.ts'
import type { LockEntry } from '../state/lock.ts'

/** The bytes that arrived are not the picture. */
export class DownloadBroken extends Error {
  override name = 'DownloadBroken'
}

/** Where the picture of an entry belongs. */
export function fileOf(entry: LockEntry, folder: string): string {
  return join(folder, `${entry.id}.${extensionOf(entry.image!.mimeType)}`)
}

/** Whether the picture of an entry is on disk. */
export async function isSaved(entry: LockEntry, folder: string): Promise<boolean> {
  try {
    return (await stat(fileOf(entry, folder))).size === entry.image!.bytes
  } catch {
    return false
  }
}

/** Fetches the picture of an entry to its place and returns the path. `previous` is what the item was before: its file
 *  is removed when the new one has another extension. Throws DownloadBroken and WorkerUnreachable. */
export async function savePicture(
  entry: LockEntry,
  folder: string,
  client: Client,
  previous?: LockEntry,
): Promise<string> {
  const path = fileOf(entry, folder)
  // Another run may be fetching the same picture.
  const draft = `${path}.${randomUUID()}.part`
  await mkdir(dirname(path), { recursive: true })
  const hash = createHash('sha256')
  const response = await client.download(entry.image!.url)
  const hashed = async function* (source: AsyncIterable<Uint8Array>) {
    for await (const chunk of source) {
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    await pipeline(Readable.fromWeb(response.body as never), hashed, createWriteStream(draft))
    if (hash.digest('hex') !== entry.image!.sha256)
      throw new DownloadBroken(
        `${entry.image!.url} did not arrive whole; run again to fetch it (it costs nothing)`,
      )
    await rename(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
  if (previous?.image && fileOf(previous, folder) !== path)
    await rm(fileOf(previous, folder), { force: true })
  return path
}
