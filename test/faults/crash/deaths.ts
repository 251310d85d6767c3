// Makes a Generation object die at a chosen moment of its work. Tests and worker run in one isolate: what is replaced here is
// replaced for every object. A moment is just after something became true: R2 or D1 has done what it was asked, the provider
// has begun to answer, another object is about to be asked, the object's own record is stored. Between two moments nothing
// happens that anybody could find afterwards. Deaths while a call is out are in test/worker/crash.test.ts.
import { AsyncLocalStorage } from 'node:async_hooks'
import { vi } from 'vitest'
import { Generation } from '../../../worker/generation/object.ts'
import { Store } from '../../../worker/generation/store.ts'
import { env } from '../../worker/setup/bindings.ts'

/** How one generation is treated. */
export type Treatment = {
  /** The moment at which it dies, from 1; absent: never. */
  diesAt?: number
  /** R2 takes no picture. */
  refusesPictures?: boolean
}

/** Where webhooks of these tests go; every message is taken. */
export const RECEIVER = 'https://hooks.example'

// biome-ignore lint/suspicious/noExplicitAny: methods of platform classes whose types do not matter here
type Method = (this: any, ...given: any[]) => any

type Life = Treatment & { moments: string[]; abort: () => void }

const NEVER = new Promise<never>(() => {})

/** Call once, before anything is made. */
export function watchDeaths() {
  const lives = new Map<string, Life>()
  const messages: { id: string; url: string }[] = []
  const current = new AsyncLocalStorage<Life>()

  /** Whether the object has died now. */
  const meets = (what: string): boolean => {
    const life = current.getStore()
    if (!life || (life.diesAt !== undefined && life.moments.length >= life.diesAt)) return false
    life.moments.push(what)
    if (life.moments.length !== life.diesAt) return false
    life.abort()
    return true
  }

  const replace = (
    target: object,
    name: string,
    what: string,
    check: (...given: unknown[]) => void = () => {},
  ) => {
    const original = (target as Record<string, Method>)[name]!
    vi.spyOn(target as Record<string, Method>, name).mockImplementation(async function (
      this: unknown,
      ...given: unknown[]
    ) {
      check(...given)
      const answer = await original.apply(this, given)
      return meets(`after ${what}`) ? NEVER : answer
    })
  }

  const refuse = (key: unknown) => {
    if (current.getStore()?.refusesPictures && String(key).startsWith('pictures/'))
      throw new Error('R2 takes nothing')
  }
  const bucket = Object.getPrototypeOf(env.BUCKET)
  replace(bucket, 'put', 'put', refuse)
  replace(bucket, 'createMultipartUpload', 'multipart', refuse)
  for (const name of ['get', 'list']) replace(bucket, name, name)
  replace(Object.getPrototypeOf(env.DB), 'batch', 'D1')

  const platformFetch = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    let response: Response
    if (url.startsWith(RECEIVER)) {
      const id = new Headers(init?.headers).get('webhook-id')!
      messages.push({ id, url })
      response = new Response(null, { status: 204 })
    } else response = await platformFetch(input, init)
    return meets('after fetch') ? NEVER : response
  })

  // Stubs are made in the midst of the object's own steps: there it dies between two of them.
  const stubs = Object.getPrototypeOf(env.GATE) as Record<string, Method>
  const get = stubs.get!
  vi.spyOn(stubs, 'get').mockImplementation(function (this: unknown, ...given: unknown[]) {
    meets('before another object')
    return get.apply(this, given)
  })
  const save = Store.prototype.save
  vi.spyOn(Store.prototype, 'save').mockImplementation(function (this: Store, state) {
    save.call(this, state)
    meets('after the record')
  })

  const alarm = Generation.prototype.alarm
  vi.spyOn(Generation.prototype, 'alarm').mockImplementation(function (this: Generation) {
    const { ctx } = this as unknown as { ctx: DurableObjectState }
    const life = lives.get(ctx.id.name ?? '')
    if (!life) return alarm.call(this)
    life.abort = () => ctx.abort('the object dies')
    return current.run(life, () => alarm.call(this))
  })

  return {
    messages,
    /** From now on this generation is treated so. Returns its moments, as they come. */
    treat(id: string, treatment: Treatment): string[] {
      const life: Life = { ...treatment, moments: [], abort: () => {} }
      lives.set(id, life)
      return life.moments
    },
  }
}
