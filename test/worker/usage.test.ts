// What was spent, from the ledger: every call once, at what it came to in the end.
import { beforeEach, describe, expect, test } from 'vitest'
import type { UsageReport } from '../../core/usage.ts'
import { UsageReportSchema } from '../../core/usage.ts'
import { ask, make, problemOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'

const DAY_MS = 86_400_000
const NOON = Date.UTC(2026, 0, 10, 12)

type Row = {
  generation: string
  attempt: number
  kind: 'reserve' | 'settle' | 'release' | 'orphan'
  micro_usd: number | null
  at: number
  workspace: string
  token: string
  batch: string | null
  provider: string
  model: string
  has_picture: 0 | 1
}

/** Puts rows into the ledger; what is not said is of the first call of a generation of Pro at APIYI. */
async function enter(...rows: (Pick<Row, 'generation' | 'kind' | 'micro_usd' | 'at'> & Partial<Row>)[]) {
  for (const row of rows) {
    const all = {
      attempt: 1,
      workspace: 'default',
      token: 'admin',
      batch: null,
      provider: 'apiyi',
      model: 'gemini-3-pro-image',
      has_picture: row.kind === 'settle' ? 1 : 0,
      prices: '2026-11-02',
      request_id: null,
      ...row,
    }
    const names = Object.keys(all)
    await env.DB.prepare(`INSERT INTO ledger (${names}) VALUES (${names.map(() => '?')})`)
      .bind(...Object.values(all))
      .run()
  }
}

/** A call that was sent at `at` and paid ten seconds later. */
function paid(generation: string, at: number, micro_usd: number | null, more: Partial<Row> = {}) {
  return enter(
    { generation, kind: 'reserve', micro_usd: 90_000, at, ...more },
    { generation, kind: 'settle', micro_usd, at: at + 10_000, ...more },
  )
}

async function usage(query = '', changes = {}): Promise<UsageReport> {
  const response = await ask(`/api/usage${query}`, {}, changes)
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return UsageReportSchema.parse(await response.json())
}

const NOTHING = {
  generations: 0,
  attempts: 0,
  pictures: 0,
  cost: 0,
  unpriced: 0,
  uncertain: 0,
  uncertainAtMost: 0,
  running: 0,
  runningAtMost: 0,
}

beforeEach(() => env.DB.exec('DELETE FROM ledger'))

describe('a call counts once', () => {
  test.for<[string, [Row['kind'], number | null][], Partial<UsageReport['total']>]>([
    [
      'settled: charged, at what it cost',
      [
        ['reserve', 90_000],
        ['settle', 55_000],
      ],
      { cost: 0.055, pictures: 1 },
    ],
    [
      'settled at an unknown price: charged, not priced',
      [
        ['reserve', null],
        ['settle', null],
      ],
      { unpriced: 1, pictures: 1 },
    ],
    [
      'released: free',
      [
        ['reserve', 90_000],
        ['release', 0],
      ],
      {},
    ],
    [
      'orphaned: uncertain',
      [
        ['reserve', 90_000],
        ['orphan', 90_000],
      ],
      { uncertain: 1, uncertainAtMost: 0.09 },
    ],
    [
      'orphaned and then settled after all: charged',
      [
        ['reserve', 90_000],
        ['orphan', 90_000],
        ['settle', 55_000],
      ],
      { cost: 0.055, pictures: 1 },
    ],
    [
      'orphaned and then found to be free: free',
      [
        ['reserve', 90_000],
        ['orphan', 90_000],
        ['release', 0],
      ],
      {},
    ],
    ['reserved only: under way', [['reserve', 90_000]], { running: 1, runningAtMost: 0.09 }],
    ['settled, and its reservation is still on its way', [['settle', 55_000]], { cost: 0.055, pictures: 1 }],
  ])('%s', async ([, rows, expected]) => {
    for (const [index, [kind, micro_usd]] of rows.entries())
      await enter({ generation: 'gen_a', kind, micro_usd, at: NOON + index })
    const sums = { ...NOTHING, generations: 1, attempts: 1, ...expected }
    expect(await usage()).toEqual({
      by: 'day',
      from: null,
      to: null,
      currency: 'USD',
      emulated: false,
      rows: [{ name: '2026-01-10', ...sums }],
      total: sums,
      cursor: null,
    })
  })

  test.for<[string, [Row['kind'], number | null][], { actual: number; uncertain: number }]>([
    ['settled', [['settle', 55_000]], { actual: 0.055, uncertain: 0 }],
    ['settled at an unknown price', [['settle', null]], { actual: 0, uncertain: 1 }],
    ['orphaned', [['orphan', 90_000]], { actual: 0, uncertain: 1 }],
    [
      'orphaned and then found to be free',
      [
        ['orphan', 90_000],
        ['release', 0],
      ],
      { actual: 0, uncertain: 0 },
    ],
    [
      'orphaned and then settled after all',
      [
        ['orphan', 90_000],
        ['settle', 55_000],
      ],
      { actual: 0.055, uncertain: 0 },
    ],
    ['reserved only', [], { actual: 0, uncertain: 0 }],
  ])('and a batch counts it in the same way: %s', async ([, rows, expected]) => {
    const batch = `bat_${crypto.randomUUID().replaceAll('-', '').slice(0, 26)}`
    await env.DB.prepare(
      `INSERT INTO batches (id, line_set, workspace, token, digest, state, total, terms, created_at, finished_at)
       VALUES (?1, ?1, 'default', 'admin', 'd', 'accepted', 1, '{"expected":0,"atMost":0}', 1, 2)`,
    )
      .bind(batch)
      .run()
    const all: [Row['kind'], number | null][] = [['reserve', 90_000], ...rows]
    for (const [index, [kind, micro_usd]] of all.entries())
      await enter({ generation: 'gen_a', kind, micro_usd, at: NOON + index, batch })
    expect(await (await ask(`/api/batches/${batch}`)).json()).toMatchObject({ cost: expected })
  })

  test('on the day on which it was sent, though it ended on the next', async () => {
    const midnight = Date.UTC(2026, 0, 11)
    await paid('gen_a', midnight - 5_000, 10_000)
    await paid('gen_b', midnight, 20_000)
    const days = await Promise.all(
      ['2026-01-10', '2026-01-11', '2026-01-12'].map((day) => usage(`?from=${day}&to=${day}`)),
    )
    expect(days.map(({ total }) => [total.attempts, total.cost])).toEqual([
      [1, 0.01],
      [1, 0.02],
      [0, 0],
    ])
  })
})

describe('rows', () => {
  beforeEach(async () => {
    await paid('gen_a', NOON, 50_000, { token: 'tok_1', batch: 'bat_1' })
    await paid('gen_a', NOON + 60_000, 70_000, { attempt: 2, token: 'tok_1', batch: 'bat_1', model: 'other' })
    await paid('gen_b', NOON + DAY_MS, 1, { token: 'tok_2', provider: 'google' })
  })

  test.for([
    [
      'day',
      [
        ['2026-01-10', 1, 2, 0.12],
        ['2026-01-11', 1, 1, 0.000001],
      ],
    ],
    [
      'model',
      [
        ['gemini-3-pro-image', 2, 2, 0.050001],
        ['other', 1, 1, 0.07],
      ],
    ],
    [
      'provider',
      [
        ['apiyi', 1, 2, 0.12],
        ['google', 1, 1, 0.000001],
      ],
    ],
    [
      'token',
      [
        ['tok_1', 1, 2, 0.12],
        ['tok_2', 1, 1, 0.000001],
      ],
    ],
    [
      'batch',
      [
        ['bat_1', 1, 2, 0.12],
        [null, 1, 1, 0.000001],
      ],
    ],
  ] as const)('by %s add up to the total, which counts a generation once', async ([by, expected]) => {
    const report = await usage(`?by=${by}`)
    expect(report.rows.map((row) => [row.name, row.generations, row.attempts, row.cost])).toEqual(expected)
    expect(report.total).toEqual({ ...NOTHING, generations: 2, attempts: 3, pictures: 3, cost: 0.120001 })
  })

  test('are those of the span, whose bounds are told as instants', async () => {
    const report = await usage('?from=2026-01-10T12:00:30Z&to=2026-01-10')
    expect(report).toMatchObject({ from: '2026-01-10T12:00:30.000Z', to: '2026-01-11T00:00:00.000Z' })
    expect(report.total).toMatchObject({ attempts: 1, cost: 0.07 })
    expect((await usage('?from=2026-01-11T13:00:00%2B01:00')).total.attempts).toBe(1)
    expect((await usage('?to=2026-01-10T12:00:00Z')).total).toEqual(NOTHING)
  })
})

test('a workspace sees its own', async () => {
  await paid('gen_a', NOON, 50_000, { workspace: 'other' })
  expect((await usage()).total).toEqual(NOTHING)
})

test('what the emulator drew says so, and is no part of what was bought', async () => {
  await paid('gen_a', NOON, 50_000, { workspace: 'default.emulated' })
  expect(await usage()).toMatchObject({ emulated: false, total: NOTHING })
  const drawn = await usage('', {
    GOOGLE_API_KEY: '',
    APIYI_API_KEY: '',
    TOKAIFY_API_KEY: '',
    PROVIDERS: '',
    EMULATOR_URL: env.EMULATOR,
  })
  expect(drawn).toMatchObject({ emulated: true, total: { cost: 0.05 } })
})

test('what was made is in it at what it cost', async () => {
  const made = await make({ prompt: prompt() })
  await expect.poll(async () => (await usage()).total.cost).toBe(made.cost.actual)
  expect((await usage('?by=token')).rows).toMatchObject([{ name: 'admin', pictures: 1, running: 0 }])
})

test.for([
  ['by=week', 'by: must be one of day, model, provider, token, batch'],
  ['from=yesterday', 'from: give a day'],
  ['from=2026-02-30', 'from: give a day'],
  ['to=2026-01-10T12:00:00', 'to: give a day'],
  ['from=2026-01-11&to=2026-01-10', 'to: is before `from`'],
  ['from=2026-01-11&from=2026-01-10', 'from: given more than once'],
] as const)('?%s is refused', async ([query, words]) => {
  const problem = await problemOf(await ask(`/api/usage?${query}`))
  expect(problem).toMatchObject({ code: 'invalid_request', charged: 'no' })
  expect(problem.detail).toContain(words)
})

test('more than a thousand rows come in pages, and each tells the total of all', async () => {
  await env.DB.exec(
    `INSERT INTO ledger
    SELECT 'gen_' || value, 1, 'settle', 'default', 'admin', printf('bat_%05d', value), 'apiyi', 'm', 1, 1, 'p', NULL, 1
    FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 1001) SELECT value FROM n)`.replaceAll(
      /\s+/g,
      ' ',
    ),
  )
  await paid('gen_a', NOON, 50_000)
  const first = await usage('?by=batch')
  expect([first.rows.length, first.rows[0]!.name, first.cursor]).toEqual([1_000, 'bat_00001', 'bat_01000'])
  const second = await usage(`?by=batch&cursor=${first.cursor}`)
  expect([second.rows.map(({ name }) => name), second.cursor]).toEqual([['bat_01001', null], null])
  expect(second.total).toEqual(first.total)
  expect(first.total).toMatchObject({ attempts: 1_002, cost: 0.051001 })
})

test('while the ledger cannot be read it is told, with a time to ask again', async () => {
  const DB = {
    prepare: () => {
      throw new Error('D1 is down')
    },
  }
  const response = await ask('/api/usage', {}, { DB })
  expect(response.headers.get('retry-after')).toBe('5')
  expect(await problemOf(response)).toMatchObject({ status: 503, code: 'unavailable', charged: 'no' })
})
