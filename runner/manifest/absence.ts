// Why a file has no content for us, and how a person is told.
import { mebibytes } from '../../core/media.ts'
import type { Diagnostic } from './problems.ts'

/** The longest text that is read, in bytes: a table of many thousand rows. */
export const MAX_TEXT_BYTES = 64 * 1024 * 1024

/** Why a file has no content for us. `unreadable` is the system's reason, such as `EACCES`; a text with bytes that are none
 *  is `notText`, where `line` counts from 1. */
export type Absent =
  | { missing: true }
  | { notAFile: true }
  | { unreadable: string }
  | { tooLarge: number }
  | { notText: 'picture' | 'UTF-16' | 'binary' | 'encoding'; line: number }

/** What a person is told of a file that something names, and what to do. */
export function absence(shown: string, absent: Absent): [message: string, hint?: string] {
  const name = `\`${shown}\``
  if ('missing' in absent) {
    const hint = shown.startsWith('~') ? '`~` is not expanded' : 'paths start at the folder of the manifest'
    return [`there is no file ${name}`, hint]
  }
  return why(name, absent)
}

const NO_MANIFEST = 'name the manifest, as in: proofsheet plan ./catalog.yaml; or write one: proofsheet init'

/** The same of the manifest itself. */
export function noManifest(file: string, absent: Absent): Diagnostic {
  const [message, hint = 'name the manifest, as in: proofsheet plan ./catalog.yaml'] =
    'missing' in absent ? ['there is no such manifest', NO_MANIFEST] : why('', absent)
  return { file, line: 1, column: 1, width: 1, path: '', message, hint, severity: 'error' }
}

/** What a person is told of a folder that files are looked for in. */
export function closedFolder(folder: string, reason: string): [message: string, hint?: string] {
  const hint = permission(reason)
  const message = `the folder \`${folder}\` ${unreadable(reason)}`
  return hint === undefined ? [message] : [message, hint]
}

function unreadable(reason: string): string {
  return isForbidden(reason) ? `may not be read (${reason})` : `cannot be read (${reason})`
}

function permission(reason: string): string | undefined {
  return isForbidden(reason) ? 'change its permissions, or run as a user that may read it' : undefined
}

function isForbidden(reason: string): boolean {
  return reason === 'EACCES' || reason === 'EPERM'
}

function why(name: string, absent: Exclude<Absent, { missing: true }>): [message: string, hint?: string] {
  const say = (rest: string, hint?: string): [string, string?] => {
    const message = `${name} ${rest}`.trim()
    return hint === undefined ? [message] : [message, hint]
  }
  // What a manifest never is.
  const sheet = (hint: string) => (name === '' ? undefined : hint)
  if ('notAFile' in absent) return say('is a folder, not a file')
  if ('unreadable' in absent) return say(unreadable(absent.unreadable), permission(absent.unreadable))
  if ('tooLarge' in absent)
    return say(
      `has ${mebibytes(absent.tooLarge)}; a text has at most ${mebibytes(MAX_TEXT_BYTES)}`,
      'split it',
    )
  switch (absent.notText) {
    case 'picture':
      return say('is a picture, not a text')
    case 'UTF-16':
      return say('is UTF-16', 'save it as UTF-8')
    case 'binary':
      return say(
        `is no text: there is a zero byte in line ${absent.line}`,
        sheet('a spreadsheet is exported as CSV'),
      )
    case 'encoding':
      return say(
        `is not UTF-8: a byte in line ${absent.line} is no character`,
        sheet('save it as UTF-8; a spreadsheet calls this "CSV UTF-8"') ?? 'save it as UTF-8',
      )
  }
}
