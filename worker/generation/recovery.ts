// What is done about calls during which the object died: R2 is asked what came of them, and nothing is sent again.
import { classifySilence } from '../../core/outcome.ts'
import { readCommit } from './commit.ts'
import { asResult, findPictures } from './pictures.ts'
import type { Attempt, Ending, GenerationRecord } from './record.ts'
import { adopted, isOrphan, lookedFor } from './state.ts'
import type { Rim } from './store.ts'

/** Delay before R2 is asked again how an orphaned call ended, in ms. */
const LOOK_DELAY_MS = 60_000

/** The ending of an attempt during which the object died. Throws when R2 cannot be asked. */
export async function recover({ env, now }: Rim, record: GenerationRecord, open: Attempt): Promise<Ending> {
  const committed = await readCommit(env.BUCKET, record.id, open.number)
  if (committed) return committed
  // Whether the answer held more than what was stored of it nobody knows; what is there is not lost.
  const found = await findPictures(env.BUCKET, open.pictureName)
  const message = 'the worker stopped between sending the request and storing the answer'
  return {
    verdict: classifySilence('orphaned', true, message),
    costMicroUsd: null,
    endedAt: now(),
    ...asResult(found),
  }
}

/** A call that was given up may have been carried on where the object was before: once its time is over, what it left
 *  in R2 is adopted. */
export async function seekOrphans({ env, store, log, now }: Rim): Promise<void> {
  const { record, owed } = store.state() ?? {}
  if (!record || owed?.look === undefined || owed.look > now()) return
  try {
    for (const orphan of record.attempts.filter(isOrphan)) {
      const committed = await readCommit(env.BUCKET, record.id, orphan.number)
      const found = committed ? [] : await findPictures(env.BUCKET, orphan.pictureName)
      if (committed) store.change((state) => adopted(state, orphan.number, committed, now()))
      else if (found.length > 0 && !orphan.ending!.picture)
        store.change((state) =>
          adopted(state, orphan.number, { ...orphan.ending!, ...asResult(found) }, now()),
        )
    }
    store.change(lookedFor)
  } catch (error) {
    log({ event: 'look_failed', generation: record.id, error: String(error) })
    store.owe((owing) => ({ ...owing, look: now() + LOOK_DELAY_MS }))
  }
}
