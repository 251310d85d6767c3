// What loading a manifest asks of the world outside: texts, pictures, lists of files. The disk behind it is in files.ts.
import type { ReferenceType } from '../../core/models.ts'
import type { Absent } from './absence.ts'

/** A file that is there. No `mimeType`: its first bytes are no picture of ours. */
export type ReferenceFile = { sha256: string; mimeType?: ReferenceType; bytes: number }

/** A folder that cannot be looked into, as the pattern leads to it; `unreadable` is the system's reason. */
export type ClosedFolder = { folder: string; unreadable: string }

/** All that loading touches outside itself. */
export type ManifestEffects = {
  /** UTF-8 text of at most MAX_TEXT_BYTES: of the manifest by the path it was given, else by absolute paths. */
  readText(path: string): Promise<string | Absent>
  /** Digest, type and length of a picture, by absolute path. */
  readReference(path: string): Promise<ReferenceFile | Absent>
  /** The files that a pattern matches, as paths from the folder (absolute ones where the pattern is), with `/` between
   *  names and sorted by code units. `*`, `?`, `[…]` and `{a,b}` stay within a name, `**` crosses folders. What begins with
   *  a dot is left out where the pattern does not say the dot. No folder, no files; a folder that is there and cannot be
   *  looked into leaves it unknown. */
  listFiles(pattern: string, folder: string): Promise<string[] | ClosedFolder>
}
