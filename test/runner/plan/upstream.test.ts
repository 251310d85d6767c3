import { describe, expect, test } from 'vitest'
import { familiesOf, meant, upstreamFirst } from '../../../runner/plan/upstream.ts'
import { from, item, plan, states } from '../items.ts'

const order = (items: ReturnType<typeof item>[]) =>
  upstreamFirst(items, familiesOf(items)).map(({ id }) => id)

describe('the order', () => {
  test('an item comes after all samples that it may be made from, others stay where they are', () => {
    const items = [
      item('z'),
      item('user', { references: [from('x'), from('y')] }),
      item('x'),
      item('x#2'),
      item('y', { references: [from('x#2')] }),
      item('a'),
    ]
    expect(order(items)).toEqual(['z', 'x', 'x#2', 'y', 'user', 'a'])
  })

  test('a diamond is walked once', () => {
    const layers = Array.from({ length: 40 }, (_, n) =>
      ['l', 'r'].map((side) =>
        item(`${side}${n}`, { references: n === 0 ? [] : [from(`l${n - 1}`), from(`r${n - 1}`)] }),
      ),
    )
    expect(order(layers.flat().reverse())).toHaveLength(80)
  })

  test('a chain may be as long as a manifest', () => {
    const length = 50_000
    const chain = Array.from({ length }, (_, n) =>
      item(`c${n}`, { references: n + 1 < length ? [from(`c${n + 1}`)] : [] }),
    )
    const ids = order(chain)
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([length, `c${length - 1}`, 'c0'])
    expect(states(plan(chain.slice(-10_000))).c49999).toBe('new')
  })
})

test.each<[string, string[]]>([
  ['x', ['x', 'x#2']],
  ['x#2', ['x#2']],
  ['x#1', ['x']],
  ['x#3', []],
  ['nobody', []],
])('`from: %s` may mean %j', (name, ids) => {
  expect(meant(name, familiesOf([item('x'), item('x#2'), item('y')])).map(({ id }) => id)).toEqual(ids)
})
