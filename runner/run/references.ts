// The images that an item is made from, as the worker takes them: files and addresses are uploaded, each once; an earlier
// picture is named by its generation, or uploaded where the worker does not know that.
import { readFile } from 'node:fs/promises'
import type { Client, WireReference } from '../client.ts'
import type { ItemReference } from '../manifest/item.ts'
import type { LockEntry } from '../state/lock.ts'

export type ReferenceEffects = {
  client: Pick<Client, 'putReference'>
  /** Where the picture of an item lies on disk, when it does. */
  fileOf: (id: string, entry: LockEntry) => Promise<string | undefined>
  /** Where the content of an address was saved, and its type. */
  download: (url: string) => { path: string; sha256: string; mimeType: string }
}

export type Uploader = {
  /** A file or an address, uploaded. */
  given(reference: Exclude<ItemReference, { kind: 'from' }>, signal: AbortSignal): Promise<WireReference>
  /** An earlier picture, uploaded from disk; undefined when it does not lie there. */
  picture(id: string, entry: LockEntry, signal: AbortSignal): Promise<WireReference | undefined>
}

/** An uploader that remembers what is there. */
export function createUploader(fx: ReferenceEffects): Uploader {
  const uploads = new Map<string, Promise<void>>()
  const upload = async (sha256: string, mimeType: string, path: string, signal: AbortSignal) => {
    let started = uploads.get(sha256)
    if (!started) {
      started = fx.client.putReference(sha256, mimeType, () => readFile(path), signal)
      uploads.set(sha256, started)
      // A failed upload may be tried again by the next item that needs it.
      started.catch(() => uploads.delete(sha256))
    }
    await started
    return { sha256 }
  }
  return {
    given(reference, signal) {
      if (reference.kind === 'file')
        return upload(reference.sha256, reference.mimeType, reference.path, signal)
      const { path, sha256, mimeType } = fx.download(reference.url)
      return upload(sha256, mimeType, path, signal)
    },
    async picture(id, entry, signal) {
      const path = await fx.fileOf(id, entry)
      return path ? upload(entry.image!.sha256, entry.image!.mimeType, path, signal) : undefined
    },
  }
}
