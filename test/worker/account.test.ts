// The Account object by itself: what is held, what is spent, in which period, and what becomes of a hold that nobody
// settles.
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { generationId } from '../../worker/generation/name.ts'
import { Generation } from '../../worker/generation/object.ts'
import { finished } from '../../worker/generation/record.ts'
import { LOOK_MS } from '../../worker/money/account.ts'
import type { Budget } from '../../worker/money/budget.ts'
import { env } from './setup/bindings.ts'
import { plant, recordOf, stub, wish } from './setup/objects.ts'

const NOON = Date.UTC(2026, 10, 30, 12)
const HOUR_MS = 3_600_000

// The timers themselves stay real: only the clock is turned.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(NOON)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** The account of a token that no other test has. */
function account() {
  const token = `tok_${crypto.randomUUID()}`
  const object = env.ACCOUNT.get(env.ACCOUNT.idFromName(token))
  return {
    token,
    object,
    reserve: (id: string, amount: number, budget: Budget) => object.reserve(id, amount, budget),
  }
}

const committed = async (object: ReturnType<typeof account>['object'], budget: Budget = { total: 1_000 }) =>
  (await object.standing(budget)).total!.committed

const RESERVED = { kind: 'reserved' }

describe('a reservation', () => {
  test('is held until the limit is reached, to the last micro-dollar, and then refused with the figures', async () => {
    const { object, reserve } = account()
    const budget = { total: 100 }
    expect(await reserve('gen_a', 60, budget)).toEqual(RESERVED)
    expect(await reserve('gen_b', 40, budget)).toEqual(RESERVED)
    expect(await reserve('gen_c', 1, budget)).toEqual({
      kind: 'over_budget',
      period: 'total',
      limit: 100,
      committed: 100,
      remaining: 0,
      mayFit: true,
    })
    expect(await committed(object)).toBe(100)
  })

  test('that is asked for again holds nothing more, even where nothing is left', async () => {
    const { object, reserve } = account()
    for (let times = 0; times < 3; times++)
      expect(await reserve('gen_a', 100, { total: 100 })).toEqual(RESERVED)
    expect(await committed(object)).toBe(100)
  })

  test('grows with a dearer request of the same generation, if there is room', async () => {
    const { object, reserve } = account()
    await reserve('gen_a', 40, { total: 100 })
    expect(await reserve('gen_a', 100, { total: 100 })).toEqual(RESERVED)
    expect(await reserve('gen_a', 101, { total: 100 })).toMatchObject({ kind: 'over_budget', committed: 100 })
    expect(await committed(object)).toBe(100)
  })

  test('that is refused leaves nothing behind', async () => {
    const { object, reserve } = account()
    await reserve('gen_a', 101, { total: 100 })
    expect(await committed(object)).toBe(0)
  })

  test('of many at once passes no limit', async () => {
    const { object, reserve } = account()
    const asked = Array.from({ length: 50 }, (_, n) => reserve(`gen_${n}`, 10, { total: 100 }))
    const kinds = (await Promise.all(asked)).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'reserved')).toHaveLength(10)
    expect(await committed(object)).toBe(100)
  })

  test.for<[string, Budget, string]>([
    ['the day', { day: 10, month: 100, total: 100 }, 'day'],
    ['the month', { day: 100, month: 10, total: 100 }, 'month'],
    ['the whole', { day: 100, month: 100, total: 10 }, 'total'],
    ['of several the one that lasts longest', { day: 10, month: 10, total: 100 }, 'month'],
    ['of all the whole', { day: 10, month: 10, total: 10 }, 'total'],
  ])('is refused by the limit of %s', async ([, budget, period]) => {
    const { reserve } = account()
    expect(await reserve('gen_a', 11, budget)).toMatchObject({ kind: 'over_budget', period, limit: 10 })
  })
})

describe('a settlement', () => {
  test.for<[string, number | null, number]>([
    ['what it cost takes the place of what was held', 30, 30],
    ['what cost nothing comes back whole', 0, 0],
    ['an unknown cost counts as what was held', null, 60],
    ['more than was held is told as it is', 140, 140],
  ])('%s', async ([, cost, spent]) => {
    const { object, reserve } = account()
    await reserve('gen_a', 60, { total: 100 })
    // It may be told twice.
    await object.settle('gen_a', cost)
    await object.settle('gen_a', cost)
    expect(await object.standing({ total: 100 })).toEqual({
      total: { limit: 100, committed: spent, remaining: Math.max(0, 100 - spent) },
    })
    expect(await reserve('gen_b', 100 - spent + 1, { total: 100 })).toMatchObject({ kind: 'over_budget' })
  })

  test('that becomes known later takes the place of one that was not, and is not lost again', async () => {
    const { object, reserve } = account()
    await reserve('gen_a', 60, { total: 100 })
    await object.settle('gen_a', null)
    await object.settle('gen_a', 20)
    await object.settle('gen_a', null)
    expect(await committed(object)).toBe(20)
  })

  test('of what is not held counts all the same', async () => {
    const { object } = account()
    await object.settle('gen_a', 20)
    await object.settle('gen_a', 20)
    await object.settle('gen_b', null)
    await object.settle('gen_c', 0)
    expect(await committed(object)).toBe(20)
  })

  test('that was free lets the same generation be held anew', async () => {
    const { object, reserve } = account()
    await reserve('gen_a', 60, { total: 100 })
    await object.settle('gen_a', 0)
    expect(await reserve('gen_a', 60, { total: 100 })).toEqual(RESERVED)
    expect(await committed(object)).toBe(60)
  })
})

describe('periods are days and months of UTC', () => {
  const budget = { day: 100, month: 150, total: 200 }

  test('a new day and a new month begin at midnight, and the whole goes on', async () => {
    const { object, reserve } = account()
    vi.setSystemTime(Date.UTC(2026, 10, 29, 23, 59, 59, 999))
    await reserve('gen_a', 100, budget)
    expect(await reserve('gen_b', 1, budget)).toMatchObject({ period: 'day' })
    vi.setSystemTime(Date.UTC(2026, 10, 30))
    expect(await reserve('gen_b', 50, budget)).toEqual(RESERVED)
    expect(await reserve('gen_c', 1, budget)).toMatchObject({ period: 'month' })
    vi.setSystemTime(Date.UTC(2026, 11, 1))
    expect(await reserve('gen_c', 50, budget)).toEqual(RESERVED)
    expect(await reserve('gen_d', 1, budget)).toMatchObject({ period: 'total' })
    expect(await object.standing(budget)).toEqual({
      day: { limit: 100, committed: 50, remaining: 50 },
      month: { limit: 150, committed: 50, remaining: 100 },
      total: { limit: 200, committed: 200, remaining: 0 },
    })
  })

  test('a cost belongs to the day of its reservation, whenever it becomes known', async () => {
    const { object, reserve } = account()
    await reserve('gen_a', 60, budget)
    vi.setSystemTime(Date.UTC(2026, 11, 1))
    await object.settle('gen_a', null)
    await object.settle('gen_a', 30)
    expect(await object.standing(budget)).toMatchObject({
      day: { committed: 0 },
      month: { committed: 0 },
      total: { committed: 30 },
    })
    vi.setSystemTime(NOON)
    expect(await object.standing(budget)).toMatchObject({ day: { committed: 30 }, month: { committed: 30 } })
  })
})

describe('a hold that nobody settles is looked at', () => {
  const id = () => generationId('default', crypto.randomUUID())

  async function lookAt({ object }: ReturnType<typeof account>, at: number) {
    vi.setSystemTime(at)
    await runDurableObjectAlarm(object)
    return committed(object)
  }

  test('after a quarter of an hour, not before: its generation may be on its way', async () => {
    const own = account()
    await own.reserve(id(), 60, { total: 100 })
    const alarm = await runInDurableObject(own.object, (_, state) => state.storage.getAlarm())
    expect(alarm).toBe(NOON + LOOK_MS)
    expect(await lookAt(own, NOON + LOOK_MS - 1)).toBe(60)
  })

  test('and released when there is no such generation', async () => {
    const own = account()
    await own.reserve(id(), 60, { total: 100 })
    expect(await lookAt(own, NOON + LOOK_MS)).toBe(0)
    expect(await runInDurableObject(own.object, (_, state) => state.storage.getAlarm())).toBeNull()
  })

  test('and kept when it was asked for again meanwhile', async () => {
    const own = account()
    const wanted = id()
    await own.reserve(wanted, 60, { total: 100 })
    vi.setSystemTime(NOON + LOOK_MS - 1)
    await own.reserve(wanted, 60, { total: 100 })
    expect(await lookAt(own, NOON + LOOK_MS)).toBe(60)
    expect(await lookAt(own, NOON + 2 * LOOK_MS)).toBe(0)
  })

  test('and kept when it is asked for again just while its generation is looked for', async () => {
    const own = account()
    const wanted = id()
    await own.reserve(wanted, 60, { total: 100 })
    const asked: string[] = []
    vi.spyOn(Generation.prototype, 'read').mockImplementationOnce((async () => {
      // A stub of one object is of no use in another.
      const account = env.ACCOUNT.get(env.ACCOUNT.idFromName(own.token))
      asked.push((await account.reserve(wanted, 60, { total: 100 })).kind)
      return undefined
    }) as never)
    expect(await lookAt(own, NOON + LOOK_MS)).toBe(60)
    expect(asked).toEqual(['reserved'])
  })

  test('and kept as long as its generation is under way, then settled by its record', async () => {
    const own = account()
    const wanted = { ...wish(id(), { prompt: 'x', deadline: 7_200 }), token: own.token }
    await own.reserve(wanted.id, 60, { total: 100 })
    await plant(wanted)
    expect(await lookAt(own, NOON + LOOK_MS)).toBe(60)
    const next = await runInDurableObject(own.object, (_, state) => state.storage.getAlarm())
    expect(next).toBe(NOON + 3 * HOUR_MS)
    const record = await recordOf(wanted.id)
    await runInDurableObject(stub(wanted.id), (_, { storage }) => {
      storage.kv.put('record', finished(record, 'failed', Date.now()))
    })
    expect(await lookAt(own, next!)).toBe(0)
  })

  test('and released when its generation is another token’s', async () => {
    const own = account()
    const wanted = { ...wish(id(), { prompt: 'x' }), token: 'tok_another' }
    await own.reserve(wanted.id, 60, { total: 100 })
    await plant(wanted)
    expect(await lookAt(own, NOON + LOOK_MS)).toBe(0)
  })
})

test('what is held and spent outlives the object', async () => {
  const { object, reserve } = account()
  await reserve('gen_a', 60, { total: 100 })
  await reserve('gen_b', 20, { total: 100 })
  await object.settle('gen_b', 10)
  await runInDurableObject(object, (_, state) => state.abort('crash')).catch(() => {})
  const again = env.ACCOUNT.get(object.id)
  expect(await committed(again)).toBe(70)
})
