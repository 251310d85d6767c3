// The Generation objects from inside: their records, their alarms and their crashes.
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { vi } from 'vitest'
import { isEnded } from '../../../core/api.ts'
import { marketOf } from '../../../core/market.ts'
import { RequestSchema } from '../../../core/request.ts'
import type { Attempt, GenerationRecord, Wish } from '../../../worker/generation/record.ts'
import { wishOf } from '../../../worker/generation/wish.ts'
import { gateName } from '../../../worker/providers/gate.ts'
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

/** The gate before the route that a generation takes now. */
function gateOf({ routes, attempts }: GenerationRecord) {
  const { provider, model } = routes[attempts.at(-1)?.route ?? 0]!
  return env.GATE.get(env.GATE.idFromName(gateName(env, { id: provider }, model)))
}

/** The generation at its end, or when it is there, without waiting: whenever it and its gate sleep, the clock is put forward. `waitedMs` are
 *  the times between its attempts. Needs a fake `Date`. */
export async function hurry(
  id: string,
  isThere = ({ status }: GenerationRecord) => isEnded(status),
): Promise<{ record: GenerationRecord; waitedMs: number[] }> {
  for (let steps = 0; steps < 200; steps++) {
    const record = await recordOf(id)
    const { attempts } = record
    if (isThere(record)) {
      const pause = (index: number) => attempts[index + 1]!.startedAt - attempts[index]!.ending!.endedAt
      return { record, waitedMs: attempts.slice(1).map((_, index) => pause(index)) }
    }
    const gate = gateOf(record)
    const own = (await alarmOf(id)) ?? NEVER
    const gates = (await runInDurableObject(gate, (_, state) => state.storage.getAlarm())) ?? NEVER
    // The first step is that of a generation that was planted: it takes no time.
    if (steps > 0 || own !== NEVER) vi.setSystemTime(Math.max(Date.now(), Math.min(own, gates)))
    await (steps > 0 && gates < own ? runDurableObjectAlarm(gate) : wake(id))
  }
  throw new Error(`${id} goes on for ever`)
}
