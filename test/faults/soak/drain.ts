// The end of a soak: nobody asks any more, and everything that was begun comes to its end. First in real time; then the
// clock is put forward from alarm to alarm, because what was put off may be put off for minutes or days.
import { listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { vi } from 'vitest'
import { isEnded } from '../../../core/api.ts'
import type { GenerationRecord } from '../../../worker/generation/record.ts'
import { env } from '../../worker/setup/bindings.ts'

const KINDS = ['GENERATION', 'GATE', 'ACCOUNT', 'BATCH', 'SHIELD'] as const
export type Kind = (typeof KINDS)[number]

export type Waking = { kind: Kind; stub: DurableObjectStub; at: number }

/** Alarms this close to each other go off at once, in ms. */
const TOGETHER_MS = 1_000

/** Delay before it is looked again whether a call has come back, in ms. */
const OPEN_MS = 250

async function isAnyOpen(): Promise<boolean> {
  const open = await Promise.all(
    (await objectsOf('GENERATION')).map((stub) =>
      runInDurableObject(stub, (_, { storage: { kv } }) => {
        const record = kv.get<GenerationRecord>('record')
        return record !== undefined && !isEnded(record.status)
      }),
    ),
  )
  return open.includes(true)
}

/** Every object of a kind that was ever called. */
export async function objectsOf(kind: Kind): Promise<DurableObjectStub[]> {
  const namespace = env[kind] as DurableObjectNamespace
  return (await listDurableObjectIds(namespace)).map((id) => namespace.get(id))
}

/** Objects that will wake, the earliest first. */
export async function alarms(): Promise<Waking[]> {
  const objects = await Promise.all(
    KINDS.map(async (kind) => (await objectsOf(kind)).map((stub) => ({ kind, stub }))),
  )
  const waking = await Promise.all(
    objects.flat().map(async ({ kind, stub }) => {
      const at = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())
      return at === null ? [] : [{ kind, stub, at }]
    }),
  )
  return waking.flat().sort((a, b) => a.at - b.at)
}

/** Puts the clock forward until no object has anything to do. Returns who still has after `rounds`. From here on `Date` is
 *  a fake one. `pauseMs`: real time between two rounds, for queues to deliver in. */
export async function drain(rounds: number, pauseMs: number): Promise<Waking[]> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  for (let round = 0; round < rounds; round++) {
    const waking = await alarms()
    const first = waking[0]
    if (!first) {
      if (!(await isAnyOpen())) return []
      // An alarm that is running is not set any more: its call is still out.
      await scheduler.wait(OPEN_MS)
      continue
    }
    if (first.at > Date.now()) vi.setSystemTime(first.at)
    const due = waking.filter(({ at }) => at <= Date.now() + TOGETHER_MS)
    await Promise.all(due.map(({ stub }) => runDurableObjectAlarm(stub)))
    if (waking.some(({ kind }) => kind === 'BATCH')) await scheduler.wait(pauseMs)
  }
  return alarms()
}
