// The retry shield: clients that repeat by themselves do not buy again (worker/generation/shield.ts). Calls and charges are
// counted at the emulator.
import { listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { GenerationView } from '../../core/api.ts'
import type { Conversation } from '../../core/gemini/conversation.ts'
import { marketOf } from '../../core/market.ts'
import { RequestSchema } from '../../core/request.ts'
import type { Asker } from '../../worker/asker.ts'
import { type Asked as Accepting, accept, waitUntilEnded } from '../../worker/generation/ask.ts'
import type { Ensured } from '../../worker/generation/object.ts'
import type { Wish } from '../../worker/generation/record.ts'
import { REPEAT_MS, SHIELD_MS, shieldName } from '../../worker/generation/shield.ts'
import { ADMIN } from '../../worker/http/auth.ts'
import { type Asked, ask, callsOf, chargesOf, logged, post, problemOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { PNG } from './setup/pictures.ts'
import { freshRelay } from './setup/relay.ts'

afterEach(() => void vi.useRealTimers())

type Answer = { id: string; view: GenerationView; isReplayed: boolean }

const REPEAT = { 'x-stainless-retry-count': '1' }
const OFF = { 'x-proofsheet-shield': 'off' }

async function answerOf(response: Response): Promise<Answer> {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  const view = await response.json<GenerationView>()
  return { id: view.id, view, isReplayed: response.headers.get('idempotent-replayed') === 'true' }
}

const send = async (asked: Asked, headers: Record<string, string> = {}, changes = {}) =>
  answerOf(await post(asked, headers, changes))

const begin = (asked: Asked, headers: Record<string, string> = {}, changes = {}) =>
  send(asked, { ...headers, prefer: 'respond-async' }, changes)

/** Lets everything until the returned end happen that much earlier: alarms that are due in the past fire at once. */
function earlier(ms: number): () => void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - ms })
  return () => void vi.useRealTimers()
}

/** The object that knows what `post` asks for. */
function shieldOf(asked: Asked) {
  const request = RequestSchema.parse({ model: 'nano-banana-2', provider: 'apiyi', size: '512', ...asked })
  const name = shieldName('default', { request } as Accepting)
  return env.SHIELD.get(env.SHIELD.idFromName(name))
}

const knownOf = (asked: Asked) =>
  runInDurableObject(shieldOf(asked), async (_, { storage }) => ({
    known: storage.kv.get<{ id: string }[]>('known')?.map(({ id }) => id),
    alarm: await storage.getAlarm(),
  }))

describe('an answer without a picture that was or may have been paid is given again', () => {
  test.concurrent.for([
    ['refused', '[[fault:refused]]', 'yes', 1],
    ['blocked', '[[fault:blocked-prompt]]', 'yes', 1],
    ['words', '[[fault:text-only]]', 'yes', 1],
    ['nothing drawn', '[[fault:no-image]]', 'yes', 1],
    ['an error page', '[[fault:html]]', 'unknown', 1],
    ['a 500 of a relay', '[[fault:internal]]', 'unknown', 0],
    ['cut off', '[[fault:cut]]', 'unknown', 1],
    ['cut off after a draft that is kept', '[[fault:drafts]] [[fault:cut at=0.8]]', 'unknown', 1],
    ['connection lost', '[[fault:reset]]', 'unknown', 1],
  ] as const)('%s', async ([, fault, charged, charges]) => {
    const asked = { prompt: `${fault} ${prompt()}` }
    const first = await send(asked)
    expect(first.isReplayed).toBe(false)
    expect(first.view.attempts).toMatchObject([{ charged }])
    for (const again of [await send(asked), await send(asked, REPEAT), await send(asked)])
      expect(again).toEqual({ ...first, isReplayed: true })
    expect(await callsOf(asked.prompt)).toHaveLength(1)
    expect(await chargesOf(asked.prompt)).toHaveLength(charges)
  })

  test('also when a fallback that cost nothing came after it', async () => {
    const fallback = [{ model: 'nano-banana-2', provider: 'locked', on: ['no_image'] }]
    const asked = { prompt: `[[fault:no-image]] ${prompt()}`, fallback }
    const first = await send(asked)
    expect(first.view.attempts).toMatchObject([{ charged: 'yes' }, { charged: 'no' }])
    expect(await send(asked)).toEqual({ ...first, isReplayed: true })
    expect(await chargesOf(asked.prompt)).toHaveLength(1)
  })

  test('also when its reference is gone meanwhile', async () => {
    const { sha256 } = await (
      await ask('/api/references', { method: 'POST', body: PNG, headers: { 'content-type': 'image/png' } })
    ).json<{ sha256: string }>()
    const asked = { prompt: `[[fault:refused]] ${prompt()}`, references: [{ sha256 }] }
    const first = await send(asked)
    await env.BUCKET.delete(`references/default/${sha256}`)
    expect(await send(asked)).toEqual({ ...first, isReplayed: true })
    expect((await post(asked, OFF)).status).toBe(422)
    expect(await chargesOf(asked.prompt)).toHaveLength(1)
  })

  test('the one of several at once that ended so, while the others go on', async () => {
    const words = prompt()
    // The second is told from the first by nothing but what the provider does with it.
    const asked = { prompt: `[[fault:refused times=1]] [[fault:slow ms=1500]] ${words}` }
    const running = [await begin(asked), await begin(asked)]
    await vi.waitFor(async () => expect(await callsOf(words)).toHaveLength(2))
    const views = await Promise.all(
      running.map(async ({ id }) => (await env.GENERATION.get(env.GENERATION.idFromName(id)).wait(9_000))!),
    )
    expect(views.map(({ status }) => status).sort()).toEqual(['refused', 'succeeded'])
    const again = await send(asked)
    expect(again).toMatchObject({ isReplayed: true, view: { status: 'refused' } })
    expect(await callsOf(words)).toHaveLength(2)
  })
})

describe('what is no paid failure is bought anew', () => {
  test.concurrent.for([
    ['a success', '', {}, 'succeeded'],
    ['a model that is gone', '[[fault:model-gone]]', {}, 'failed'],
    ['an overload until the deadline', '[[fault:overloaded]]', { deadline: 1 }, 'failed'],
  ] as const)('%s', async ([, fault, changes, status]) => {
    // What it meets slows nobody else down.
    const asked = { prompt: `${fault} ${prompt()}`, provider: freshRelay(), ...changes }
    const first = await send(asked)
    const second = await send(asked)
    expect([first, second]).toMatchObject([
      { isReplayed: false, view: { status } },
      { isReplayed: false, view: { status } },
    ])
    expect(second.id).not.toBe(first.id)
    const attempts = [...first.view.attempts, ...second.view.attempts]
    expect(await callsOf(asked.prompt)).toHaveLength(attempts.length)
  })

  test('two equal requests at once are two pictures', async () => {
    const asked = { prompt: `[[fault:slow ms=200]] ${prompt()}` }
    const [first, second] = await Promise.all([send(asked), send(asked)])
    expect(second.id).not.toBe(first.id)
    expect(await chargesOf(asked.prompt)).toHaveLength(2)
  })

  test('of two requests at once neither is overlooked while an earlier one is looked at', async () => {
    const asked = { prompt: prompt() }
    await send(asked)
    const ids = [1, 2].map((number) => `gen_${String(number).padStart(26, '0')}`)
    await Promise.all(ids.map((id) => shieldOf(asked).admit(id, { isRepeat: false, isShielded: true })))
    expect((await knownOf(asked)).known).toEqual(ids)
  })

  test.for([
    ['another size', { size: '1K' }],
    ['another provider', { provider: 'google' }],
    ['a fallback', { fallback: [{ model: 'nano-banana-2', provider: 'google', on: ['refused'] }] }],
  ] as const)('%s makes it another request', async ([, changes]) => {
    const asked = { prompt: `[[fault:refused]] ${prompt()}` }
    const first = await send(asked)
    const other = await send({ ...asked, ...changes })
    expect(other.isReplayed).toBe(false)
    expect(other.id).not.toBe(first.id)
  })

  test('what the caller turns the shield off for; its repeat joins it all the same', async () => {
    const asked = { prompt: `[[fault:refused]] ${prompt()}` }
    const first = await send(asked)
    const second = await send(asked, OFF)
    expect(second).toMatchObject({ isReplayed: false })
    expect(second.id).not.toBe(first.id)
    expect(await send(asked, { ...OFF, ...REPEAT })).toEqual({ ...second, isReplayed: true })
    expect(await send(asked)).toEqual({ ...second, isReplayed: true })
    expect(await chargesOf(asked.prompt)).toHaveLength(2)
  })
})

describe('time', () => {
  test('the answer is given again for a minute from its end, however often it was asked for', async () => {
    const asked = { prompt: `[[fault:refused]] ${prompt()}`, provider: freshRelay() }
    const now = earlier(SHIELD_MS + 100)
    const first = await send(asked)
    const endedAt = Date.parse(first.view.finishedAt!)
    vi.setSystemTime(endedAt + SHIELD_MS)
    expect(await send(asked)).toEqual({ ...first, isReplayed: true })
    now()
    await vi.waitUntil(() => Date.now() > endedAt + SHIELD_MS)
    const later = await send(asked)
    expect(later.isReplayed).toBe(false)
    expect(await callsOf(asked.prompt)).toHaveLength(2)
  })

  test('a repeat joins what was begun within a quarter of an hour, and buys anew after it', async () => {
    const asked = { prompt: prompt(), provider: freshRelay() }
    const now = earlier(REPEAT_MS + 100)
    const begunFrom = Date.now()
    const first = await send(asked)
    vi.setSystemTime(begunFrom + REPEAT_MS)
    expect(await send(asked, REPEAT)).toEqual({ ...first, isReplayed: true })
    now()
    await vi.waitUntil(() => Date.now() > Date.parse(first.view.createdAt) + REPEAT_MS)
    expect(await send(asked, REPEAT)).toMatchObject({ isReplayed: false })
    expect(await callsOf(asked.prompt)).toHaveLength(2)
  })
})

describe('a request that says it is a repeat', () => {
  test('joins the one that runs', async () => {
    const asked = { prompt: `[[fault:slow ms=500]] ${prompt()}` }
    const first = await begin(asked)
    const [repeat, another] = await Promise.all([send(asked, REPEAT), send(asked, REPEAT)])
    expect(repeat).toMatchObject({ id: first.id, isReplayed: true, view: { status: 'succeeded' } })
    expect(another).toEqual(repeat)
    expect(await callsOf(asked.prompt)).toHaveLength(1)
  })

  test('joins the latest one', async () => {
    const asked = { prompt: prompt() }
    await send(asked)
    const second = await send(asked)
    expect(await send(asked, REPEAT)).toEqual({ ...second, isReplayed: true })
  })

  test('is a new picture when nothing like it was asked for', async () => {
    const asked = { prompt: prompt() }
    expect(await send(asked, REPEAT)).toMatchObject({ isReplayed: false, view: { status: 'succeeded' } })
    expect(await callsOf(asked.prompt)).toHaveLength(1)
  })

  test('may overtake what it repeats, which then joins it; another request does not', async () => {
    const asked = { prompt: `[[fault:refused]] ${prompt()}` }
    const reached = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    const SHIELD = {
      idFromName: (name: string) => env.SHIELD.idFromName(name),
      get: (id: DurableObjectId) => ({
        async admit(...given: Parameters<ReturnType<typeof env.SHIELD.get>['admit']>) {
          reached.resolve()
          await held.promise
          await env.SHIELD.get(id).admit(...given)
          // The answer is lost once: asked again it says the same.
          return env.SHIELD.get(id).admit(...given)
        },
      }),
    }
    const first = send(asked, OFF, { SHIELD })
    await reached.promise
    await vi.waitUntil(
      (
        (arrivedAt) => () =>
          Date.now() > arrivedAt
      )(Date.now()),
    )
    const repeat = await send(asked, { ...OFF, ...REPEAT })
    expect(repeat).toMatchObject({ isReplayed: false, view: { status: 'refused' } })
    const other = await send(asked, OFF)
    expect(other.id).not.toBe(repeat.id)
    held.resolve()
    expect(await first).toEqual({ ...repeat, isReplayed: true })
    expect(await callsOf(asked.prompt)).toHaveLength(2)
  })

  test('takes over the one that is still on its way in, which then joins it', async () => {
    const asked = { prompt: prompt() }
    const reached = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    const first = send(
      asked,
      {},
      {
        GENERATION: generations(async (stub, wish) => {
          reached.resolve()
          await held.promise
          return stub.ensure(wish)
        }),
      },
    )
    await reached.promise
    const repeat = await send(asked, REPEAT)
    expect(repeat).toMatchObject({ isReplayed: false, view: { status: 'succeeded' } })
    held.resolve()
    expect(await first).toEqual({ ...repeat, isReplayed: true })
    expect(await chargesOf(asked.prompt)).toHaveLength(1)
  })

  // An address may give other bytes at every look: then the wishes differ although the words do not.
  test('gets the picture that is being bought even if its references have changed meanwhile', async () => {
    const asked = { prompt: prompt() }
    const first = await send(
      asked,
      {},
      {
        GENERATION: generations(async (stub, wish) => {
          // Meanwhile a repeat has taken the id over, with other bytes.
          await stub.ensure({ ...wish, fingerprint: '0'.repeat(64) })
          return stub.ensure(wish)
        }),
      },
    )
    expect(first).toMatchObject({ isReplayed: true, view: { status: 'succeeded' } })
    expect(await callsOf(asked.prompt)).toHaveLength(1)
  })
})

type Stub = ReturnType<typeof env.GENERATION.get>

/** The Generation objects, with something else happening where a wish is handed over. */
function generations(ensure: (stub: Stub, wish: Wish) => Promise<Ensured>) {
  return {
    idFromName: (name: string) => env.GENERATION.idFromName(name),
    get(id: DurableObjectId) {
      const stub = env.GENERATION.get(id)
      return {
        read: () => stub.read(),
        wait: (ms: number) => stub.wait(ms),
        ensure: (wish: Wish) => ensure(stub, wish),
      }
    },
  }
}

describe('a shield that fails', () => {
  /** Shields whose first `times` answers are lost, after or before the request was noted. */
  function losing(times: number, isNoted: boolean) {
    const counts = { asked: 0 }
    const SHIELD = {
      idFromName: (name: string) => env.SHIELD.idFromName(name),
      get(id: DurableObjectId) {
        const stub = env.SHIELD.get(id)
        return {
          async admit(...given: Parameters<typeof stub.admit>) {
            const isLost = counts.asked++ < times
            const admitted = isLost && !isNoted ? undefined : await stub.admit(...given)
            if (isLost) throw new Error('Network connection lost.')
            return admitted
          },
        }
      },
    }
    return { counts, SHIELD }
  }

  test('is asked three times; then nothing is bought and the caller is told so', async () => {
    const asked = { prompt: prompt() }
    const { counts, SHIELD } = losing(Number.POSITIVE_INFINITY, false)
    const problem = await problemOf(await post(asked, {}, { SHIELD }))
    expect(problem).toMatchObject({ status: 503, code: 'unavailable', charged: 'no' })
    expect(problem.detail).toMatch(/so nothing was bought; ask again, or send an Idempotency-Key$/)
    expect(counts.asked).toBe(3)
    const { requestId } = problem
    const error = expect.stringContaining('Network connection lost.')
    expect(logged).toContainEqual({ event: 'bug', requestId, error })
    expect(await callsOf(asked.prompt)).toEqual([])
  })

  test.for([
    ['a new request', {}],
    ['a repeat', REPEAT],
  ] as const)('whose answer to %s is lost says the same again', async ([, headers]) => {
    const asked = { prompt: prompt() }
    const { SHIELD } = losing(2, true)
    const { id, isReplayed } = await send(asked, headers, { SHIELD })
    expect(isReplayed).toBe(false)
    expect((await knownOf(asked)).known).toEqual([id])
    expect(await callsOf(asked.prompt)).toHaveLength(1)
  })
})

describe('what does not trouble the shield', () => {
  const shields = async () => (await listDurableObjectIds(env.SHIELD)).length

  test('a request with a key', async () => {
    const asked = { prompt: `[[fault:refused]] ${prompt()}` }
    const before = await shields()
    const SHIELD = undefined
    await send(asked, { 'idempotency-key': crypto.randomUUID() }, { SHIELD })
    await send(asked, { 'idempotency-key': crypto.randomUUID() }, { SHIELD })
    expect(await shields()).toBe(before)
    expect(await callsOf(asked.prompt)).toHaveLength(2)
  })

  test('a request that is refused at once', async () => {
    const before = await shields()
    expect((await post({ prompt: prompt(), model: 'nano-apple' })).status).toBe(422)
    expect((await post({ prompt: prompt(), aspect: '1:9' })).status).toBe(400)
    expect(await shields()).toBe(before)
  })
})

describe('nothing is left behind', () => {
  const EMPTY = { known: undefined, alarm: null }

  test('a shield forgets its generations when they are of no use, and then itself', async () => {
    const asked = { prompt: `[[fault:refused]] ${prompt()}` }
    const { id } = await send(asked)
    const { alarm } = await knownOf(asked)
    expect(alarm! - Date.now()).toBeGreaterThan(REPEAT_MS - 10_000)
    vi.useFakeTimers({ toFake: ['Date'], now: alarm! - 1_000 })
    await runDurableObjectAlarm(shieldOf(asked))
    expect((await knownOf(asked)).known).toEqual([id])
    vi.setSystemTime(alarm! + 1)
    await runDurableObjectAlarm(shieldOf(asked))
    expect(await knownOf(asked)).toEqual(EMPTY)
  })

  test('when a generation cannot be asked it comes back later', async () => {
    const asked = { prompt: `[[fault:refused]] ${prompt()}` }
    const { id } = await send(asked)
    await runInDurableObject(shieldOf(asked), async (shield, { storage }) => {
      await storage.deleteAlarm()
      Object.assign(shield, { env: {} })
      await shield.alarm()
    })
    const { known, alarm } = await knownOf(asked)
    expect(known).toEqual([id])
    expect(alarm).toBeGreaterThan(Date.now())
  })

  test('what has not ended is remembered for as long as it takes', async () => {
    const asked = { prompt: `[[fault:slow ms=800]] [[fault:refused]] ${prompt()}` }
    const now = earlier(REPEAT_MS + 1_000)
    const first = await begin(asked)
    now()
    await runDurableObjectAlarm(shieldOf(asked))
    expect((await knownOf(asked)).known).toEqual([first.id])
    expect(await send(asked, REPEAT)).toMatchObject({ id: first.id, view: { status: 'refused' } })
    // It ended just now, though it was begun long ago.
    expect(await send(asked)).toMatchObject({ id: first.id, isReplayed: true })
    expect(await callsOf(asked.prompt)).toHaveLength(1)
  })

  test('of many equal requests the list keeps the latest', async () => {
    const asked = { prompt: prompt() }
    const ids = Array.from({ length: 40 }, (_, index) => `gen_${String(index).padStart(26, '0')}`)
    for (const id of ids) await shieldOf(asked).admit(id, { isRepeat: false, isShielded: true })
    expect((await knownOf(asked)).known).toEqual(ids.slice(-32))
  })
})

describe('which requests are equal', () => {
  /** What a surface does with what it has read. */
  async function accepted(asked: Partial<Accepting>, words: string, workspace = 'default') {
    const asker: Asker = {
      env,
      market: marketOf(env),
      workspace,
      caller: ADMIN,
      imagesUrl: 'https://proofsheet.test/images',
      requestId: '',
      log: () => {},
      now: Date.now,
      arrivedAt: Date.now(),
    }
    const request = RequestSchema.parse({
      model: 'nano-banana-2',
      provider: 'apiyi',
      size: '512',
      prompt: words,
    })
    const { record, replayed } = await accept(asker, { request, ...asked })
    const { id, status } = await waitUntilEnded(asker, record, 20)
    return { id, status, replayed }
  }

  const conversation = (text: string): Conversation => ({
    turns: [{ role: 'user', parts: [{ part: { text } }] }],
  })

  test.for([
    ['the second picture of a call is not its first', { sample: 1 }, { sample: 2 }],
    ['a native call is not one without turns', {}, { conversation: conversation('[[fault:refused]] a pot') }],
    [
      'other turns make another request',
      { conversation: conversation('[[fault:refused]] a pot') },
      { conversation: conversation('[[fault:refused]] a pan') },
    ],
  ] as const)('%s', async ([, one, other]) => {
    const words = `[[fault:refused]] ${prompt()}`
    const first = await accepted(one, words)
    const second = await accepted(other, words)
    expect([first, second]).toMatchObject([{ replayed: false }, { replayed: false }])
    expect(second.id).not.toBe(first.id)
    expect(await accepted(one, words)).toEqual({ ...first, replayed: true })
    expect(await accepted(other, words)).toEqual({ ...second, replayed: true })
  })

  test('workspaces do not see each other’s', async () => {
    const words = `[[fault:refused]] ${prompt()}`
    const first = await accepted({}, words)
    const other = await accepted({ isRepeat: true }, words, 'other')
    expect(other).toMatchObject({ status: 'refused', replayed: false })
    expect(other.id).not.toBe(first.id)
    expect(await chargesOf(words)).toHaveLength(2)
  })

  test('an image counts by its bytes, wherever they were stored', () => {
    const image = { sha256: 'a'.repeat(64), mimeType: 'image/png', bytes: 9 } as const
    const name = (references: NonNullable<Accepting['request']['references']>) =>
      shieldName('default', { request: { model: 'nano-banana-2', prompt: 'x', references } })
    expect(name([{ ...image, key: 'references/default/large/one' }])).toBe(
      name([{ ...image, key: 'references/default/large/two' }]),
    )
    expect(name([image])).not.toBe(name([{ ...image, sha256: 'b'.repeat(64) }]))
    expect(name([image])).not.toBe(name([image, image]))
  })
})

describe('a caller that says how long it waits', () => {
  const gemini = (words: string, seconds?: number) =>
    ask('/v1beta/models/apiyi/gemini-3.1-flash-image:generateContent?delivery=url', {
      method: 'POST',
      body: JSON.stringify({
        contents: [{ parts: [{ text: words }] }],
        generationConfig: { imageConfig: { imageSize: '512' } },
      }),
      ...(seconds === undefined ? {} : { headers: { 'x-server-timeout': String(seconds) } }),
    })
  const idOf = (response: Response) => response.headers.get('x-proofsheet-generation')

  test('and asks again after it has left is given what was bought', async () => {
    const words = prompt('[[fault:slow ms=600]]')
    // It said one second, rounded up: the second call may come at any time.
    const [first, second] = await Promise.all([gemini(words, 1), gemini(words, 1)])
    expect(idOf(second)).toBe(idOf(first))
    expect(await callsOf(words)).toHaveLength(1)
  })

  test('and asks again in time gets a second picture', async () => {
    const words = prompt('[[fault:slow ms=300]]')
    const [first, second] = await Promise.all([gemini(words, 60), gemini(words, 60)])
    expect(idOf(second)).not.toBe(idOf(first))
    expect(await callsOf(words)).toHaveLength(2)
  })

  test('and has got its answer gets a new picture', async () => {
    const words = prompt()
    const first = idOf(await gemini(words, 60))
    expect(idOf(await gemini(words, 60))).not.toBe(first)
    expect(await callsOf(words)).toHaveLength(2)
  })

  test('hands on what it left only once', async () => {
    const words = prompt('[[fault:slow ms=400]]')
    const [first, second] = await Promise.all([gemini(words, 1), gemini(words, 60)])
    expect(idOf(second)).toBe(idOf(first))
    expect(idOf(await gemini(words, 60))).not.toBe(idOf(first))
    expect(await callsOf(words)).toHaveLength(2)
  })

  test('is not given a failure that was free', async () => {
    const words = prompt('[[fault:model-gone times=1]]')
    expect((await gemini(words, 1)).status).toBe(404)
    expect((await gemini(words, 1)).status).toBe(200)
  })
})
