// The rim of a manifest: reads texts and pictures from the disk. A picture is hashed as it streams, so its size does not
// matter; what it is, its first bytes say.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { SNIFF_BYTES, sniff } from '../../core/media.ts'
import { type Absent, MAX_TEXT_BYTES } from './absence.ts'
import type { ManifestEffects, ReferenceFile } from './effects.ts'
import { FolderLists } from './folders.ts'

/** Effects on the real file system, for one load: a folder is listed once, however many patterns look into it. */
export function manifestFiles(): ManifestEffects {
  const folders = new FolderLists()
  return {
    readText: (path) => orAbsent(() => textOf(path)),
    readReference: (path) => orAbsent(() => digest(path)),
    listFiles: (pattern, folder) => folders.match(pattern, folder),
  }
}

async function textOf(path: string): Promise<string | Absent> {
  await using file = await open(path)
  const { size } = await file.stat()
  if (size > MAX_TEXT_BYTES) return { tooLarge: size }
  return decode(await file.readFile())
}

// A byte that is no character would reach a prompt as a question mark in a box.
function decode(bytes: Uint8Array): string | Absent {
  if (sniff(bytes.subarray(0, SNIFF_BYTES))) return { notText: 'picture', line: 1 }
  const [first, second] = bytes
  const marked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  // Without a mark, every other byte of plain words is zero.
  if (marked || (bytes.length > 1 && (first === 0) !== (second === 0))) return { notText: 'UTF-16', line: 1 }
  const zero = bytes.indexOf(0)
  if (zero !== -1) return { notText: 'binary', line: lineOf(bytes, zero) }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { notText: 'encoding', line: lineOf(bytes, validUntil(bytes)) }
  }
}

// Decoded as they are, the bytes and what comes of them are the same up to the first that is no character.
function validUntil(bytes: Uint8Array): number {
  const again = Buffer.from(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
  const wrong = bytes.findIndex((byte, index) => byte !== again[index])
  return wrong === -1 ? bytes.length : wrong
}

function lineOf(bytes: Uint8Array, offset: number): number {
  let line = 1
  for (let at = bytes.indexOf(10); at !== -1 && at < offset; at = bytes.indexOf(10, at + 1)) line++
  return line
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
