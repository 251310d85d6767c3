// The files a manifest names: each is read once, however many items use it, and judged where it is named. Reads through
// the effects only; what a picture is, its first bytes say.
import PQueue from 'p-queue'
import { mebibytes } from '../../core/media.ts'
import { MAX_REFERENCE_BYTES } from '../../core/models.ts'
import { type Absent, absence } from './absence.ts'
import type { ManifestEffects, ReferenceFile } from './effects.ts'
import type { ItemReference } from './item.ts'
import { plainFile } from './lines.ts'
import type { Findings, SourceFile } from './problems.ts'
import type { Wanted } from './references.ts'

/** What was read, by absolute path. */
export type Files = {
  pictures: ReadonlyMap<string, ReferenceFile | Absent>
  prompts: ReadonlyMap<string, Prose | Absent>
}

/** The text of a prompt's file, line ends as `\n`. */
export type Prose = { file: SourceFile; text: string }

// The files to read: absolute paths of pictures, and those of prompts with the paths as they were written.
type ToRead = { pictures: Iterable<string>; prompts: Iterable<{ file: string; shown: string }> }

// Enough to keep a disk busy without holding many pictures open.
const FILES_AT_ONCE = 8

/** Reads each file once, however often it is named. */
export async function readFiles({ pictures, prompts }: ToRead, fx: ManifestEffects): Promise<Files> {
  const queue = new PQueue({ concurrency: FILES_AT_ONCE })
  const each = async <T>(names: Iterable<string>, read: (path: string) => Promise<T>) => {
    const tasks = [...new Set(names)].map((path) => async () => [path, await read(path)] as const)
    return new Map(await queue.addAll(tasks))
  }
  const shown = new Map(Array.from(prompts, ({ file, shown }) => [file, shown]))
  const prose = async (path: string): Promise<Prose | Absent> => {
    const written = await fx.readText(path)
    if (typeof written !== 'string') return written
    const text = written.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
    return { file: plainFile(shown.get(path) ?? path, text), text }
  }
  const [found, texts] = await Promise.all([
    each(pictures, (path) => fx.readReference(path)),
    each(shown.keys(), prose),
  ])
  return { pictures: found, prompts: texts }
}

/** The reference with its picture; undefined after a problem. */
export function withPicture(
  wanted: Wanted,
  item: string,
  files: Files,
  findings: Findings,
): ItemReference | undefined {
  const { at, ...reference } = wanted
  if (reference.kind !== 'file') return reference
  const { shown } = reference
  const file = files.pictures.get(reference.path)
  const fail = (cause: string, message: string, hint?: string) => {
    findings.add({ at, cause, message, hint, item, subject: shown })
    return undefined
  }
  if (!file) return undefined
  if (!('sha256' in file)) {
    const [message, hint] = absence(shown, file)
    const inside = 'notAFile' in file ? `${shown.replace(/\/$/, '')}/* stands for the pictures in it` : hint
    return fail('absent', message, inside)
  }
  const { mimeType, bytes } = file
  if (!mimeType)
    return fail(
      'type',
      `\`${shown}\` is no PNG, JPEG, WebP, HEIC or HEIF picture`,
      'its first bytes tell, not its name: convert it',
    )
  if (bytes > MAX_REFERENCE_BYTES) {
    const most = mebibytes(MAX_REFERENCE_BYTES)
    return fail(
      'size',
      `\`${shown}\` has ${mebibytes(bytes)}; a reference has at most ${most}`,
      'make it smaller',
    )
  }
  return { ...reference, ...file, mimeType }
}
