// One server per storage. The lock is SQLite's on an empty database: the operating system drops it with its holder,
// so that a killed server never leaves a lock behind and nobody has to guess whether one is stale.
import { DatabaseSync } from 'node:sqlite'

/** SQLITE_BUSY: somebody else holds the lock. */
const BUSY = 5

/** How long the last holder may take to go, in ms. */
const PATIENCE_MS = 200

/** Locks that this process holds. Kept here, because a database that is garbage is closed, and its lock with it. */
const held = new Set<DatabaseSync>()

/** Takes the lock until the process ends. False when another process has it. */
export function takeLock(path: string): boolean {
  const database = new DatabaseSync(path, { timeout: PATIENCE_MS })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode === BUSY) return false
    throw error
  }
  held.add(database)
  return true
}
