// The command that goes on where a run ended.
import { expect, test } from 'vitest'
import { buyingAgain, continuing } from '../../runner/run/again.ts'
import type { Failure } from '../../runner/run/make.ts'
import type { RunOptions } from '../../runner/run/options.ts'
import type { RunResult } from '../../runner/views/summary.ts'
import { entry, item, lockOf, plan } from './items.ts'

const options: RunOptions = {
  manifest: 'shop.yaml',
  set: [],
  var: [],
  select: ['cup'],
  exclude: [],
  refused: false,
  uncertain: false,
  redo: false,
  detach: false,
  yes: true,
  concurrency: 8,
  download: true,
  failFast: false,
  json: false,
  progress: 'auto',
}
const items = ['red', 'green', 'blue'].map((id) => item(`cup/${id}`))
const again = plan(items, lockOf(plan(items)), {
  redo: items.map(({ id }) => id),
  selected: items.map(({ id }) => id),
})

/** A run in which the first picture was made, the second failed so, and `left` were not begun. */
function ended(left: number, failure: Partial<Failure> = {}): RunResult {
  const [first, second, third] = again.items
  const counts = { made: 1, failed: 1, refused: 0, uncertain: 0, blocked: 0, spent: 0, unpriced: 0 }
  return {
    plan: again,
    summary: { ...counts, left },
    made: [first!, ...(left > 0 ? [] : [third!])].map((p) => entry(p)),
    failures: [
      {
        type: 'failed',
        id: second!.item.id,
        ms: 1,
        failure: { code: 'no_image', status: 'failed', message: 'words', charged: 'no', cost: 0, ...failure },
      },
    ],
    files: new Map(),
    adopted: 0,
    ms: 1,
  }
}

const redo = { ...options, redo: true }
const saved = { ...options, plan: 'my plan.json', maxCost: 5_000_000 }

test.each<[string, RunOptions, RunResult, string]>([
  ['is the same one', options, ended(1), 'shop.yaml -s cup --yes'],
  [
    'buys again what is left and what failed, and asks',
    redo,
    ended(1),
    'shop.yaml -s cup/green -s cup/blue --redo',
  ],
  ['buys again what failed, and asks', redo, ended(0), 'shop.yaml -s cup/green --redo'],
  [
    'buys nothing again that is made and only could not be saved',
    redo,
    ended(0, { code: 'not_saved', charged: 'yes', cost: 0.05 }),
    'shop.yaml -s cup --yes',
  ],
  ['is that of the saved plan', saved, ended(1), "--plan 'my plan.json' --max-cost 5.00 --yes"],
  [
    'is that of the saved plan, and asks where it buys again',
    { ...saved, redo: true },
    ended(1),
    "--plan 'my plan.json' --max-cost 5.00",
  ],
  [
    'is outside of the saved plan for what that has paid for in vain, and asks',
    saved,
    ended(1, { charged: 'yes', cost: 0.05 }),
    'shop.yaml -s cup/green -s cup/blue --max-cost 5.00',
  ],
])('the command that goes on %s', (_, given, result, words) =>
  expect(continuing(given, result)).toBe(`proofsheet run ${words}`),
)

test('the command that buys a lost picture again asks, and is of no saved plan', () => {
  expect(buyingAgain(saved, 'cup/red')).toBe('proofsheet run shop.yaml -s cup/red --redo --max-cost 5.00')
})
