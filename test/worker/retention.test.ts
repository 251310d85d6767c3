// Retention: what is older than the operator wants to keep goes, and whoever asks for it is told; nothing is made again.
import { runInDurableObject } from 'cloudflare:test'
import { beforeEach, describe, expect, test } from 'vitest'
import type { GenerationView } from '../../core/api.ts'
import type { Env } from '../../worker/env.ts'
import { indexStatement } from '../../worker/generation/listing.ts'
import { generationId } from '../../worker/generation/name.ts'
import type { Wish } from '../../worker/generation/record.ts'
import type { Log } from '../../worker/log.ts'
import { sweep } from '../../worker/retention/sweep.ts'
import { ask, askAs, callsOf, make, picturesOf, post, problemOf, prompt, stored } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { alarmOf, plant, recordOf, stub, wish } from './setup/objects.ts'
import { PNG, sha256 } from './setup/pictures.ts'

const DAY_MS = 86_400_000

/** Runs the cron `days` from now. Resolves with what it logged. */
async function sweepIn(days: number, settings: Partial<Env>, more: { calls?: number; env?: object } = {}) {
  const lines: Parameters<Log>[0][] = []
  const now = () => Date.now() + days * DAY_MS
  const { calls } = more
  await sweep({ ...env, ...settings, ...more.env } as Env, {
    now,
    log: (line) => lines.push(line),
    ...(calls === undefined ? {} : { calls }),
  })
  return lines
}

const MONTH = { RETAIN_PICTURES_DAYS: '30' }

/** Where a picture lies on this worker. */
const pathOf = (image: GenerationView['image']) => new URL(image!.url).pathname

/** A picture, once the index knows of it. */
async function made(asked: Record<string, unknown>, headers = {}): Promise<GenerationView> {
  const view = await make(asked, headers)
  await expect.poll(() => indexed(view.id)).toMatchObject({ status: view.status })
  return view
}

function indexed(id: string) {
  return env.DB.prepare('SELECT status, deleted_at FROM generations WHERE id = ?1').bind(id).first()
}

beforeEach(() => env.DB.exec('DELETE FROM retention_passes'))

describe('pictures', () => {
  test('stay while they are younger than the limit, and without one', async () => {
    const { id, image } = await made({ prompt: prompt() })
    await sweepIn(29, MONTH)
    await sweepIn(1_000, {})
    expect((await ask(pathOf(image))).status).toBe(200)
    expect(await (await ask(`/api/generations/${id}`)).json()).not.toHaveProperty('image.deletedAt')
  })

  test('that are older are deleted; their addresses say so, and the generation stays', async () => {
    const key = { 'idempotency-key': crypto.randomUUID() }
    const asked = { prompt: prompt() }
    const view = await made(asked, key)
    expect(await sweepIn(31, MONTH)).toMatchObject([{ event: 'retention', isDone: true }])
    expect(await picturesOf(view.id)).toEqual([])
    expect(await stored(`commits/${view.id}/`)).toEqual([])

    const gone = await askAs(pathOf(view.image))
    const problem = await problemOf(gone)
    expect(problem).toMatchObject({ status: 410, code: 'gone', charged: 'no' })
    expect(problem.detail).toMatch(/^the picture \S+\.\w+ was deleted on \d{4}-\d\d-\d\d because of its age/)
    expect(problem.detail).toContain(view.id)
    expect((await askAs(pathOf(view.image), { method: 'HEAD' })).status).toBe(410)

    const now = (await (await ask(`/api/generations/${view.id}`)).json()) as GenerationView
    const deletedAt = expect.stringMatching(/^\d{4}-.*Z$/)
    expect(now).toEqual({ ...view, image: { ...view.image, deletedAt } })
    await expect
      .poll(async () => (await ask('/api/generations?limit=1')).json())
      .toMatchObject({ generations: [now] })

    const again = await post(asked, key)
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true'])
    expect(await again.json()).toEqual(now)
    expect(await callsOf(asked.prompt)).toHaveLength(1)
  })

  test('that are deleted are no reference any more', async () => {
    const { id, image } = await made({ prompt: prompt() })
    await sweepIn(31, MONTH)
    const problem = await problemOf(await post({ prompt: prompt(), references: [{ generation: id }] }))
    expect(problem).toMatchObject({ status: 422, code: 'reference_not_found', charged: 'no' })
    expect(problem.detail).toMatch(/^references\[0\]: its picture was deleted on .* because of its age/)
    expect(problem.detail).toContain(id)
    expect(image).not.toBeNull()
  })

  test('of an answer that held several go all', async () => {
    const view = await made({ prompt: `[[fault:storyboard]] ${prompt()}`, provider: 'google' })
    expect(view.moreImages.length).toBeGreaterThan(0)
    await sweepIn(31, MONTH)
    for (const image of [view.image, ...view.moreImages]) {
      expect((await askAs(pathOf(image))).status).toBe(410)
    }
  })

  test.for([
    ['/v1beta/models/gemini-3.1-flash-image:generateContent', 404, 'PICTURE_GONE'],
    ['/v1beta/models/gemini-3.1-flash-image:generateContent?delivery=url', 404, 'PICTURE_GONE'],
    ['/v1beta/models/gemini-3.1-flash-image:streamGenerateContent?alt=sse', 404, 'PICTURE_GONE'],
    ['/openai/v1/images/generations', 410, 'picture_gone'],
    ['/openai/v1/images/generations?delivery=url', 410, 'picture_gone'],
    ['/openai/v1/chat/completions', 410, 'picture_gone'],
  ] as const)(
    'that are deleted are an error of %s, and are not bought again',
    async ([path, status, code]) => {
      const words = prompt()
      const bodies: Record<string, object> = {
        v1beta: { contents: [{ role: 'user', parts: [{ text: words }] }] },
        images: { model: 'gemini-3.1-flash-image', prompt: words },
        chat: { model: 'gemini-3.1-flash-image', messages: [{ role: 'user', content: words }] },
      }
      const surface = path.startsWith('/v1beta') ? 'v1beta' : path.split('/')[3]!
      const call = () =>
        ask(path, {
          method: 'POST',
          headers: { 'idempotency-key': words.replaceAll(' ', '-'), 'content-type': 'application/json' },
          body: JSON.stringify(bodies[surface]),
        })
      const first = await call()
      expect(first.status).toBe(200)
      await first.body?.cancel()
      const id = first.headers.get('x-proofsheet-generation')!
      await expect.poll(() => indexed(id)).toMatchObject({ status: 'succeeded' })
      await sweepIn(31, MONTH)
      const again = await call()
      expect(again.status).toBe(status)
      const text = await again.text()
      expect(text).toContain(code)
      expect(text).toContain('because of its age')
      expect(again.headers.get('x-proofsheet-charged')).toBe('yes')
      expect(await callsOf(words)).toHaveLength(1)
    },
  )

  test('whose generation goes on are not looked for', async () => {
    const asked = wish('gen_00000000000000000000000001', { prompt: prompt() })
    await plant(asked)
    await sweepIn(3_000, MONTH)
    expect(await recordOf(asked.id)).not.toHaveProperty('deletedAt')
  })

  test('a run does what it may, and the next goes on', async () => {
    // Rows alone: that their objects remember nothing must not hold up the others.
    const rows = Array.from({ length: 25 }, (_, n) =>
      env.DB.prepare(
        `INSERT INTO generations (id, workspace, status, provider, model, created_at, finished_at, version, record)
         VALUES (?1, 'default', 'succeeded', 'apiyi', 'x', 0, ?2, 1, '{"attempts":[]}')`,
      ).bind(`gen_row${n}`, 1 + (n % 3)),
    )
    await env.DB.batch(rows)
    const left = () =>
      env.DB.prepare(
        "SELECT COUNT(*) AS n FROM generations WHERE id LIKE 'gen_row%' AND deleted_at IS NULL",
      ).first('n')
    // Broken uploads, and one page of twenty.
    const run = () => sweepIn(1, { RETAIN_PICTURES_DAYS: '10' }, { calls: 35 })
    expect(await run()).toMatchObject([{ generations: 20, isDone: false }])
    expect(await left()).toBe(5)
    expect(await run()).toMatchObject([{ generations: 5, isDone: true }])
    expect(await left()).toBe(0)
    expect(await run()).toMatchObject([{ generations: 0, isDone: true }])
    await env.DB.exec("DELETE FROM generations WHERE id LIKE 'gen_row%'")
  })

  test('are counted in the log beside their generations, of which some have none', async () => {
    await sweepIn(31, MONTH)
    await made({ prompt: prompt() })
    await made({ prompt: `[[fault:text-only]] ${prompt()}` })
    expect(await sweepIn(31, MONTH)).toMatchObject([{ event: 'retention', generations: 2, pictures: 1 }])
  })

  test('of an object that cannot be reached now go in the next run', async () => {
    await sweepIn(31, MONTH)
    const { id } = await made({ prompt: prompt() })
    const GENERATION = {
      idFromName: (name: string) => name,
      get: () => ({ forget: () => Promise.reject(new Error('overloaded')) }),
    }
    expect(await sweepIn(31, MONTH, { env: { GENERATION } })).toMatchObject([
      { event: 'retention_failed', generation: id, error: 'Error: overloaded' },
      { event: 'retention', pictures: 0 },
    ])
    expect(await picturesOf(id)).toHaveLength(1)
    await sweepIn(31, MONTH)
    expect(await picturesOf(id)).toEqual([])
  })
})

describe('a picture that somebody deleted from the bucket', () => {
  test('is not found, and no reference; the words do not say that there was none', async () => {
    const { id, image } = await made({ prompt: prompt() })
    await env.BUCKET.delete(await picturesOf(id))
    const problem = await problemOf(await askAs(pathOf(image)))
    expect(problem).toMatchObject({ status: 404, code: 'not_found' })
    expect(problem.detail).toContain('if there was one, it was deleted from the bucket')
    const refused = await problemOf(await post({ prompt: prompt(), references: [{ generation: id }] }))
    expect(refused.detail).toContain(`references[0]: its picture is not stored any more (generation ${id})`)
  })

  test('is told as deleted once retention has passed over it', async () => {
    const { id, image } = await made({ prompt: prompt() })
    await env.BUCKET.delete(await picturesOf(id))
    await sweepIn(31, MONTH)
    expect((await askAs(pathOf(image))).status).toBe(410)
  })

  test('while D1 is down nobody can say what became of it', async () => {
    await env.DB.exec('ALTER TABLE deleted_pictures RENAME TO hidden')
    try {
      const response = await askAs('/images/00000000000000000000000000.png')
      expect(await problemOf(response)).toMatchObject({ status: 503, code: 'unavailable' })
    } finally {
      await env.DB.exec('ALTER TABLE hidden RENAME TO deleted_pictures')
    }
  })
})

describe('input images and conversations', () => {
  /** Stores an image that nobody stored before. */
  async function upload(): Promise<{ sha256: string; key: string }> {
    const bytes = new Uint8Array([...PNG, ...crypto.getRandomValues(new Uint8Array(8))])
    await ask('/api/references', { method: 'POST', body: bytes })
    return { sha256: sha256(bytes), key: `references/default/${sha256(bytes)}` }
  }
  const isStored = async (key: string) => (await env.BUCKET.head(key)) !== null
  const WEEK = { RETAIN_REFERENCES_DAYS: '7' }

  test('that are older than the limit are deleted, and a request with them says so', async () => {
    const { sha256, key } = await upload()
    await env.BUCKET.put('conversations/default/abc.json', '{}')
    await env.BUCKET.put('references/default/large/abc', 'long')
    await sweepIn(6, WEEK)
    expect(await isStored(key)).toBe(true)
    await env.DB.exec('DELETE FROM retention_passes')
    expect(await sweepIn(8, WEEK)).toMatchObject([{ event: 'retention', pictures: 0, isDone: true }])
    expect([...(await stored('references/')), ...(await stored('conversations/'))]).toEqual([])
    const problem = await problemOf(await post({ prompt: prompt(), references: [{ sha256 }] }))
    expect(problem.code).toBe('reference_not_found')
  })

  test('are kept two days whatever is set', async () => {
    const { key } = await upload()
    await sweepIn(1.9, { RETAIN_REFERENCES_DAYS: '1' })
    expect(await isStored(key)).toBe(true)
    await env.DB.exec('DELETE FROM retention_passes')
    await sweepIn(2.1, { RETAIN_REFERENCES_DAYS: '1' })
    expect(await isStored(key)).toBe(false)
  })

  test('of what is queued stay', async () => {
    const [queued, planned, free] = [await upload(), await upload(), await upload()]
    const record = { inputs: [{ key: queued.key }], conversation: { key: 'conversations/default/held.json' } }
    await env.BUCKET.put('conversations/default/held.json', '{}')
    await env.DB.prepare(
      `INSERT INTO generations (id, workspace, status, provider, model, created_at, version, record)
       VALUES ('gen_queued', 'default', 'queued', 'apiyi', 'x', 0, 1, ?1)`,
    )
      .bind(JSON.stringify(record))
      .run()
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO batches (id, line_set, workspace, token, digest, state, total, terms, created_at)
         VALUES ('bat_1', 'set_1', 'default', 'admin', 'd', 'accepted', 1, '{}', 0)`,
      ),
      env.DB.prepare(
        `INSERT INTO batch_lines (line_set, line, key, generation, state, request)
         VALUES ('set_1', 1, 'k', 'gen_x', 'waiting', ?1)`,
      ).bind(JSON.stringify({ references: [{ sha256: planned.sha256 }] })),
    ])
    await sweepIn(100, WEEK)
    expect(await Promise.all([queued, planned, free].map(({ key }) => isStored(key)))).toEqual([
      true,
      true,
      false,
    ])
    expect(await isStored('conversations/default/held.json')).toBe(true)

    await env.DB.exec("UPDATE generations SET status = 'failed' WHERE status = 'queued'")
    await env.DB.exec("UPDATE batch_lines SET state = 'ended'")
    await env.DB.exec('DELETE FROM retention_passes')
    await sweepIn(100, WEEK)
    expect(await Promise.all([queued, planned].map(({ key }) => isStored(key)))).toEqual([false, false])
  })

  test('are walked once a day, and a walk that is too long goes on in the next run', async () => {
    const objects = Array.from({ length: 2_500 }, (_, n) => ({
      key: `references/w/${String(n).padStart(5, '0')}`,
      uploaded: new Date(0),
    }))
    const asked: (string | undefined)[] = []
    let deleted: string[] = []
    const BUCKET = {
      list: async ({ prefix, startAfter }: { prefix: string; startAfter?: string }) => {
        asked.push(startAfter)
        const all = objects.filter(({ key }) => key.startsWith(prefix) && key > (startAfter ?? ''))
        return { objects: all.slice(0, 1_000), truncated: all.length > 1_000 }
      },
      delete: async (keys: string[]) => {
        deleted = [...deleted, ...keys]
      },
    }
    // Broken uploads, and one page.
    const run = (days: number) => sweepIn(days, WEEK, { env: { BUCKET }, calls: 14 })
    expect(await run(10)).toMatchObject([{ references: 1_000, isDone: false }])
    expect(await run(10.1)).toMatchObject([{ references: 1_000, isDone: false }])
    expect(await run(10.2)).toMatchObject([{ references: 500 }])
    expect(asked).toEqual([undefined, 'references/w/00999', 'references/w/01999'])
    expect(new Set(deleted).size).toBe(2_500)
    // The other prefix, and then nothing until tomorrow.
    await run(10.3)
    expect(asked).toHaveLength(4)
    await run(10.4)
    expect(asked).toHaveLength(4)
    await run(11.2)
    expect(asked).toHaveLength(5)
  })
})

describe('nothing is deleted', () => {
  test.for(['soon', '0', '-3', '1.5', '30 days', '1e9'])(
    'when the days are %j, and the log says so',
    async (days) => {
      const { id } = await made({ prompt: prompt() })
      const lines = await sweepIn(9_999, { RETAIN_PICTURES_DAYS: days, RETAIN_REFERENCES_DAYS: days })
      expect(lines).toMatchObject([
        {
          event: 'retention_misconfigured',
          error: `RETAIN_PICTURES_DAYS is ${JSON.stringify(days)}: give whole days, 1 or more; nothing is deleted by it`,
        },
        { event: 'retention_misconfigured' },
      ])
      expect(await picturesOf(id)).toHaveLength(1)
    },
  )

  test('while D1 is down; it is logged', async () => {
    const { id } = await made({ prompt: prompt() })
    const before = await stored()
    const DB = {
      prepare: () => {
        throw new Error('D1 is down')
      },
    }
    const settings = { ...MONTH, RETAIN_REFERENCES_DAYS: '7' }
    const lines = await sweepIn(31, settings, { env: { DB } })
    expect(lines).toMatchObject([
      { event: 'retention_failed', what: 'uploads', error: 'Error: D1 is down' },
      { event: 'retention_failed', what: 'overdue' },
      { event: 'retention_failed', what: 'references' },
      { event: 'retention_failed', what: 'pictures' },
    ])
    expect(await stored()).toEqual(before)
    expect(await picturesOf(id)).toHaveLength(1)
  })
})

test('a number in wrangler.toml is a number of days', async () => {
  const { id } = await made({ prompt: prompt() })
  await sweepIn(31, { RETAIN_PICTURES_DAYS: 30 as unknown as string })
  expect(await picturesOf(id)).toEqual([])
})

test('uploads of batches that broke off are removed, whatever is to be kept', async () => {
  for (const [id, state] of [
    ['bat_left', 'receiving'],
    ['bat_kept', 'accepted'],
  ])
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO batches (id, line_set, workspace, token, digest, state, total, terms, created_at)
         VALUES (?1, ?1, 'default', 'admin', 'd', ?2, 1, '{}', ?3)`,
      ).bind(id, state, Date.now()),
      env.DB.prepare(
        `INSERT INTO batch_lines (line_set, line, key, generation, state, request)
         VALUES (?1, 1, 'k', 'gen_x', 'ended', '{}')`,
      ).bind(id),
    ])
  const left = async () =>
    (await env.DB.prepare("SELECT line_set FROM batch_lines WHERE line_set LIKE 'bat_%'").all()).results
  await sweepIn(0.1, {})
  expect(await left()).toHaveLength(2)
  expect(await sweepIn(1, {})).toEqual([])
  expect(await left()).toEqual([{ line_set: 'bat_kept' }])
})

describe('a generation that should have ended', () => {
  const HOUR_MS = 3_600_000

  /** A queued one that has lost its alarm, and is in the index. */
  async function asleep(): Promise<Wish> {
    const asked = wish(generationId('default', crypto.randomUUID()), { prompt: prompt() })
    await plant(asked)
    await indexStatement(env.DB, await recordOf(asked.id)).run()
    await runInDurableObject(stub(asked.id), (_, { storage }) => storage.deleteAlarm())
    return asked
  }

  test('an hour ago is woken, and ends', async () => {
    const { id, deadlineAt } = await asleep()
    const days = (at: number) => (at - Date.now()) / DAY_MS
    expect(await sweepIn(days(deadlineAt + HOUR_MS - 5_000), {})).toEqual([])
    expect(await alarmOf(id)).toBeNull()
    expect(await sweepIn(days(deadlineAt + HOUR_MS + 5_000), {})).toEqual([{ event: 'overdue', woken: 1 }])
    // Not the object itself: whoever reads that wakes it.
    await expect.poll(() => indexed(id)).toMatchObject({ status: 'succeeded' })
  })

  test('and cannot be reached is tried again in the next run, and keeps nothing else waiting', async () => {
    const { id } = await asleep()
    const GENERATION = {
      idFromName: (name: string) => name,
      get: () => ({ turn: () => Promise.reject(new Error('overloaded')) }),
    }
    const lines = await sweepIn(3, { RETAIN_REFERENCES_DAYS: '7' }, { env: { GENERATION } })
    expect(lines).toMatchObject([
      { event: 'retention_failed', what: 'overdue', generation: id, error: 'Error: overloaded' },
      { event: 'retention' },
    ])
    expect(await sweepIn(3, {})).toEqual([{ event: 'overdue', woken: 1 }])
    // Not the object itself: whoever reads that wakes it.
    await expect.poll(() => indexed(id)).toMatchObject({ status: 'succeeded' })
  })
})
