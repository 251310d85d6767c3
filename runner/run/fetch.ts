// Pictures that are made but not on disk: fetched again, never bought again.
import PQueue from 'p-queue'
import { type Client, WorkerProblem, WorkerUnreachable } from '../client.ts'
import { isSystemError } from '../exit.ts'
import type { Plan, PlanItem } from '../plan/plan.ts'
import type { LockEntry } from '../state/lock.ts'
import { systemWords } from '../views/system.ts'
import type { Emit } from './events.ts'
import { fileOf, isSaved, PictureDeleted, savePicture } from './save.ts'

/** A made picture and where it belongs. */
export type Missing = { id: string; entry: LockEntry; path: string }

/** Files looked at side by side. */
const LOOKS = 64

/** What is made, selected, and not on disk. */
export async function missingPictures(plan: Plan, folder: string): Promise<Missing[]> {
  const made = plan.items.filter((p) => p.selected && p.state === 'done' && p.entry?.image)
  const looks = new PQueue({ concurrency: LOOKS })
  const found = await looks.addAll(made.map((p) => () => look(p, plan.profile, folder)))
  return found.filter((missing) => missing !== undefined)
}

async function look({ item, entry }: PlanItem, profile: string | undefined, folder: string) {
  const { profile: _, ...rest } = entry!
  const own = { ...rest, ...(profile === undefined ? {} : { profile }) }
  const path = fileOf(item, own, folder)
  return (await isSaved(own, path)) ? undefined : { id: item.id, entry: own, path }
}

export type FetchOptions = {
  /** `.proofsheet/` */
  stateFolder: string
  concurrency: number
  /** Aborted: no further one is begun. */
  stop: AbortSignal
  /** Aborted: downloads are broken off. */
  leave: AbortSignal
  /** The command that buys a picture again, for one that is lost. */
  again: (id: string) => string
  emit: Emit
  /** Keeps what is learned of a picture. */
  record: (entry: LockEntry) => void
  now: () => number
}

/** Fetches pictures; how many could not be had, and how many were not tried any more. */
export async function fetchMissing(
  missing: readonly Missing[],
  client: Client,
  { stateFolder, concurrency, stop, leave, again, emit, record, now }: FetchOptions,
): Promise<{ failed: number; left: number }> {
  const queue = new PQueue({ concurrency })
  let failed = 0
  let left = 0
  const jobs = missing.map(({ id, entry, path }) => async () => {
    if (stop.aborted) {
      left++
      return
    }
    try {
      const today = await addressed(entry, client, leave)
      // So that plan says so, too.
      if (today.image?.deletedAt && !entry.image?.deletedAt) record({ ...today, recordedAt: now() })
      await savePicture(today, path, client, { stateFolder, signal: leave })
      emit({ type: 'fetched', id, file: path })
    } catch (error) {
      if (leave.aborted) {
        left++
        return
      }
      failed++
      const lost = error instanceof PictureLost || error instanceof PictureDeleted
      const words = isSystemError(error) ? systemWords(error) : (error as Error).message
      const message = lost ? `${words}; to buy it again: ${again(id)}` : words
      emit({ type: 'unfetched', id, message })
    }
  })
  await queue.addAll(jobs)
  return { failed, left }
}

/** The worker has no such picture, and its old address answers no more. */
class PictureLost extends Error {
  override name = 'PictureLost'
}

/** The entry with the address that its picture has today; with the one in the lock where the worker does not know it. */
async function addressed(entry: LockEntry, client: Client, signal: AbortSignal): Promise<LockEntry> {
  const image = await imageOf(entry, client, signal)
  if (image) return { ...entry, image }
  try {
    const response = await client.download(entry.image!.url, signal)
    await response.body?.cancel()
    return entry
  } catch (error) {
    if (!(error instanceof WorkerUnreachable)) throw error
    throw new PictureLost(
      `${client.url} does not know this picture (its storage is gone, or it is another token's), and ${entry.image!.url} does not answer`,
      { cause: error },
    )
  }
}

async function imageOf({ generation }: LockEntry, client: Client, signal: AbortSignal) {
  try {
    return (await client.generation(generation, 0, signal)).image
  } catch (error) {
    if (error instanceof WorkerProblem && error.problem.code === 'not_found') return null
    throw error
  }
}
