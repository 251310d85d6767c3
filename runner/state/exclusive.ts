// One at a time: what several runs of one manifest must not do together. The lock is SQLite's on an empty database: the
// operating system drops it with its holder, so that a killed run never leaves one behind.
import { DatabaseSync } from 'node:sqlite'

/** SQLITE_BUSY: somebody else holds it. */
const BUSY = 5

/** Does what `work` does while nobody else does so under this path, and waits up to `patienceMs` for whoever is at it.
 *  False, and nothing done, when that was not enough. Blocks the process: what is done under it takes milliseconds. */
export function exclusively(path: string, patienceMs: number, work: () => void): boolean {
  const database = new DatabaseSync(path, { timeout: patienceMs })
  try {
    if (!begin(database)) return false
    work()
    return true
  } finally {
    // Ends the transaction, and the lock with it.
    database.close()
  }
}

function begin(database: DatabaseSync): boolean {
  try {
    // Nothing is ever written; a journal on disk would only be left behind by a kill.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if ((error as { errcode?: number }).errcode === BUSY) return false
    throw error
  }
}
