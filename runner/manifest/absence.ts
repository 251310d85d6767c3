// Why a file has no content for us, and how a person is told.
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

/** The same of the manifest itself. */
export function noManifest(file: string, absent: Absent): Diagnostic {
  const [message, hint = 'name the manifest, as in: proofsheet plan ./catalog.yaml'] =
    'missing' in absent ? ['there is no such manifest'] : why('', absent)
  return { file, line: 1, column: 1, width: 1, path: '', message, hint, severity: 'error' }
}

function why(name: string, absent: Exclude<Absent, { missing: true }>): [message: string, hint?: string] {
  const say = (rest: string, hint?: string): [string, string?] => {
    const message = `${name} ${rest}`.trim()
    return hint === undefined ? [message] : [message, hint]
  }
  // What a manifest never is.
  const sheet = (hint: string) => (name === '' ? undefined : hint)
  if ('notAFile' in absent) return say('is a folder, not a file')
  if ('unreadable' in absent) return say(`cannot be read: ${absent.unreadable}`)
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

/** `7.5 MiB`. */
export function mebibytes(bytes: number): string {
  const count = bytes / 1024 / 1024
  return `${Number.isInteger(count) ? count : count.toFixed(1)} MiB`
}
