// Where a manifest's state lies and how it is written: the lock beside the manifest, a journal per run under
// `.proofsheet/`, pictures under the output folder.
// Rules: an entry is in the journal, on the disk, before anything else is done with it; the lock is read, merged and
// replaced by one run at a time, in one step; a journal is removed only after the lock that holds its entries is in
// place, and never while its run lives. So SIGKILL at any moment loses nothing that was recorded, and runs that meet
// keep each other's entries.
import { mkdirSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { UsageError } from '../exit.ts'
import { identityOf } from '../local/process.ts'
import { appenderOf, listFiles, readText, replaceFile } from './disk.ts'
import { exclusively } from './exclusive.ts'
import {
  isConflictMarker,
  type Lock,
  type LockEntry,
  merge,
  put,
  readLines,
  slotOf,
  writeEntry,
  writeLock,
} from './lock.ts'
import { asLatest } from './tries.ts'

export type State = {
  /** The folder of state: `.proofsheet/` beside the manifest. */
  folder: string
  lockPath: string
  /** Lines of the lock that could not be read when it was opened. */
  unreadable: number
  /** The ids that those lines name. */
  spokenOf: ReadonlySet<string>
  /** The entry of every slot that was ever made or tried, as of now. */
  lock(): Lock
  /** Adds an entry; it is on disk when this returns. It counts as the latest of its slot. */
  record(entry: LockEntry): void
  /** Writes the lock and removes the journals of runs that have ended, this one included. Returns what a person should
   *  know of it, a line each; mostly nothing. */
  fold(): string[]
}

/** For how long another run may be at the lock, in ms. */
const PATIENCE_MS = 5_000

/** The paths of a manifest's state. */
export function pathsOf(manifestPath: string): {
  folder: string
  lockPath: string
  journals: string
  stem: string
} {
  const path = resolve(manifestPath)
  const stem = stemOf(path)
  const folder = join(dirname(path), '.proofsheet')
  return {
    folder,
    lockPath: join(dirname(path), `${stem}.lock.jsonl`),
    journals: join(folder, 'journal'),
    stem,
  }
}

/** Opens the state of a manifest. Writes nothing until `record` or `fold` is called. Process id and start name this
 *  run's journal, so that others know whether it lives. @throws UsageError when two manifests have one lock. */
export function openState(
  manifestPath: string,
  run: { pid: number; startedAt: number },
  isAlive = (pid: number) => identityOf(pid) !== undefined,
  patienceMs = PATIENCE_MS,
): State {
  const { folder, lockPath, journals, stem } = pathsOf(manifestPath)
  refuseTwins(manifestPath, lockPath)
  const own = join(journals, `${stem}.${run.pid}.${run.startedAt}.jsonl`)
  const journal = appenderOf(own)
  const found = () =>
    listFiles(journals).flatMap((file) => {
      const match = /^(.+)\.(\d+)\.\d+\.jsonl$/.exec(file)
      return match?.[1] === stem ? [{ path: join(journals, file), pid: Number(match[2]) }] : []
    })
  // Journals before the lock: another run puts the lock in place before it removes its journal.
  const read = () => {
    const logs = found().map((log) => ({ ...log, ...readLines(readText(log.path)) }))
    const catalog = readLines(readText(lockPath))
    return { logs, catalog, lock: merge(catalog.lock, ...logs.map((log) => log.lock)) }
  }
  const first = read()
  const recorded = new Map<string, LockEntry>()
  let lock = new Map(first.lock)
  let unreadable = first.catalog.unreadable.length

  const replace = () => {
    const { logs, catalog, lock: known } = read()
    const ended = logs.filter(({ path, pid }) => path === own || pid === run.pid || !isAlive(pid))
    setAside([
      ...catalog.unreadable.filter((line) => !isConflictMarker(line)),
      // The last line of a run that was killed may be half a line: nobody relied on it yet.
      ...ended.flatMap((log) => log.unreadable.filter(isWhole)),
    ])
    lock = new Map(merge(known, recorded))
    const kept = new Set([...lock.values()].map(({ foreign }) => foreign))
    // What a newer version wrote is in the lock as it is, or here.
    setAside([catalog, ...ended].flatMap((lines) => lines.foreign.filter((line) => !kept.has(line))))
    unreadable = 0
    replaceFile(lockPath, writeLock(lock))
    for (const { path } of ended) rmSync(path, { force: true })
  }
  /** Keeps what cannot be read, but does not belong into a lock. */
  const setAside = (lines: string[]) => {
    if (lines.length === 0) return
    const aside = appenderOf(join(folder, `unreadable-${run.startedAt}.jsonl`))
    for (const line of lines) aside.append(line)
    aside.close()
  }

  return {
    folder,
    lockPath,
    unreadable,
    spokenOf: new Set(first.catalog.unreadable.flatMap(idIn)),
    lock: () => new Map(lock),
    record(entry) {
      const latest = asLatest(entry, lock.get(slotOf(entry)))
      journal.append(writeEntry(latest))
      put(lock, latest)
      put(recorded, latest)
    },
    fold() {
      journal.close()
      if (unreadable === 0 && found().length === 0) return []
      mkdirSync(journals, { recursive: true })
      if (exclusively(join(journals, `${stem}.sqlite`), patienceMs, replace)) return []
      return [
        `${lockPath} is in use by another run, so it does not hold what this one made yet; the next run adds it from ${own}`,
      ]
    },
  }
}

/** `shop.yaml` and `shop.yml` would share a lock, and each would take the other's pictures for its own. */
function refuseTwins(manifestPath: string, lockPath: string): void {
  const path = resolve(manifestPath)
  const twin = listFiles(dirname(path)).find(
    (name) =>
      /\.ya?ml$/i.test(name) &&
      stemOf(name) === stemOf(path) &&
      // Where names differ in case only, a file system may mean the same file.
      name.toLowerCase() !== basename(path).toLowerCase(),
  )
  if (twin !== undefined)
    throw new UsageError(
      `${basename(path)} and ${twin} would share ${basename(lockPath)}; rename one of them. Nothing was sent.`,
    )
}

function stemOf(path: string): string {
  return basename(path).replace(/\.ya?ml$/i, '')
}

function isWhole(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

/** The id in what is left of a line. */
function idIn(line: string): string[] {
  const [, id] = /"id":\s*"([^"]+)"/.exec(line) ?? []
  return id === undefined ? [] : [id]
}
