// The file that a flag names and a command writes. Rules: what is there already is replaced only when it is of the same
// kind, which its first bytes tell, and never when the manifest needs it; what can be refused is refused before the work;
// a file is replaced in one step, so that a full disk costs nothing that was there.
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { UsageError } from './exit.ts'
import type { Io } from './io.ts'
import { pathsOf } from './state/state.ts'

/** What a command writes where it is told to. */
export type Kind = {
  /** As it is called where something else is in its place: `saved plan`. */
  name: string
  /** The flag that names the file. */
  flag: '-o' | '--out'
  /** What every file of this kind begins with. */
  begins: RegExp
}

export type Target = {
  /** Absolute. */
  path: string
  /** Writes the file. `sources` are the files that the manifest is read from, absolute. Throws UsageError. */
  write(text: string, sources: ReadonlySet<string>): void
}

/** The longest beginning that tells a kind, in bytes. */
const HEAD_BYTES = 4096

/** The file that `shown` names. Throws UsageError where it cannot be written, or holds what no command could write anew. */
export function targetOf(
  shown: string,
  kind: Kind,
  manifest: string,
  { cwd, pid }: Pick<Io, 'cwd' | 'pid'>,
): Target {
  const { name, flag, begins } = kind
  const remedy = `name another file with ${flag}`
  const refuse = (why: string) => new UsageError(`${shown} ${why}; ${remedy}`)
  const named = resolve(cwd, shown)
  const path = inWords(shown, remedy, () => trueName(named))
  const { lockPath } = pathsOf(resolve(cwd, manifest))
  const head = inWords(shown, remedy, () => headOf(path))
  if (isSame(path, resolve(cwd, manifest))) throw refuse('is the manifest')
  if (isSame(path, lockPath)) throw refuse(`is the lock of ${manifest}`)
  if (head && !begins.test(head)) throw refuse(`exists and is no ${name}`)
  return {
    path: named,
    write(text, sources) {
      if ([...sources].some((source) => isSame(path, source))) throw refuse(`is read by ${manifest}`)
      inWords(shown, remedy, () =>
        head === undefined ? writeFileSync(path, text) : replace(path, text, pid),
      )
    },
  }
}

/** Does what writes to a path that a person named; what the system has against the path is told in words, with the remedy
 *  behind them. Throws UsageError; what is no fault of the path goes through. */
export function inWords<T>(shown: string, remedy: string, touch: () => T): T {
  try {
    return touch()
  } catch (error) {
    const why = reasonOf(error, shown)
    if (why === undefined) throw error
    throw new UsageError(`${why}; ${isAbsent(error) ? 'make it, or ' : ''}${remedy}`, { cause: error })
  }
}

/** What is wrong with a path that was to be written, by the system's code; undefined where the path is not what is wrong. */
export function reasonOf(error: unknown, shown: string): string | undefined {
  const folder = dirname(shown)
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EISDIR':
      return `${shown} is a folder`
    case 'ENOENT':
      return `there is no folder ${folder} to write ${basename(shown)} into`
    case 'ENOTDIR':
    case 'EEXIST':
      return `${folder} is no folder`
    case 'EACCES':
    case 'EPERM':
      return `${shown} may not be written: permission is denied`
    case 'EROFS':
      return `${shown} lies on a disk that can only be read`
    case 'ENAMETOOLONG':
      return `the name ${shown} is too long`
    case 'ELOOP':
      return `${shown} is a link that leads to itself`
    default:
      return undefined
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

// Behind links, so that a link is kept and what it leads to is judged. Of a file that is not there yet, its folder's.
function trueName(path: string): string {
  try {
    return realpathSync.native(path)
  } catch (error) {
    if (!isAbsent(error)) throw error
    return join(realpathSync.native(dirname(path)), basename(path))
  }
}

// How a file begins; empty where there is none, undefined for what is no file and takes what it is given: a pipe, a terminal.
function headOf(path: string): string | undefined {
  const facts = statSync(path, { throwIfNoEntry: false })
  if (facts && !facts.isFile() && !facts.isDirectory()) return undefined
  accessSync(dirname(path), constants.W_OK)
  if (!facts) return ''
  accessSync(path, constants.W_OK)
  const file = openSync(path, 'r')
  try {
    const head = Buffer.alloc(HEAD_BYTES)
    return head.toString('utf8', 0, readSync(file, head, 0, HEAD_BYTES, 0))
  } finally {
    closeSync(file)
  }
}

// Also by another spelling or another link, where both are there.
function isSame(path: string, other: string): boolean {
  if (path === other) return true
  const [one, two] = [path, other].map((each) => statSync(each, { throwIfNoEntry: false, bigint: true }))
  return one !== undefined && two !== undefined && one.ino === two.ino && one.dev === two.dev
}

function replace(path: string, text: string, pid: number): void {
  const draft = join(dirname(path), `.${basename(path)}.${pid}.tmp`)
  try {
    writeFileSync(draft, text)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
