// Files as state needs them: what was written is on the disk when these functions return, and what is read is whole.
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** The text of a file; empty when there is none. */
export function readText(path: string): string {
  return whereFound(() => readFileSync(path, 'utf8'), '')
}

/** The names in a folder; none when there is none. */
export function listFiles(folder: string): string[] {
  return whereFound(() => readdirSync(folder), [])
}

/** Puts a whole file in the place of another, in one step. What an earlier try left beside it goes with it. */
export function replaceFile(path: string, text: string): void {
  const draft = `${path}.tmp`
  writeFileSync(draft, text, { flush: true })
  renameSync(draft, path)
  syncFolder(dirname(path))
}

/** A file that grows by lines. */
export type Appender = { append(line: string): void; close(): void }

/** A file to which lines are added; it is made with the first one. A file that was taken away meanwhile is made anew. */
export function appenderOf(path: string): Appender {
  let file: number | undefined
  const close = () => {
    if (file !== undefined) closeSync(file)
    file = undefined
  }
  const open = () => {
    mkdirSync(dirname(path), { recursive: true })
    file = openSync(path, 'a')
    // What a full disk cut short before ends here.
    if (fstatSync(file).size > 0) writeAll(file, '\n')
    syncFolder(dirname(path))
    return file
  }
  /** False when the file has been taken away, and the line with it. */
  const write = (line: string) => {
    const to = file ?? open()
    writeAll(to, `${line}\n`)
    fsyncSync(to)
    return fstatSync(to).nlink > 0
  }
  return {
    append(line) {
      try {
        if (write(line)) return
        close()
        write(line)
      } catch (error) {
        close()
        throw error
      }
    },
    close,
  }
}

function writeAll(file: number, text: string): void {
  for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(file, rest))
}

/** So that a new name outlives a loss of power. Some systems cannot, and need not, sync a folder. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const opened = openSync(folder, 'r')
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

function whereFound<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise
    throw error
  }
}
