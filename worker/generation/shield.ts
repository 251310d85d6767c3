// Shield: what was bought lately for equal requests without a key, so that a client that repeats by itself does not buy
// again. Knows ids and when they were begun; how a generation stands its own object says, every time.
//
// Rules, of equal requests of one workspace:
//   1. one that ended within the last minute, was or may have been paid, and gave no picture is answered again
//   2. a request that says it is a repeat joins the latest one of the last quarter of an hour, whatever its state, and any
//      that has not ended; where there is none it is taken for overtaking what it repeats: that, having reached the worker
//      before, joins it as soon as it comes
//   3. one whose caller said how long it waits, and that had not ended by then, was left without its answer: the next equal
//      request joins it, until a minute after its end (Google's clients repeat after their own time-out, and mark nothing)
//   4. anything else is a new picture: two equal requests at once are two pictures, and a success is never shared
// An id is noted before its wish is handed over. A repeat that finds it without a record takes it over: whichever of the
// two reaches the Generation object second joins there.
import { DurableObject } from 'cloudflare:workers'
import { isEnded } from '../../core/api.ts'
import { type GenerationRequest, stableJson } from '../../core/request.ts'
import type { Env } from '../env.ts'
import { consoleLog, type Log } from '../log.ts'
import { generationStub } from '../objects.ts'
import type { Asked } from './ask.ts'
import { digestOf } from './conversation.ts'
import { sha256 } from './name.ts'
import { chargedOf, type GenerationRecord } from './record.ts'
import { askedOf } from './wish.ts'

/** For how long an answer without a picture is given again after its end, in ms. The Vercel SDK repeats for 6 s. */
export const SHIELD_MS = 60_000

/** For how long a repeat finds what it repeats, in ms: a drop-in's longest wait. */
export const REPEAT_MS = 900_000

/** Generations that are known at once. Of more equal requests in flight the oldest lose their shield. */
const KEPT = 32

/** How a request without a key is asked. */
export type Manner = {
  /** The client says that it repeats a call whose answer it did not get. */
  isRepeat: boolean
  /** Off: the caller wants a new picture in any case. A repeat of that call is a repeat all the same. */
  isShielded: boolean
  /** For how long the caller waits at least, in ms, where it said so. */
  patienceMs?: number | undefined
  /** When the request reached the worker, epoch ms; what was asked in the meantime may have overtaken it. */
  arrivedAt?: number | undefined
}

type Known = {
  id: string
  begunAt: number
  /** Its object had a record when it was last looked at. */
  isAccepted?: true
  ended?: { at: number; isInVain: boolean; isPaid: boolean }
  /** When its caller, or the latest that joined it, will have left; absent when it waits as long as it takes. */
  leavesAt?: number
  /** The id that the latest request brought which joined it because it was left. */
  joinedBy?: string
  /** It was begun by a repeat of a request that had not come yet; `by`: the id that this one brought when it came. */
  overtook?: { by?: string }
}

const KNOWN = 'known'

export class Shield extends DurableObject<Env> {
  #log: Log = consoleLog

  /** The id to use for a request: `id`, which is then noted, or that of the generation it repeats. One request at a time,
   *  so that of two nobody overlooks the other. Asked again with the same `id` it says the same. Throws when a generation
   *  cannot be asked how it stands. */
  admit(id: string, { isRepeat, isShielded, patienceMs, arrivedAt }: Manner): Promise<string> {
    return this.ctx.blockConcurrencyWhile(async () => {
      const now = Date.now()
      const known = ofUse(await this.#look(), now)
      const leaving = patienceMs === undefined ? {} : { leavesAt: now + patienceMs }
      const joined = isRepeat ? known.at(-1) : undefined
      const found = joined ?? (isShielded ? known.findLast((one) => isGivenAgain(one, now)) : undefined)
      if (found) return found.id
      const take = (one: Known, taken: Known) => {
        const changed = known.map((each) => (each === one ? taken : each))
        this.ctx.storage.kv.put(KNOWN, changed)
        return taken.id
      }
      const before = isRepeat ? undefined : known.find((one) => hasOvertaken(one, id, arrivedAt))
      if (before) return take(before, { ...before, overtook: { by: id } })
      const left = isShielded ? known.findLast((one) => one.joinedBy === id || isLeft(one, now)) : undefined
      if (left) {
        const { leavesAt: _, ...rest } = left
        return take(left, { ...rest, ...leaving, joinedBy: id })
      }
      const others = known.filter((one) => one.id !== id)
      const begun: Known = { id, begunAt: now, ...leaving, ...(isRepeat ? { overtook: {} } : {}) }
      this.ctx.storage.kv.put(KNOWN, [...others, begun].slice(-KEPT))
      this.ctx.storage.setAlarm(now + REPEAT_MS)
      return id
    })
  }

  /** Forgets what is of no use any more; with nothing left the object is gone. */
  override alarm(): Promise<void> {
    return this.ctx.blockConcurrencyWhile(async () => {
      try {
        const now = Date.now()
        const known = ofUse(await this.#look(), now)
        if (known.length === 0) return await this.ctx.storage.deleteAll()
        this.ctx.storage.kv.put(KNOWN, known)
      } catch (error) {
        // The platform repeats a throwing alarm six times only, and then this would lie here for ever.
        this.#log({ event: 'bug', error: (error as Error).stack ?? String(error) })
      }
      await this.ctx.storage.setAlarm(Date.now() + REPEAT_MS)
    })
  }

  /** What is known, with how it stands now. What has ended does not change, and is not asked again. */
  #look(): Promise<Known[]> {
    const known = this.ctx.storage.kv.get<Known[]>(KNOWN) ?? []
    return Promise.all(
      known.map(async (one) =>
        one.ended ? one : standing(one, await generationStub(this.env, one.id).read()),
      ),
    )
  }
}

/** Which requests share a shield: those of one workspace that are worded alike, ask the same providers, and are the same
 *  one of several pictures of a call. Images count by their bytes. */
export function shieldName(workspace: string, asked: Asked): string {
  const { conversation, sample = 1 } = asked
  const request = asked.request as GenerationRequest
  const words = askedOf(request, conversation && digestOf(conversation))
  return sha256(stableJson([workspace, words, request.provider ?? null, request.fallback ?? [], sample]))
}

function standing(one: Known, record: GenerationRecord | undefined): Known {
  if (!record) return one
  if (!isEnded(record.status)) return { ...one, isAccepted: true }
  // Money is or may be gone; in vain, where the caller was told of no success.
  const isPaid = record.attempts.some((attempt) => chargedOf(attempt) !== 'no')
  return {
    ...one,
    ended: { at: record.finishedAt!, isInVain: isPaid && record.status !== 'succeeded', isPaid },
  }
}

/** Rule 1. */
function isGivenAgain({ ended }: Known, now: number): boolean {
  return ended?.isInVain === true && now - ended.at <= SHIELD_MS
}

/** The second half of rule 2. Whoever asks with the same id again is told the same. */
function hasOvertaken({ overtook, begunAt }: Known, id: string, arrivedAt: number | undefined): boolean {
  if (!overtook || arrivedAt === undefined || arrivedAt >= begunAt) return false
  return overtook.by === undefined || overtook.by === id
}

/** Rule 3. */
function isLeft(one: Known, now: number): boolean {
  return one.leavesAt !== undefined && now >= one.leavesAt && isOwed(one, now)
}

/** Whether its answer may still be wanted by a caller that leaves early. */
function isOwed({ ended, leavesAt }: Known, now: number): boolean {
  if (leavesAt === undefined || !ended) return leavesAt !== undefined
  return ended.isPaid && ended.at > leavesAt && now - ended.at <= SHIELD_MS
}

/** Those that one of the rules may still find. */
function ofUse(known: readonly Known[], now: number): Known[] {
  const latest = known.at(-1)
  return known.filter((one) => {
    const isRecent = now - one.begunAt <= REPEAT_MS
    if (!one.ended) return one.isAccepted || isRecent
    return (one === latest && isRecent) || isGivenAgain(one, now) || isOwed(one, now)
  })
}
