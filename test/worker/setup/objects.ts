// The Generation objects from inside: their records, their alarms and their crashes.
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { vi } from 'vitest'
import { isEnded } from '../../../core/api.ts'
import { marketOf } from '../../../core/market.ts'
import { RequestSchema } from '../../../core/request.ts'
import type { Attempt, GenerationRecord, Wish } from '../../../worker/generation/record.ts'
import { wishOf } from '../../../worker/generation/wish.ts'
import { env } from './bindings.ts'

/** Epoch ms that no test lives to see: an alarm that is due then does not fire by itself. */
const NEVER = Date.UTC(2100, 0)

export const stub = (id: string) => env.GENERATION.get(env.GENERATION.idFromName(id))

/** The record of a generation that exists. */
export async function recordOf(id: string): Promise<GenerationRecord> {
  return (await stub(id).read())!
}

/** When the object wakes next, in epoch ms; null when it does not. */
export function alarmOf(id: string): Promise<number | null> {
  return runInDurableObject(stub(id), (_, state) => state.storage.getAlarm())
}

/** The wish of a request, as the route makes it. */
export function wish(id: string, asked: Record<string, unknown>): Wish {
  const request = RequestSchema.parse({ model: 'nano-banana-2', provider: 'apiyi', size: '512', ...asked })
  return wishOf({
    id,
    workspace: 'default',
    request,
    inputs: [],
    market: marketOf(env),
    caller: { token: 'admin' },
    imagesUrl: 'https://proofsheet.test/images',
    now: Date.now(),
  })
}

/** A generation that was asked for and has not begun; `attempts` are then said to have been dispatched. */
export async function plant(asked: Wish, attempts: readonly Attempt[] = []): Promise<void> {
  await runInDurableObject(stub(asked.id), async (object, { storage }) => {
    const { record } = (await object.ensure(asked)) as { record: GenerationRecord }
    storage.setAlarm(NEVER)
    if (attempts.length > 0) storage.kv.put('record', { ...record, status: 'running', attempts, version: 2 })
  })
}

/** Runs the alarm that is set, and waits for its end. */
export function wake(id: string): Promise<boolean> {
  return runDurableObjectAlarm(stub(id))
}

/** The generation at its end, without waiting: whenever it sleeps, its clock is put forward. Needs a fake `Date`. */
export async function hurry(id: string): Promise<{ record: GenerationRecord; waitedMs: number[] }> {
  const waitedMs: number[] = []
  while (waitedMs.length < 50) {
    const record = await recordOf(id)
    if (isEnded(record.status)) return { record, waitedMs }
    const alarm = await alarmOf(id)
    const last = record.attempts.at(-1)
    if (alarm === null || alarm === NEVER || !last?.ending) {
      await wake(id)
      continue
    }
    waitedMs.push(alarm - last.ending.endedAt)
    vi.setSystemTime(alarm)
    await wake(id)
  }
  throw new Error(`${id} goes on for ever`)
}
