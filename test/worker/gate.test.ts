// The ProviderGate object: its queue, its leases, and whom it wakes. The clock is put forward by hand.
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Generation } from '../../worker/generation/object.ts'
import { type Entry, gateName } from '../../worker/providers/gate.ts'
import type { PaceReport, PaceRules } from '../../worker/providers/pace.ts'
import { env } from './setup/bindings.ts'

const RULES: PaceRules = { concurrency: 2 }
const DONE: PaceReport = { kind: 'done' }

/** Far ahead, so that no alarm fires by itself. */
const START = Date.UTC(2090, 0)

vi.setConfig({ testTimeout: 30_000 })

/** Whose turn it was said to be. */
let woken: string[]

beforeEach(() => {
  woken = []
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  vi.spyOn(Generation.prototype, 'turn').mockImplementation(async function (this: Generation) {
    woken.push((this as unknown as { ctx: DurableObjectState }).ctx.id.name!)
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

function newGate(rules = RULES) {
  const name = crypto.randomUUID()
  const stub = () => env.GATE.get(env.GATE.idFromName(name))
  const leases = new Map<string, string>()
  return {
    leases,
    async enter(id: string, hasOther = false): Promise<Entry> {
      const entry = (await stub().enter(id, rules, hasOther)) as Entry
      if (entry.kind === 'go') leases.set(id, entry.lease)
      return entry
    },
    leave: async (id: string, report = DONE) => void (await stub().leave(id, leases.get(id)!, report)),
    withdraw: async (id: string) => void (await stub().withdraw(id)),
    alarmAt: () => runInDurableObject(stub(), (_, state) => state.storage.getAlarm()),
    wake: () => runDurableObjectAlarm(stub()),
    count: (table: string) =>
      runInDurableObject(stub(), (_, { storage }) =>
        Number(storage.sql.exec(`SELECT count(*) AS n FROM ${table}`).one().n),
      ),
  }
}

/** The ids of those who may call now, of those who ask in this order. */
async function passed(gate: ReturnType<typeof newGate>, ids: readonly string[]): Promise<string[]> {
  const kinds: string[] = []
  for (const id of ids) kinds.push((await gate.enter(id)).kind)
  return ids.filter((_, index) => kinds[index] === 'go')
}

/** Waits for who is woken. `vi.waitFor` would put the clock forward. */
async function turns(ids: string[]): Promise<void> {
  for (let looks = 0; looks < 200 && woken.length < ids.length; looks++) await scheduler.wait(5)
  expect(woken).toEqual(ids)
}

const pass = (ms: number) => void vi.setSystemTime(Date.now() + ms)

describe('the queue', () => {
  test('no more go than the limit; who waits is woken in the order in which it came, as slots are freed', async () => {
    const gate = newGate()
    expect(await passed(gate, ['a', 'b', 'c', 'd', 'e'])).toEqual(['a', 'b'])
    await gate.leave('b')
    await turns(['c'])
    expect(await passed(gate, ['c'])).toEqual(['c'])
    await gate.leave('a')
    await gate.leave('c')
    await turns(['c', 'd', 'e'])
    expect(await passed(gate, ['e', 'd'])).toEqual(['e', 'd'])
  })

  test('a slot that is kept for who was woken is nobody else’s', async () => {
    const gate = newGate({ concurrency: 1 })
    await passed(gate, ['a', 'b', 'c'])
    await gate.leave('a')
    expect(await passed(gate, ['c', 'new', 'a'])).toEqual([])
    expect(await passed(gate, ['b'])).toEqual(['b'])
  })

  test('who asks again keeps its place', async () => {
    const gate = newGate({ concurrency: 1 })
    await passed(gate, ['a', 'b', 'c', 'b', 'b'])
    await gate.leave('a')
    await turns(['b'])
    expect(await gate.count('waiting')).toBe(2)
  })

  test('who withdraws is not waited for, and what was kept for it goes to the next', async () => {
    const gate = newGate({ concurrency: 1 })
    await passed(gate, ['a', 'b', 'c', 'd'])
    await gate.withdraw('b')
    await gate.leave('a')
    await turns(['c'])
    await gate.withdraw('c')
    await turns(['c', 'd'])
    await gate.withdraw('nobody')
    expect(await passed(gate, ['d'])).toEqual(['d'])
  })

  test('who is woken and does not come loses its turn, and has it again later, before those who came after', async () => {
    const gate = newGate({ concurrency: 1 })
    await passed(gate, ['a', 'b', 'c', 'd'])
    await gate.leave('a')
    await turns(['b'])
    expect((await gate.alarmAt())! - Date.now()).toBe(5_000)
    pass(5_000)
    await gate.wake()
    expect(woken).toEqual(['b', 'c'])
    expect(await passed(gate, ['c'])).toEqual(['c'])
    pass(30_000)
    await gate.leave('c')
    await turns(['b', 'c', 'b'])
    expect(await passed(gate, ['d', 'b'])).toEqual(['b'])
  })

  test('who never comes is forgotten in the end', async () => {
    const gate = newGate({ concurrency: 1 })
    await passed(gate, ['a', 'gone'])
    await gate.leave('a')
    let wakes = 0
    for (let alarm = await gate.alarmAt(); alarm !== null && wakes < 30; alarm = await gate.alarmAt()) {
      vi.setSystemTime(Math.max(alarm, Date.now()))
      await gate.wake()
      wakes++
    }
    expect(woken).toEqual(Array(6).fill('gone'))
    expect(await gate.count('waiting')).toBe(0)
  })

  test('who is further behind asks again later, up to a quarter of an hour', async () => {
    const gate = newGate({ concurrency: 1 })
    await gate.enter('first')
    const entries = await Promise.all(Array.from({ length: 500 }, (_, index) => gate.enter(`w${index}`)))
    const delays = entries.map((entry) => (entry.kind === 'wait' ? entry.recheckAt - Date.now() : 0))
    expect([delays[0], delays[100], delays[499]]).toEqual([60_000, 260_000, 900_000])
  })
})

describe('leases', () => {
  test('a gate that is restarted knows who calls and who waits', async () => {
    const gate = newGate({ concurrency: 1 })
    await passed(gate, ['a', 'b', 'c'])
    await abortAllDurableObjects()
    expect(await passed(gate, ['new'])).toEqual([])
    await gate.leave('a')
    await turns(['b'])
    await abortAllDurableObjects()
    expect(await passed(gate, ['new', 'c', 'b'])).toEqual(['b'])
  })

  test('one that nobody gives back ends a quarter of an hour later', async () => {
    const gate = newGate({ concurrency: 1 })
    await passed(gate, ['a', 'b'])
    expect((await gate.alarmAt())! - Date.now()).toBe(900_000)
    pass(899_999)
    expect(await passed(gate, ['b'])).toEqual([])
    pass(1)
    await gate.wake()
    expect(woken).toEqual(['b'])
    expect(await gate.count('leases')).toBe(0)
    expect(await passed(gate, ['b'])).toEqual(['b'])
  })

  test('one that its holder has not heard of is replaced, and the old one is nothing any more', async () => {
    const gate = newGate({ concurrency: 1 })
    await passed(gate, ['a', 'b'])
    const lost = gate.leases.get('a')!
    expect(await passed(gate, ['a'])).toEqual(['a'])
    const current = gate.leases.get('a')!
    gate.leases.set('a', lost)
    await gate.leave('a')
    expect(woken).toEqual([])
    expect(await gate.count('leases')).toBe(1)
    gate.leases.set('a', current)
    await gate.leave('a')
    await gate.leave('a')
    await turns(['b'])
  })

  test('of twenty who ask at once and again, never more go than the limit', async () => {
    const gate = newGate({ concurrency: 3 })
    const ids = Array.from({ length: 20 }, (_, index) => `g${index}`)
    const out = new Set<string>()
    const finished: string[] = []
    let most = 0
    const ask = async (id: string) => {
      const { kind } = await gate.enter(id)
      if (kind !== 'go') return
      out.add(id)
      most = Math.max(most, out.size)
      await gate.enter('probe').then(() => gate.withdraw('probe'))
      out.delete(id)
      finished.push(id)
      await gate.leave(id)
    }
    await Promise.all(ids.map(ask))
    for (let from = 0; finished.length < ids.length; from = woken.length) {
      while (woken.length === from) await scheduler.wait(1)
      await Promise.all(
        woken
          .slice(from)
          .filter((id) => ids.includes(id) && !finished.includes(id))
          .map(ask),
      )
    }
    expect(most).toBe(3)
    expect(new Set(finished).size).toBe(20)
  })
})

describe('pauses', () => {
  const told: PaceReport = { kind: 'throttled', retryAfterMs: 20_000 }
  const overloaded: PaceReport = { kind: 'throttled', isOverload: true, message: 'the model is overloaded' }
  const quota: PaceReport = { kind: 'quota', message: 'per day' }

  test('everybody waits until the provider’s own delay has passed, and then goes in order', async () => {
    const gate = newGate()
    await passed(gate, ['a', 'b', 'c'])
    await gate.leave('b', told)
    expect(await gate.enter('b')).toEqual({ kind: 'wait', recheckAt: Date.now() + 80_000 })
    await gate.leave('a', { kind: 'unrelated' })
    expect((await gate.alarmAt())! - Date.now()).toBe(20_000)
    pass(19_999)
    expect(await passed(gate, ['b', 'c', 'd'])).toEqual([])
    expect(woken).toEqual([])
    pass(1)
    await gate.wake()
    // The one that was refused has its place back, before the one that came after it. The limit is 1.8 now.
    expect(woken).toEqual(['b'])
    expect(await passed(gate, ['c', 'b'])).toEqual(['b'])
  })

  test('who was refused comes back to its place, though the gate was restarted meanwhile; for a quarter of an hour', async () => {
    const gate = newGate({ concurrency: 2 })
    await passed(gate, ['a', 'z', 'b'])
    await gate.leave('a', told)
    await gate.leave('z', told)
    await abortAllDurableObjects()
    await gate.enter('a')
    pass(80_000)
    expect(await passed(gate, ['b', 'a'])).toEqual(['a'])
    pass(900_000)
    await gate.leave('a', told)
    expect(await gate.count('refused')).toBe(1)
    await gate.withdraw('a')
    expect(await gate.count('refused')).toBe(0)
  })

  test('a used-up quota is told to all who wait, with the provider’s words and when they were said', async () => {
    const gate = newGate()
    const since = Date.now()
    await passed(gate, ['a', 'b', 'c', 'd'])
    await gate.leave('a', quota)
    await turns(['c', 'd'])
    pass(9_000)
    const answer = { kind: 'quota', message: 'per day', since }
    expect([await gate.enter('c'), await gate.enter('d'), await gate.enter('new')]).toEqual(
      Array(3).fill(answer),
    )
    expect(await gate.count('waiting')).toBe(0)
    await gate.leave('b', quota)
    pass(600_000)
    expect(await passed(gate, ['e', 'f'])).toEqual(['e'])
    await gate.leave('e')
    await turns(['c', 'd', 'f'])
    expect(await passed(gate, ['f', 'g'])).toEqual(['f', 'g'])
  })

  test('who has another way does not wait in an overload that lasts; who has none does', async () => {
    const gate = newGate()
    await gate.enter('a')
    expect((await gate.enter('way', true)).kind).toBe('go')
    expect((await gate.enter('patient')).kind).toBe('wait')
    expect((await gate.enter('late', true)).kind).toBe('wait')
    const since = Date.now()
    for (const pause of [1_000, 2_000, 4_000]) {
      await gate.leave('a', overloaded)
      expect((await gate.enter('a')).kind).toBe('wait')
      if (pause === 4_000) break
      pass(pause)
      // The other one that was called says nothing.
      if (pause === 1_000) await gate.leave('way', { kind: 'unrelated' })
      expect((await gate.enter('a')).kind).toBe('go')
    }
    await turns(['a', 'late'])
    const told = { kind: 'overloaded', message: 'the model is overloaded', since }
    expect([await gate.enter('late', true), await gate.enter('way', true)]).toEqual([told, told])
    expect((await gate.enter('patient')).kind).toBe('wait')
    pass(4_000)
    expect(await passed(gate, ['a'])).toEqual(['a'])
  })

  test('calls per minute are counted where the operator says how many', async () => {
    const gate = newGate({ concurrency: 64, perMinute: 3 })
    const ids = ['a', 'b', 'c', 'd', 'e']
    expect(await passed(gate, ids.slice(0, 2))).toEqual(['a', 'b'])
    for (const id of ['a', 'b']) await gate.leave(id)
    pass(10_000)
    expect(await passed(gate, ids.slice(2))).toEqual(['c'])
    expect((await gate.alarmAt())! - Date.now()).toBe(51_000)
    pass(51_000)
    await gate.wake()
    expect(woken).toEqual(['d', 'e'])
    expect(await passed(gate, ['d', 'e', 'f'])).toEqual(['d', 'e'])
  })
})

test('a gate is that of a provider, a model and the key that pays', () => {
  const name = (key: string) =>
    gateName({ ...env, APIYI_API_KEY: key }, { id: 'apiyi' }, 'gemini-3-pro-image')
  expect(name('apiyi-key')).toMatch(/^apiyi\/gemini-3-pro-image\/[0-9a-f]{16}$/)
  expect(name('apiyi-key')).toBe(gateName(env, { id: 'apiyi' }, 'gemini-3-pro-image'))
  expect(name('another')).not.toBe(name('apiyi-key'))
})
