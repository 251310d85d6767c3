import { describe, expect, test } from 'vitest'
import { type Market, marketOf } from '../../core/market.ts'
import { WorkerUnreachable } from '../../runner/client.ts'
import type { Item } from '../../runner/manifest/item.ts'
import { toMake } from '../../runner/plan/plan.ts'
import { runPlan } from '../../runner/run/engine.ts'
import type { RunEvent, Summary } from '../../runner/run/events.ts'
import type { Failure, Made } from '../../runner/run/make.ts'
import type { Lock, LockEntry } from '../../runner/state/lock.ts'
import { entry, from, item, lockOf, plan } from './items.ts'

const failure = (code = 'no_image', changes: Partial<Failure> = {}): Failure => ({
  code,
  status: 'failed',
  message: 'words',
  charged: 'no',
  cost: 0,
  ...changes,
})

/** A summary that is nothing but what is said. */
const summed = (changes: Partial<Summary>): Summary => ({
  made: 0,
  failed: 0,
  refused: 0,
  uncertain: 0,
  blocked: 0,
  left: 0,
  spent: 0,
  unpriced: 0,
  ...changes,
})

type PlayOptions = {
  lock?: Lock
  concurrency?: number
  refused?: boolean
  limit?: number
  failFast?: boolean
  /** USD of every picture. */
  cost?: number | null
  profile?: string
  market?: Market
  /** Ctrl-C came before. */
  stopped?: boolean
  /** The pictures are made without this run. */
  elsewhere?: string
  /** Ids that are bought again. */
  redo?: string[]
  /** Ids that another run has made in the meantime. */
  found?: string[]
  /** Called with each entry before it counts as recorded. */
  record?: (entry: LockEntry) => void
  save?: (controls: { stop: AbortController; leave: AbortController }, id: string) => void
}

/** Runs a plan whose items end as told, one after the other in the order in which they are started. */
async function play(
  items: Item[],
  endings: Record<string, Failure | Error | (() => void)> = {},
  { lock, concurrency = 1, refused = false, limit, failFast, cost = 0.067, ...more }: PlayOptions = {},
) {
  const stop = new AbortController()
  const leave = new AbortController()
  const events: RunEvent[] = []
  const recorded: LockEntry[] = []
  const upstreams: Record<string, string[]> = {}
  const made = plan(items, lock, {
    refused,
    ...(more.profile ? { profile: more.profile } : {}),
    ...(more.market ? { market: more.market } : {}),
    ...(more.redo ? { redo: more.redo, selected: more.redo } : {}),
  })
  if (more.stopped) stop.abort()
  let flying = 0
  let mostFlying = 0
  const summary = await runPlan(
    made,
    {
      ...{ concurrency, limit, failFast: failFast ?? false, elsewhere: more.elsewhere },
      ...{ stop: stop.signal, leave: leave.signal },
    },
    {
      async make(planned, upstream): Promise<Made> {
        mostFlying = Math.max(mostFlying, ++flying)
        upstreams[planned.item.id] = [...upstream.keys()]
        await new Promise((resolve) => setImmediate(resolve))
        flying--
        const ending = endings[planned.item.id]
        if (ending instanceof Error) throw ending
        if (typeof ending === 'function') ending.call({ stop, leave })
        else if (ending) return { kind: 'failed', failure: ending }
        const found = more.found?.includes(planned.item.id) ? { found: true as const } : {}
        return { kind: 'made', entry: entry(planned, { cost }), ...found }
      },
      record(e) {
        more.record?.(e)
        recorded.push(e)
      },
      async save(_, e) {
        more.save?.({ stop, leave }, e.id)
        return `out/${e.id}.png`
      },
      emit: (event) => events.push(event),
      now: () => 0,
    },
  )
  return {
    summary,
    events,
    recorded,
    upstreams,
    mostFlying,
    toMake: toMake(made).length,
  }
}

const started = (events: RunEvent[]) => events.flatMap((e) => (e.type === 'start' ? [e.id] : []))

describe('order', () => {
  test('an item is started when everything it is made from is there', async () => {
    const items = [
      item('c', { references: [from('a'), from('b')] }),
      item('b', { references: [from('a')] }),
      item('a'),
    ]
    const { events, summary } = await play(items, {}, { concurrency: 8 })
    expect(started(events)).toEqual(['a', 'b', 'c'])
    expect(summary).toEqual(summed({ made: 3, spent: 201_000 }))
  })

  test('items that do not need each other are in flight together, as many as allowed', async () => {
    const items = Array.from({ length: 9 }, (_, i) => item(`i${i}`))
    expect((await play(items, {}, { concurrency: 4 })).mostFlying).toBe(4)
  })

  test('what is done already serves as upstream without being made', async () => {
    const items = [item('a'), item('b', { references: [from('a')] })]
    const lock = new Map([...lockOf(plan(items))].filter(([id]) => id === 'a'))
    const { events, upstreams } = await play(items, {}, { lock })
    expect(started(events)).toEqual(['b'])
    expect(upstreams.b).toEqual(['a'])
  })

  test('a picture is recorded before it is downloaded', async () => {
    const { recorded } = await play([item('a')])
    expect(recorded.map((e) => e.id)).toEqual(['a'])
  })

  test('an item with the same inputs as another gets that picture without a call', async () => {
    const { recorded, upstreams, summary } = await play([
      item('a', { prompt: 'p' }),
      item('b', { prompt: 'p' }),
    ])
    expect(Object.keys(upstreams)).toEqual(['a'])
    expect(recorded.map((e) => [e.id, e.generation])).toEqual([
      ['a', 'gen_a'],
      ['b', 'gen_a'],
    ])
    expect(summary.made).toBe(2)
  })

  test('a renamed item gets its old picture under its new id', async () => {
    const lock = lockOf(plan([item('old', { prompt: 'p' })]))
    const { recorded, upstreams } = await play([item('new', { prompt: 'p' })], {}, { lock })
    expect(upstreams).toEqual({})
    expect(recorded.map((e) => [e.id, e.generation])).toEqual([['new', 'gen_old']])
  })
})

describe('failures', () => {
  const family = [
    item('a'),
    item('b', { references: [from('a')] }),
    item('c', { references: [from('b')] }),
    item('d'),
  ]

  test('the run goes on, and what needs a failed item is blocked, all the way down', async () => {
    const { summary, events } = await play(family, { a: failure() })
    expect(summary).toEqual(summed({ made: 1, failed: 1, blocked: 2, spent: 67_000 }))
    expect(events.filter((e) => e.type === 'blocked')).toEqual([
      { type: 'blocked', id: 'b', by: 'a' },
      { type: 'blocked', id: 'c', by: 'b' },
    ])
  })

  test('what hangs on several items without a picture is blocked once', async () => {
    const items = [item('a'), item('b'), item('c', { references: [from('a'), from('b')] })]
    const { summary, events } = await play(items, { a: failure(), b: failure('refused') })
    expect(summary).toMatchObject({ failed: 2, blocked: 1, left: 0 })
    expect(events.filter((e) => e.type === 'blocked')).toEqual([{ type: 'blocked', id: 'c', by: 'a' }])
  })

  test('what needs an item that was refused before is not even started', async () => {
    const [a] = plan(family).items
    const lock = new Map([['a', entry(a!, { status: 'refused' })]])
    const { summary, upstreams } = await play(family, {}, { lock })
    expect(summary).toEqual(summed({ made: 1, spent: 67_000 }))
    expect(Object.keys(upstreams)).toEqual(['d'])
  })

  test.each([
    ['unauthorised', failure('unauthorised'), 'unauthorised'],
    ['quota_exhausted', failure('quota_exhausted'), 'unavailable'],
    ['budget_exceeded', failure('budget_exceeded'), 'token_budget'],
    ['forbidden', failure('forbidden'), 'unauthorised'],
    ['a worker that is gone', new WorkerUnreachable('gone'), 'unavailable'],
    ['a model that is gone', failure('model_gone'), 'model'],
    ['a model that nobody knows', failure('unknown_model'), 'model'],
  ] as const)(
    '%s stops the run, because everything else would end the same way',
    async (_, ending, stopped) => {
      const items = ['a', 'b', 'c'].map((id) => item(id))
      const { summary, events } = await play(items, { a: ending })
      expect(summary).toMatchObject({ made: 0, failed: 1, blocked: 0, left: 2, stopped })
      expect(started(events)).toEqual(['a'])
    },
  )

  const many = (n: number) => Array.from({ length: n }, (_, i) => item(`i${i}`))
  const all = (n: number, ending: (i: number) => Failure) =>
    Object.fromEntries(Array.from({ length: n }, (_, i) => [`i${i}`, ending(i)]))

  test.each([
    ['no_image', 'alike'],
    ['unavailable', 'unavailable'],
    ['timed_out', 'unavailable'],
  ] as const)(
    'five like failures (%s) in a row with no picture before them stop the run',
    async (code, stopped) => {
      const { summary, events } = await play(
        many(8),
        all(8, () => failure(code)),
      )
      expect(summary).toMatchObject({ failed: 5, left: 3, stopped })
      expect(events.find((e) => e.type === 'stopping')).toMatchObject({
        message: `5 pictures in a row ended the same way, and none was made: ${code}: words`,
      })
    },
  )

  test('five failures that differ do not stop it, nor like ones after a picture', async () => {
    const different = await play(
      many(8),
      all(8, (i) => failure('no_image', { message: `words ${i}` })),
    )
    expect(different.summary).toMatchObject({ failed: 8, left: 0 })
    const later = await play(
      many(9),
      all(9, () => failure()),
      {},
    )
    expect(later.summary.stopped).toBe('alike')
    const { i0: _, ...rest } = all(9, () => failure())
    expect((await play(many(9), rest)).summary).toMatchObject({ made: 1, failed: 8, left: 0 })
  })

  test('with --fail-fast the first failure stops starting; what is in flight is finished', async () => {
    const { summary } = await play(many(6), { i0: failure() }, { failFast: true, concurrency: 2 })
    expect(summary).toMatchObject({ made: 1, failed: 1, left: 4, stopped: 'first_failure' })
  })

  test('each way of ending is counted apart', async () => {
    const { summary } = await play(many(4), {
      i0: failure('refused', { status: 'refused', charged: 'yes', cost: 0.05 }),
      i1: failure('timed_out', { status: 'uncertain', charged: 'unknown', cost: null }),
      i2: failure('no_image'),
    })
    expect(summary).toEqual(
      summed({ made: 1, failed: 1, refused: 1, uncertain: 1, spent: 117_000, unpriced: 1 }),
    )
  })

  test('a bug is not taken for a failed item', async () => {
    await expect(play([item('a')], { a: new TypeError('x is undefined') })).rejects.toThrow('x is undefined')
  })
})

describe('the purse', () => {
  // Each may cost $0.055, flat.
  const flat = (n: number) => Array.from({ length: n }, (_, i) => item(`i${i}`, { provider: 'apiyi' }))

  test('ceilings are reserved before a start: pictures in flight together never spend more than allowed', async () => {
    const { summary, mostFlying, events } = await play(
      flat(9),
      {},
      { concurrency: 8, limit: 180_000, cost: 0.055 },
    )
    expect(mostFlying).toBe(3)
    expect(summary).toEqual(summed({ made: 3, left: 6, spent: 165_000, stopped: 'budget' }))
    expect(events.find((e) => e.type === 'stopping')).toMatchObject({
      message: 'i3 may cost up to $0.055, and of the limit of $0.18 only $0.015 is left',
    })
  })

  test('what does not fit beside what is in flight waits for it, and starts when that cost less', async () => {
    const { summary, mostFlying } = await play(flat(4), {}, { concurrency: 8, limit: 130_000, cost: 0.01 })
    expect(mostFlying).toBe(2)
    expect(summary).toEqual(summed({ made: 4, spent: 40_000 }))
  })

  test('where the cost is not known the ceiling counts as spent', async () => {
    const { summary } = await play(flat(4), {}, { limit: 130_000, cost: null })
    expect(summary).toMatchObject({ made: 2, left: 2, unpriced: 2, spent: 0, stopped: 'budget' })
  })

  test('under a limit nothing is started whose price is not known; everything else is made', async () => {
    const unpriced = item('x', { provider: 'tokaify', model: 'gemini-3-pro-image' })
    const market = marketOf({ APIYI_API_KEY: 'a', TOKAIFY_API_KEY: 't' })
    const items = [unpriced, item('y', { references: [from('x')] }), ...flat(2)]
    const limited = await play(items, {}, { market, limit: 10_000_000 })
    expect(started(limited.events)).toEqual(['i0', 'i1'])
    expect(limited.summary).toMatchObject({ made: 2, left: 2, withheld: 1, stopped: 'budget' })
    expect((await play(items, {}, { market })).summary).toMatchObject({ made: 4, left: 0 })
  })

  test('after more was spent than foreseen, what is free still fits, and no rest is below zero', async () => {
    const twins = ['a', 'b'].map((id) => item(id, { provider: 'apiyi', prompt: 'p' }))
    const items = [...twins, item('c', { provider: 'apiyi', references: [from('b')] })]
    const { summary, events } = await play(items, {}, { limit: 110_000, cost: 0.5 })
    expect(summary).toEqual(summed({ made: 2, left: 1, spent: 500_000, stopped: 'budget' }))
    expect(events.find((e) => e.type === 'stopping')).toMatchObject({
      message: 'c may cost up to $0.055, and of the limit of $0.11 only $0.00 is left',
    })
  })

  test('a picture that is the same as another needs no room', async () => {
    const twins = ['a', 'b'].map((id) => item(id, { provider: 'apiyi', prompt: 'p' }))
    expect((await play(twins, {}, { limit: 55_000, cost: 0.055 })).summary).toEqual(
      summed({ made: 2, spent: 55_000 }),
    )
  })
})

describe('pictures that are made without the run', () => {
  const items = ['a', 'b', 'c'].map((id) => item(id))

  test.for([
    ['quota_exhausted', 'unavailable'],
    ['unauthorised', 'unauthorised'],
    ['budget_exceeded', 'token_budget'],
  ])('%s says at the end why a run would have stopped, and stops nothing', async ([code, stopped]) => {
    const { summary, events } = await play(items, { a: failure(code) }, { elsewhere: 'it goes on' })
    expect(summary).toMatchObject({ made: 2, failed: 1, left: 0, stopped })
    expect(events.filter(({ type }) => type === 'stopping')).toEqual([])
  })
})

describe('a journal that cannot be written', () => {
  const full = () => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    })
  }
  const many = ['a', 'b', 'c', 'd'].map((id) => item(id))

  test('stops the run; what was bought cost what it cost, and is told', async () => {
    const { summary, events } = await play(many, {}, { record: (e) => e.id === 'b' && full() })
    expect(summary).toEqual(summed({ made: 1, failed: 1, left: 2, spent: 134_000, stopped: 'unwritable' }))
    expect(started(events)).toEqual(['a', 'b'])
    const message =
      'the journal cannot be written: the disk is full (ENOSPC, write); b was bought (generation gen_b, $0.067): make room and run again, it is found by its key and not bought again'
    expect(events.find((e) => e.type === 'failed')).toMatchObject({
      failure: { code: 'unwritable', status: 'failed', message, charged: 'yes', cost: 0.067 },
    })
    expect(events.find((e) => e.type === 'stopping')).toMatchObject({ reason: 'unwritable', message })
  })

  test('counts against the limit what it bought', async () => {
    const { summary } = await play(
      many,
      { a: failure('no_image', { charged: 'yes', cost: 0.06 }) },
      { record: full, cost: null },
    )
    expect(summary).toMatchObject({ failed: 2, unpriced: 1, spent: 60_000, stopped: 'unwritable' })
  })

  test('is no excuse for a bug', async () => {
    const bug = () => {
      throw new TypeError('x is undefined')
    }
    await expect(play(many, {}, { record: bug })).rejects.toThrow('x is undefined')
  })

  test('buys nothing again: the wish comes before the purchase', async () => {
    const lock = lockOf(plan(many))
    const { summary, upstreams, events } = await play(many, {}, { lock, redo: ['a', 'b'], record: full })
    expect(upstreams).toEqual({})
    expect(summary).toEqual(summed({ failed: 1, left: 1, stopped: 'unwritable' }))
    expect(events.find((e) => e.type === 'failed')).toMatchObject({
      failure: {
        message:
          'the journal cannot be written: the disk is full (ENOSPC, write); nothing was sent for a: make room and run again',
        charged: 'no',
        cost: 0,
      },
    })
  })
})

describe('buying again', () => {
  test('is written down before it is asked for, and nothing else is', async () => {
    const items = [item('a'), item('b')]
    const lock = lockOf(plan([items[0]!]))
    const again = await play(items, {}, { lock, redo: ['a'] })
    const key = `${plan([items[0]!]).items[0]!.fingerprint}-2`
    expect(again.recorded.map((e) => [e.key, e.status, e.generation])).toEqual([
      [key, 'queued', ''],
      [key, 'succeeded', 'gen_a'],
    ])
    const first = await play(items, {}, { lock })
    expect(first.recorded.map((e) => [e.id, e.status])).toEqual([['b', 'succeeded']])
  })

  test('leaves the wish behind when it is broken off', async () => {
    const lock = lockOf(plan([item('a')]))
    const { recorded } = await play([item('a')], { a: new WorkerUnreachable('gone') }, { lock, redo: ['a'] })
    expect(recorded.map((e) => [e.edition, e.status, e.generation])).toEqual([[2, 'queued', '']])
  })
})

describe('a picture that another run has made in the meantime', () => {
  test('is found and not bought: it takes nothing from the limit', async () => {
    const items = ['a', 'b', 'c'].map((id) => item(id, { provider: 'apiyi' }))
    const { summary, recorded, events } = await play(
      items,
      {},
      { limit: 60_000, found: ['a', 'c'], cost: 0.055 },
    )
    expect(summary).toEqual(summed({ made: 1, found: 1, left: 1, spent: 55_000, stopped: 'budget' }))
    expect(recorded.map((e) => e.id)).toEqual(['a', 'b'])
    expect(events.filter((e) => e.type === 'made').map((e) => [e.id, e.found])).toEqual([
      ['a', true],
      ['b', undefined],
    ])
  })
})

describe('size', () => {
  test('each ending touches only what hangs on it: 100,000 items take seconds, not hours', async () => {
    const [one] = plan([item('one')]).items
    const items = Array.from({ length: 100_000 }, (_, i) => {
      const references = i % 2 === 0 ? [] : [from(`i${i - 1}`)]
      return { ...one!, item: { ...one!.item, id: `i${i}`, references } }
    })
    const made = { ...plan([]), items }
    const { signal } = new AbortController()
    const begun = performance.now()
    const summary = await runPlan(
      made,
      { concurrency: 32, stop: signal, leave: signal },
      {
        make: async (planned) => ({ kind: 'made', entry: entry(planned) }),
        record: () => {},
        save: async () => undefined,
        emit: () => {},
        now: () => 0,
      },
    )
    expect(summary.made).toBe(100_000)
    expect(performance.now() - begun).toBeLessThan(30_000)
  })
})

describe('profiles', () => {
  test('a picture that another profile has made is kept under this one, too', async () => {
    const lock = lockOf(plan([item('a')]))
    const { recorded, upstreams } = await play([item('a')], {}, { lock, profile: 'draft' })
    expect(upstreams).toEqual({})
    expect(recorded.map((e) => [e.id, e.profile, e.generation])).toEqual([['a', 'draft', 'gen_a']])
  })
})

describe('Ctrl-C', () => {
  test('before anything was started: nothing is', async () => {
    const { summary, events } = await play([item('a')], {}, { stopped: true })
    expect(summary).toEqual(summed({ left: 1, stopped: 'interrupted' }))
    expect(started(events)).toEqual([])
  })

  test('twice while a picture is fetched: it is made and recorded, and no failure', async () => {
    const { summary, recorded } = await play(
      [item('a')],
      {},
      {
        save: ({ leave }) => {
          leave.abort()
          throw new DOMException('aborted', 'AbortError')
        },
      },
    )
    expect(recorded).toHaveLength(1)
    expect(summary).toMatchObject({ made: 1, failed: 0 })
  })

  test('a picture that cannot be saved is a failure that cost what it cost', async () => {
    const { summary, events } = await play(
      [item('a'), item('b', { references: [from('a')] })],
      {},
      {
        save: (_, id) => {
          if (id === 'a') throw new Error('disk full')
        },
      },
    )
    expect(summary).toMatchObject({ made: 1, failed: 1, blocked: 0, spent: 134_000 })
    expect(events.find((e) => e.type === 'failed')).toMatchObject({
      failure: {
        code: 'not_saved',
        message: expect.stringContaining('disk full'),
        charged: 'yes',
        cost: 0.067,
      },
    })
  })

  test('once: nothing further is started, what is in flight is finished', async () => {
    const items = ['a', 'b', 'c'].map((id) => item(id))
    const { summary, events } = await play(items, {
      a(this: { stop: AbortController }) {
        this.stop.abort()
      },
    } as never)
    expect(summary).toEqual(summed({ made: 1, left: 2, spent: 67_000, stopped: 'interrupted' }))
    expect(events.filter((e) => e.type === 'stopping')).toMatchObject([
      { reason: 'interrupted', inFlight: 1 },
    ])
  })

  const twice = {
    a(this: { stop: AbortController; leave: AbortController }) {
      this.stop.abort()
      this.leave.abort()
      throw new DOMException('aborted', 'AbortError')
    },
  } as never

  test('twice: what is in flight is left to the worker, and is no failure', async () => {
    const { summary } = await play([item('a'), item('b')], twice)
    expect(summary).toEqual(summed({ left: 2, held: 1, unpriced: 1, stopped: 'interrupted' }))
  })

  test('leaves nothing to the worker where the worker makes all of it anyway', async () => {
    const { summary } = await play([item('a'), item('b')], twice, { elsewhere: 'it goes on' })
    expect(summary).toEqual(summed({ left: 2, stopped: 'interrupted' }))
  })
})
