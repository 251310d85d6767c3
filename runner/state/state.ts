// Where a manifest's state lies and how it is written: the lock beside the manifest, a journal per run under
// `.proofsheet/`, pictures under the output folder.
// Rules: an entry is appended to the journal before anything else is done with it; the lock is replaced by renaming; a
// journal is removed only after the lock that holds its entries is in place, and never while its run lives. So SIGKILL
// at any moment loses nothing that was appended.
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import {
  type Lock,
  type LockEntry,
  merge,
  readEntries,
  unreadableLines,
  writeEntry,
  writeLock,
} from './lock.ts'

export type State = {
  /** The folder of state: `.proofsheet/` beside the manifest. */
  folder: string
  lockPath: string
  /** Lines of the lock that cannot be read. */
  unreadable: number
  /** The newest entry of every item that was ever made or tried. */
  lock(): Lock
  /** Adds an entry; it is on disk when this returns. */
  record(entry: LockEntry): void
  /** Writes the lock and removes the journals of runs that have ended, this one included. */
  fold(): void
}

/** The paths of a manifest's state. */
export function pathsOf(manifestPath: string): {
  folder: string
  lockPath: string
  journals: string
  stem: string
} {
  const path = resolve(manifestPath)
  const stem = basename(path).replace(/\.ya?ml$/i, '')
  const folder = join(dirname(path), '.proofsheet')
  return {
    folder,
    lockPath: join(dirname(path), `${stem}.lock.jsonl`),
    journals: join(folder, 'journal'),
    stem,
  }
}

/** Opens the state of a manifest. Writes nothing until `record` or `fold` is called. `runId` names this run's journal
 *  and holds the process id, so that others know whether it lives. */
export function openState(
  manifestPath: string,
  run: { pid: number; startedAt: number },
  isAlive: (pid: number) => boolean,
): State {
  const { folder, lockPath, journals, stem } = pathsOf(manifestPath)
  const own = join(journals, `${stem}.${run.pid}.${run.startedAt}.jsonl`)
  const found = () =>
    listFiles(journals).flatMap((file) => {
      const match = /^(.+)\.(\d+)\.\d+\.jsonl$/.exec(file)
      return match?.[1] === stem ? [{ path: join(journals, file), pid: Number(match[2]) }] : []
    })
  // Journals before the lock: another run puts the lock in place before it removes its journal.
  const readAll = () => {
    const entries = found().map(({ path }) => readEntries(readText(path)))
    return entries.reduce(merge, readEntries(readText(lockPath)))
  }
  let lock = readAll()
  return {
    folder,
    lockPath,
    unreadable: unreadableLines(readText(lockPath)),
    lock: () => lock,
    record(entry) {
      mkdirSync(journals, { recursive: true })
      appendFileSync(own, `${writeEntry(entry)}\n`, { flush: true })
      lock = merge(lock, new Map([[entry.id, entry]]))
    },
    fold() {
      const journalsNow = found()
      if (journalsNow.length === 0) return
      lock = merge(readAll(), lock)
      const draft = `${lockPath}.${run.pid}.tmp`
      writeFileSync(draft, writeLock(lock), { flush: true })
      renameSync(draft, lockPath)
      for (const { path, pid } of journalsNow)
        if (path === own || pid === run.pid || !isAlive(pid)) rmSync(path, { force: true })
    },
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
