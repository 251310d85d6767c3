// What `init --from` finds on the disk: the files of a folder, the rows of a table, and what a value of a table leads to.
import { open, readdir, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { SNIFF_BYTES, sniff } from '../../core/media.ts'
import { MAX_REFERENCE_BYTES } from '../../core/models.ts'
import { ManifestRejected, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { absence } from '../manifest/absence.ts'
import { manifestFiles } from '../manifest/files.ts'
import { renderProblems } from '../manifest/frames.ts'
import { partOf } from '../manifest/matrix.ts'
import { textOf } from '../manifest/merge.ts'
import { Findings } from '../manifest/problems.ts'
import { readTable } from '../manifest/tables.ts'
import { fileSize } from '../views/format.ts'
import type { Feed } from './columns.ts'
import type { PhotoCheck } from './feed.ts'
import type { FoundFile } from './photos.ts'

const MOST_OPEN = 64

/** A path as a manifest in `home` writes it. */
export function shownFrom(home: string, path: string): string {
  const way = relative(home, path).split(sep).join('/')
  return way === '' ? '.' : way.startsWith('.') ? way : `./${way}`
}

/** A path without its extension as a manifest makes a part of an id of it; undefined where nothing is left. */
export function pathPartOf(path: string): string | undefined {
  return path.split('/').map(partOf).filter(Boolean).join('/') || undefined
}

/** The same of a value of a table. */
export function valuePartOf(value: string): string | undefined {
  return partOf(value) || undefined
}

/** The files of a folder and of those in it; none whose name, or whose folder's name, begins with a dot. */
export async function filesOf(folder: string): Promise<FoundFile[]> {
  const names = (await readdir(folder, { recursive: true }))
    .map((name) => name.split(sep).join('/'))
    .filter((name) => !/(^|\/)\./.test(name))
    .sort()
  const found: FoundFile[] = []
  for (let from = 0; from < names.length; from += MOST_OPEN) {
    const some = names.slice(from, from + MOST_OPEN)
    const facts = await Promise.all(
      some.map(async (path) => ({ path, facts: await factsOf(join(folder, path)) })),
    )
    for (const { path, facts: known } of facts) if (known) found.push({ path, ...known })
  }
  return found
}

/** The rows of a table. Its problems go to stderr. Throws UsageError and ManifestRejected. */
export async function feedOf(path: string, shown: string, io: Io): Promise<Feed> {
  const text = await manifestFiles().readText(path)
  if (typeof text !== 'string') throw new UsageError(absence(shown, text).filter(Boolean).join('; '))
  const { file, columns, rows, problems } = readTable(shown, text)
  if (problems.length > 0) {
    const findings = new Findings()
    for (const problem of problems) findings.add(problem)
    io.stderr.write(`${renderProblems(findings.diagnostics(file), { color: io.stderr.color })}\n`)
    throw new ManifestRejected(`${shown} cannot be used`)
  }
  return {
    columns: columns.map(({ name }) => name),
    rows: rows.map(({ number, id, fields }) => ({
      number,
      ...(id === undefined ? {} : { id }),
      values: new Map([...fields].map(([name, value]) => [name, textOf(value) ?? ''])),
    })),
  }
}

/** Looks at values as references: an https address as it is, a path from the manifest's folder or from the table's. */
export function photoCheck(home: string, table: string): PhotoCheck {
  const folders = [...new Set([dirname(table), home])].map((folder) => ({
    folder,
    form: folder === home ? '' : `${shownFrom(home, folder)}/`,
  }))
  return async (value) => {
    if (value === '') return { problem: 'it names no photograph' }
    if (/^https:\/\//i.test(value)) return { form: '' }
    if (/^http:\/\//i.test(value)) return { problem: `${value} is no https address` }
    for (const { folder, form } of folders) {
      const facts = await factsOf(resolve(folder, value))
      if (!facts) continue
      if (facts.mimeType === undefined) return { problem: `${value} is no PNG, JPEG, WebP, HEIC or HEIF` }
      if (facts.bytes > MAX_REFERENCE_BYTES) return { problem: `${value} has ${fileSize(facts.bytes)}` }
      return { form }
    }
    return { problem: `there is no file ${value}` }
  }
}

/** Size and type of a file; undefined where there is none. */
async function factsOf(path: string): Promise<Omit<FoundFile, 'path'> | undefined> {
  try {
    const facts = await stat(path)
    if (!facts.isFile()) return undefined
    await using file = await open(path)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0)
    const mimeType = sniff(buffer.subarray(0, bytesRead))
    return { bytes: facts.size, ...(mimeType ? { mimeType } : {}) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return undefined
  }
}
