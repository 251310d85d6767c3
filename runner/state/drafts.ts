// Pictures that are not whole yet. They lie under `.proofsheet/parts/`, named by the process that fetches them, until they
// are put in their place: what a killed run leaves is found without a walk through the pictures.
import { randomUUID } from 'node:crypto'
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { identityOf } from '../local/process.ts'

/** A path for a file that this process is about to write. `stateFolder` is `.proofsheet/`. */
export async function newDraft(stateFolder: string, pid = process.pid): Promise<string> {
  const folder = partsOf(stateFolder)
  await mkdir(folder, { recursive: true })
  return join(folder, `${pid}.${randomUUID()}`)
}

/** Puts a whole draft in its place, in one step. */
export async function placeDraft(draft: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  try {
    await rename(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    // The pictures are on another disk.
    const near = `${path}.part`
    await copyFile(draft, near)
    await rename(near, path)
    await rm(draft)
  }
}

/** Removes the drafts of processes that are gone. */
export async function removeLostDrafts(
  stateFolder: string,
  isAlive = (pid: number) => identityOf(pid) !== undefined,
): Promise<void> {
  const folder = partsOf(stateFolder)
  for (const name of await namesIn(folder)) {
    if (!isAlive(Number.parseInt(name, 10))) await rm(join(folder, name), { force: true })
  }
}

function partsOf(stateFolder: string): string {
  return join(stateFolder, 'parts')
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
