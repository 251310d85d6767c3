// The files a manifest names: each is read once, however many items use it, and judged where it is named. Reads through
// the effects only; what a picture is, its first bytes say.
import PQueue from 'p-queue'
import { MAX_REFERENCE_BYTES, type ReferenceType } from '../../core/models.ts'
import { type Absent, absence, mebibytes } from './absence.ts'
import type { PromptSource } from './expand.ts'
import type { ItemReference } from './item.ts'
import { plainFile } from './lines.ts'
import type { Findings, SourceFile } from './problems.ts'
import type { Wanted } from './references.ts'
import type { Scope } from './scope.ts'

/** A file that is there. No `mimeType`: its first bytes are no picture of ours. */
export type ReferenceFile = { sha256: string; mimeType?: ReferenceType; bytes: number }

/** All that loading touches outside itself. */
export type ManifestEffects = {
  /** UTF-8 text of at most MAX_TEXT_BYTES: of the manifest by the path it was given, else by absolute paths. */
  readText(path: string): Promise<string | Absent>
  /** Digest, type and length of a picture, by absolute path. */
  readReference(path: string): Promise<ReferenceFile | Absent>
  /** The files that a pattern matches, as paths from the folder (absolute ones where the pattern is), with `/` between
   *  names and sorted by code units. `*`, `?`, `[…]` and `{a,b}` stay within a name, `**` crosses folders. What begins with
   *  a dot is left out where the pattern does not say the dot. No folder, no files. */
  listFiles(pattern: string, folder: string): Promise<string[]>
}

/** What was read, by absolute path. */
export type Files = {
  pictures: ReadonlyMap<string, ReferenceFile | Absent>
  prompts: ReadonlyMap<string, Prose | Absent>
}

/** The text of a prompt's file, line ends as `\n`. */
export type Prose = { file: SourceFile; text: string }

/** The files to read: absolute paths of pictures, and prompts of which some are files. */
export type ToRead = { pictures: Iterable<string>; prompts: Iterable<PromptSource> }

// Enough to keep a disk busy without holding many pictures open.
const FILES_AT_ONCE = 8

/** Reads each file once, however often it is named. */
export async function readFiles({ pictures, prompts }: ToRead, fx: ManifestEffects): Promise<Files> {
  const queue = new PQueue({ concurrency: FILES_AT_ONCE })
  const each = async <T>(names: Iterable<string>, read: (path: string) => Promise<T>) => {
    const tasks = [...new Set(names)].map((path) => async () => [path, await read(path)] as const)
    return new Map(await queue.addAll(tasks))
  }
  const shown = new Map([...prompts].flatMap((each) => ('file' in each ? [[each.file, each.shown]] : [])))
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
  if (!('sha256' in file)) return fail('absent', ...absence(shown, file))
  const { mimeType, bytes } = file
  if (!mimeType) return fail('type', `\`${shown}\` is no PNG, JPEG, WebP, HEIC or HEIF picture`)
  if (bytes > MAX_REFERENCE_BYTES) {
    const most = `${MAX_REFERENCE_BYTES / 1024 / 1024} MiB`
    return fail(
      'size',
      `\`${shown}\` has ${mebibytes(bytes)}; a reference has at most ${most}`,
      'make it smaller',
    )
  }
  return { ...reference, ...file, mimeType }
}

/** The prompt as the model gets it: rendered, line ends as `\n`, nothing after the last word. An editor's final newline
 *  changes no picture, and must not make one be bought again. Undefined after a problem. */
export function promptText(
  prompt: PromptSource,
  scope: Scope,
  files: Files,
  findings: Findings,
): string | undefined {
  if ('text' in prompt) return prompt.text.trimEnd()
  const { at, file, shown } = prompt
  const content = files.prompts.get(file)
  if (content === undefined) return undefined
  if (!('text' in content)) {
    const [message, hint] = absence(shown, content)
    findings.add({ at, cause: 'absent', message, hint, item: scope.id, subject: shown })
    return undefined
  }
  const text = scope.text(content.text, [content.file])
  return text === undefined ? undefined : String(text).trimEnd()
}
