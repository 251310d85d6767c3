import { describe, expect, test } from 'vitest'
import { WorkerUnreachable } from '../../runner/client.ts'
import type { Item } from '../../runner/manifest/item.ts'
import { isToMake } from '../../runner/plan/plan.ts'
import { runPlan } from '../../runner/run/engine.ts'
import type { RunEvent } from '../../runner/run/events.ts'
import type { Failure, Made } from '../../runner/run/make.ts'
import type { Lock, LockEntry } from '../../runner/state/lock.ts'
import { entry, from, item, lockOf, plan } from './items.ts'

const failure = (code = 'no_image'): Failure => ({ code, message: 'words', charged: 'no', cost: 0 })

/** Runs a plan whose items end as told, one after the other in the order in which they are started. */
async function play(
  items: Item[],
  endings: Record<string, Failure | Error | (() => void)> = {},
  { lock, concurrency = 1, refused = false }: { lock?: Lock; concurrency?: number; refused?: boolean } = {},
) {
  const stop = new AbortController()
  const leave = new AbortController()
  const events: RunEvent[] = []
  const recorded: LockEntry[] = []
  const upstreams: Record<string, string[]> = {}
  const made = plan(items, lock, { refused })
  let flying = 0
  let mostFlying = 0
  const summary = await runPlan(
    made,
    { concurrency, stop: stop.signal, leave: leave.signal },
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
        return { kind: 'made', entry: entry(planned) }
      },
      record: (e) => recorded.push(e),
      save: async (e) => `out/${e.id}.png`,
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
    toMake: made.items.filter((p) => isToMake(p.state)).length,
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
    expect(summary).toEqual({ made: 3, failed: 0, blocked: 0, left: 0 })
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
    expect(summary).toEqual({ made: 1, failed: 1, blocked: 2, left: 0 })
    expect(events.filter((e) => e.type === 'blocked')).toEqual([
      { type: 'blocked', id: 'b', by: 'a' },
      { type: 'blocked', id: 'c', by: 'b' },
    ])
  })

  test('what needs an item that was refused before is not even started', async () => {
    const [a] = plan(family).items
    const lock = new Map([['a', entry(a!, { status: 'refused' })]])
    const { summary, upstreams } = await play(family, {}, { lock })
    expect(summary).toEqual({ made: 1, failed: 0, blocked: 0, left: 0 })
    expect(Object.keys(upstreams)).toEqual(['d'])
  })

  test.each([
    ['unauthorised', failure('unauthorised'), 'unauthorised'],
    ['quota_exhausted', failure('quota_exhausted'), 'unavailable'],
    ['a worker that is gone', new WorkerUnreachable('gone'), 'unavailable'],
  ] as const)(
    '%s stops the run, because everything else would end the same way',
    async (_, ending, stopped) => {
      const items = ['a', 'b', 'c'].map((id) => item(id))
      const { summary, events } = await play(items, { a: ending })
      expect(summary).toEqual({ made: 0, failed: 1, blocked: 0, left: 2, stopped })
      expect(started(events)).toEqual(['a'])
    },
  )

  test('a bug is not taken for a failed item', async () => {
    await expect(play([item('a')], { a: new TypeError('x is undefined') })).rejects.toThrow('x is undefined')
  })
})

describe('Ctrl-C', () => {
  test('once: nothing further is started, what is in flight is finished', async () => {
    const items = ['a', 'b', 'c'].map((id) => item(id))
    const { summary, events } = await play(items, {
      a(this: { stop: AbortController }) {
        this.stop.abort()
      },
    } as never)
    expect(summary).toEqual({ made: 1, failed: 0, blocked: 0, left: 2, stopped: 'interrupted' })
    expect(events.filter((e) => e.type === 'stopping')).toMatchObject([
      { reason: 'interrupted', inFlight: 1 },
    ])
  })

  test('twice: what is in flight is left to the worker, and is no failure', async () => {
    const { summary } = await play([item('a'), item('b')], {
      a(this: { stop: AbortController; leave: AbortController }) {
        this.stop.abort()
        this.leave.abort()
        throw new DOMException('aborted', 'AbortError')
      },
    } as never)
    expect(summary).toEqual({ made: 0, failed: 0, blocked: 0, left: 2, stopped: 'interrupted' })
  })
})
