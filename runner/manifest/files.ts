// The rim of a manifest: reads texts and pictures from the disk. A picture is hashed as it streams, so its size does not
// matter; what it is, its first bytes say.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { SNIFF_BYTES, sniff } from '../../core/media.ts'
import type { Absent, ManifestEffects, ReferenceFile } from './reading.ts'

/** Effects on the real file system. */
export const manifestFiles: ManifestEffects = {
  readText: (path) => orAbsent(() => readFile(path, 'utf8')),
  readReference: (path) => orAbsent(() => digest(path)),
}

async function digest(path: string): Promise<ReferenceFile> {
  const hash = createHash('sha256')
  let head = new Uint8Array(0)
  let bytes = 0
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    if (head.length < SNIFF_BYTES) head = Buffer.concat([head, chunk]).subarray(0, SNIFF_BYTES)
    hash.update(chunk)
    bytes += chunk.length
  }
  const mimeType = sniff(head)
  return { sha256: hash.digest('hex'), ...(mimeType ? { mimeType } : {}), bytes }
}

async function orAbsent<T>(read: () => Promise<T>): Promise<T | Absent> {
  try {
    return await read()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return { missing: true }
    if (code === 'EISDIR') return { notAFile: true }
    if (code !== undefined) return { unreadable: code }
    throw error
  }
}
