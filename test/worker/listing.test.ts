// The index in D1: what lists read. It follows the objects, and its absence stops no picture.
import { describe, expect, test } from 'vitest'
import { GenerationListSchema, type GenerationView } from '../../core/api.ts'
import { indexStatement } from '../../worker/generation/listing.ts'
import { generationId } from '../../worker/generation/name.ts'
import { finished, type GenerationRecord } from '../../worker/generation/record.ts'
import { ask, callsOf, make, post, problemOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { alarmOf, recordOf, wake, wish } from './setup/objects.ts'

async function list(query = '', changes = {}) {
  const response = await ask(`/api/generations${query}`, {}, changes)
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return GenerationListSchema.parse(await response.json())
}

/** Puts an ended generation into the index alone. */
async function index(key: string, createdAt: number, changes: Partial<GenerationRecord> = {}) {
  const asked = wish(generationId('default', key), { prompt: key })
  const record = finished(
    { ...asked, status: 'queued', attempts: [], createdAt, version: 1 },
    'failed',
    createdAt,
  )
  await indexStatement(env.DB, { ...record, ...changes }).run()
  return asked.id
}

const idsOf = ({ generations }: { generations: GenerationView[] }) => generations.map((g) => g.id)

describe('a list', () => {
  test('holds what was made, newest first, as it is answered elsewhere', async () => {
    const first = await make({ prompt: prompt() })
    const second = await make({ prompt: prompt() })
    expect(await list('?limit=2')).toEqual({ generations: [second, first], cursor: null })
  })

  test('is walked page by page without losing or repeating any, also where times are equal', async () => {
    const ids = new Set<string>()
    for (let n = 0; n < 7; n++) ids.add(await index(`page ${n}`, 1_000 + Math.floor(n / 3)))
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page = await list(`?status=failed&limit=3${cursor ? `&cursor=${cursor}` : ''}`)
      expect(page.generations.length).toBeLessThanOrEqual(3)
      seen.push(...idsOf(page))
      cursor = page.cursor
    } while (cursor)
    expect(seen.filter((id) => ids.has(id))).toHaveLength(7)
    expect(new Set(seen).size).toBe(seen.length)
  })

  test('is filtered by status, model and provider', async () => {
    const refused = await make({ prompt: `[[fault:refused]] ${prompt()}` })
    const worded = await make({ prompt: `[[fault:text-only]] ${prompt()}`, provider: 'google' })
    const pro = await make({ prompt: `[[fault:refused]] ${prompt()}`, model: 'nano-banana-pro', size: '1K' })
    expect(idsOf(await list('?status=refused'))).toEqual([pro.id, refused.id])
    expect(idsOf(await list('?model=gemini-3-pro-image-preview'))).toEqual([pro.id])
    expect(idsOf(await list('?provider=google'))).toEqual([worded.id])
    expect(idsOf(await list('?status=refused,%20failed&model=nano-banana-2&provider=google'))).toEqual([
      worded.id,
    ])
    expect(idsOf(await list('?model=none'))).toEqual([])
  })

  test('is filtered by token, batch and the time at which it was asked for', async () => {
    const noon = Date.UTC(2020, 0, 10, 12)
    const early = await index('early', noon, { token: 'tok_1', batch: 'bat_1' })
    const late = await index('late', noon + 3_600_000, { token: 'tok_1' })
    const next = await index('next', Date.UTC(2020, 0, 11), { token: 'tok_2', batch: 'bat_1' })
    expect(idsOf(await list('?token=tok_1'))).toEqual([late, early])
    expect(idsOf(await list('?batch=bat_1'))).toEqual([next, early])
    expect(idsOf(await list('?token=tok_1&batch=bat_1'))).toEqual([early])
    expect(idsOf(await list('?from=2020-01-10&to=2020-01-10'))).toEqual([late, early])
    expect(idsOf(await list('?from=2020-01-10T12:00:00.001Z&to=2020-01-11'))).toEqual([next, late])
    expect(idsOf(await list('?to=2020-01-10T13:00:00Z&from=2020-01-10'))).toEqual([early])
    const { generations, cursor } = await list('?batch=bat_1&limit=1')
    expect(generations).toMatchObject([{ id: next, token: 'tok_2', batch: 'bat_1' }])
    expect(idsOf(await list(`?batch=bat_1&limit=1&cursor=${cursor}`))).toEqual([early])
  })

  test.for([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=2.5', 'limit'],
    ['limit=few', 'limit'],
    ['status=done', 'status: must be one of queued, running'],
    ['cursor=abc', 'cursor'],
    ['limit=1&limit=2', 'limit: given more than once'],
    ['from=today', 'from: give a day'],
    ['from=2020-01-02&to=2020-01-01', 'to: is before `from`'],
  ] as const)('refuses ?%s', async ([query, words]) => {
    const problem = await problemOf(await ask(`/api/generations?${query}`))
    expect(problem).toMatchObject({ code: 'invalid_request', status: 400 })
    expect(problem.detail).toContain(words)
  })
})

describe('what the emulator drew is kept apart', () => {
  const emulated = {
    GOOGLE_API_KEY: '',
    APIYI_API_KEY: '',
    TOKAIFY_API_KEY: '',
    PROVIDERS: '',
    EMULATOR_URL: env.EMULATOR,
  }

  test('a key, a listing, a reference and an id of one workspace mean nothing in the other', async () => {
    const key = { 'idempotency-key': crypto.randomUUID() }
    const asked = { prompt: `[[fault:text-only]] ${prompt()}` }
    const drawn = (await (await post(asked, key, emulated)).json()) as GenerationView
    // The object has keys: what was asked of the emulator it does not buy.
    expect(drawn).toMatchObject({ emulated: true, status: 'failed', cost: { actual: 0 } })
    expect(await callsOf(asked.prompt)).toEqual([])
    const bought = await post(asked, key)
    expect(bought.headers.get('idempotent-replayed')).toBeNull()
    const { id } = (await bought.json()) as GenerationView
    expect(id).not.toBe(drawn.id)
    expect(await callsOf(asked.prompt)).toHaveLength(1)

    expect(idsOf(await list('', emulated))).toEqual([drawn.id])
    expect(idsOf(await list('?limit=100'))).not.toContain(drawn.id)
    expect((await problemOf(await ask(`/api/generations/${drawn.id}`))).code).toBe('not_found')
    expect((await problemOf(await ask(`/api/generations/${id}`, {}, emulated))).code).toBe('not_found')
  })

  test('an uploaded reference and a picture are no input in the other', async () => {
    const bytes = Uint8Array.fromHex('89504e470d0a1a0a0000000d49484452')
    const upload = await ask('/api/references', { method: 'POST', body: bytes }, emulated)
    const { sha256 } = (await upload.json()) as { sha256: string }
    const stored = await post({ prompt: prompt(), references: [{ sha256 }] })
    expect((await problemOf(stored)).code).toBe('reference_not_found')
    const made = await make({ prompt: prompt() })
    const reused = await post({ prompt: prompt(), references: [{ generation: made.id }] }, {}, emulated)
    expect(await problemOf(reused)).toMatchObject({
      code: 'reference_not_found',
      detail: `references[0]: there is no generation ${made.id}`,
    })
  })
})

test('an older state never replaces a newer one', async () => {
  const made = await make({ prompt: prompt() })
  const record = await recordOf(made.id)
  await indexStatement(env.DB, { ...record, status: 'running', version: record.version - 1 }).run()
  expect((await list('?limit=1')).generations[0]).toMatchObject({ id: made.id, status: 'succeeded' })
})

test('while the index is down pictures are made, once, and it learns of them afterwards', async () => {
  await env.DB.exec('ALTER TABLE generations RENAME TO hidden')
  const key = { 'idempotency-key': crypto.randomUUID() }
  const asked = { prompt: prompt() }
  const made = await make(asked, key)
  expect(made.status).toBe('succeeded')
  expect(await make(asked, key)).toEqual(made)
  expect(await (await ask(`/api/generations/${made.id}`)).json()).toEqual(made)
  expect(await callsOf(asked.prompt)).toHaveLength(1)
  const problem = await problemOf(await ask('/api/generations'))
  expect(problem).toMatchObject({ code: 'unavailable', status: 503, retryAfterMs: 5_000 })

  // It tries again by itself; meanwhile nothing else happens.
  expect(await alarmOf(made.id)).not.toBeNull()
  await wake(made.id)
  expect(await alarmOf(made.id)).not.toBeNull()
  await env.DB.exec('ALTER TABLE hidden RENAME TO generations')
  await wake(made.id)
  expect((await list('?limit=1')).generations).toEqual([made])
  expect(await alarmOf(made.id)).toBeNull()
  expect(await callsOf(asked.prompt)).toHaveLength(1)
})
