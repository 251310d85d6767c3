// The files a manifest names: each is read once, however many items use it, and judged where it is named. Reads through
// the effects only; what a picture is, its first bytes say.
import PQueue from 'p-queue'
import { MAX_REFERENCE_BYTES, type ReferenceType } from '../../core/models.ts'
import type { Draft } from './expand.ts'
import type { ItemReference } from './item.ts'
import type { Findings } from './problems.ts'
import type { Wanted } from './references.ts'

/** Why a file has no content for us. `unreadable` is the system's reason, such as `EACCES`. */
export type Absent = { missing: true } | { notAFile: true } | { unreadable: string }

/** A file that is there. No `mimeType`: its first bytes are no picture of ours. */
export type ReferenceFile = { sha256: string; mimeType?: ReferenceType; bytes: number }

/** All that loading touches outside itself. */
export type ManifestEffects = {
  /** UTF-8 text, of the manifest by the path it was given and of prompts by absolute paths. */
  readText(path: string): Promise<string | Absent>
  /** Digest, type and length of a picture, by absolute path. */
  readReference(path: string): Promise<ReferenceFile | Absent>
}

/** What was read, by absolute path. */
export type Files = {
  pictures: ReadonlyMap<string, ReferenceFile | Absent>
  texts: ReadonlyMap<string, string | Absent>
}

// Enough to keep a disk busy without holding many pictures open.
const FILES_AT_ONCE = 8

/** Reads every file that the drafts name. */
export async function readFiles(drafts: readonly Draft[], fx: ManifestEffects): Promise<Files> {
  const references = drafts.flatMap((draft) => draft.references)
  const paths = references.flatMap((wanted) => (wanted.kind === 'file' ? [wanted.path] : []))
  const prompts = drafts.flatMap(({ prompt }) => (prompt && 'file' in prompt ? [prompt.file] : []))
  const queue = new PQueue({ concurrency: FILES_AT_ONCE })
  const each = async <T>(names: readonly string[], read: (path: string) => Promise<T>) => {
    const tasks = [...new Set(names)].map((path) => async () => [path, await read(path)] as const)
    return new Map(await queue.addAll(tasks))
  }
  const [pictures, texts] = await Promise.all([
    each(paths, (path) => fx.readReference(path)),
    each(prompts, (path) => fx.readText(path)),
  ])
  return { pictures, texts }
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
export function promptText(draft: Draft, files: Files, findings: Findings): string | undefined {
  const { prompt, scope, id } = draft
  if (!prompt) return undefined
  if ('text' in prompt) return prompt.text.trimEnd()
  const { at, file, shown } = prompt
  const content = files.texts.get(file)
  if (content === undefined) return undefined
  if (typeof content !== 'string') {
    const [message, hint] = absence(shown, content)
    findings.add({ at, cause: 'absent', message, hint, item: id, subject: shown })
    return undefined
  }
  const text = scope.text(content.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'), at, `in ${shown}: `)
  return text === undefined ? undefined : String(text).trimEnd()
}

function absence(shown: string, absent: Absent): [message: string, hint?: string] {
  if ('notAFile' in absent) return [`\`${shown}\` is no file`]
  if ('unreadable' in absent) return [`\`${shown}\` cannot be read: ${absent.unreadable}`]
  const hint = shown.startsWith('~') ? '`~` is not expanded' : 'paths start at the folder of the manifest'
  return [`there is no file \`${shown}\``, hint]
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
