// References that are given by their address: fetched before the plan, because their bytes are part of the fingerprint,
// and kept under `.proofsheet/references/`. The server is asked every time; an unchanged one is not fetched again.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sniff } from '../../core/media.ts'
import { MAX_REFERENCE_BYTES } from '../../core/models.ts'
import { newDraft, placeDraft } from './drafts.ts'

export type Downloaded = { path: string; sha256: string; mimeType: string; bytes: number }

/** A reference that cannot be had. */
export class ReferenceUnreachable extends Error {
  override name = 'ReferenceUnreachable'
}

const TIMEOUT_MS = 60_000

type Note = Downloaded & { etag: string | null }

/** Fetches an address into `folder`, which is `.proofsheet/references/`, or finds that what was fetched before still holds. Throws ReferenceUnreachable. */
export async function downloadReference(
  url: string,
  folder: string,
  fetcher: typeof fetch,
): Promise<Downloaded> {
  const name = createHash('sha256').update(url).digest('hex').slice(0, 32)
  const path = join(folder, name)
  const note = readNote(`${path}.json`)
  const response = await ask(url, note?.etag ?? null, fetcher)
  if (response.status === 304 && note) return note
  if (!response.ok) throw new ReferenceUnreachable(`${url} answered ${response.status}`)
  const bytes = await readCapped(url, response)
  const mimeType = sniff(bytes)
  if (!mimeType) throw new ReferenceUnreachable(`${url} is no PNG, JPEG, WebP, HEIC or HEIF image`)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const found: Note = { path, sha256, mimeType, bytes: bytes.byteLength, etag: response.headers.get('etag') }
  // Another run may be fetching the same address.
  await replaceWith(bytes, path, folder)
  await replaceWith(JSON.stringify(found), `${path}.json`, folder)
  return found
}

async function replaceWith(content: Uint8Array | string, path: string, folder: string): Promise<void> {
  const draft = await newDraft(dirname(folder))
  await writeFile(draft, content)
  await placeDraft(draft, path)
}

async function ask(url: string, etag: string | null, fetcher: typeof fetch): Promise<Response> {
  try {
    return await fetcher(url, {
      headers: { accept: 'image/*', ...(etag ? { 'if-none-match': etag } : {}) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
  } catch (cause) {
    const reason =
      cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
    throw new ReferenceUnreachable(`${url} cannot be fetched: ${reason}`, { cause })
  }
}

async function readCapped(url: string, response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MAX_REFERENCE_BYTES)
      throw new ReferenceUnreachable(`${url} is over ${MAX_REFERENCE_BYTES} bytes, the most a model takes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function readNote(path: string): Note | undefined {
  try {
    const note = JSON.parse(readFileSync(path, 'utf8')) as Note
    readFileSync(note.path)
    return note
  } catch {
    return undefined
  }
}
