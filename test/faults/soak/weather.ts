// What goes wrong around the worker in a soak: objects die, R2 and D1 refuse or lose their answers, gates and accounts
// cannot be reached, connections break, a receiver of webhooks fails. Tests and worker run in one isolate, so that what is
// replaced here is replaced for every object. Nothing of what is stored is touched.
import { abortAllDurableObjects } from 'cloudflare:test'
import { vi } from 'vitest'
import { Shield } from '../../../worker/generation/shield.ts'
import { Account } from '../../../worker/money/account.ts'
import { ProviderGate } from '../../../worker/providers/gate.ts'
import { env } from '../../worker/setup/bindings.ts'
import type { Chance } from './chance.ts'
import { RECEIVER } from './demand.ts'

/** How often each goes wrong: of calls that are refused, and of those that are carried out and whose answer is lost. */
type Sky = Record<'r2' | 'd1' | 'gate' | 'account' | 'shield', { refused: number; lost: number }> & {
  /** Calls of providers that do not leave, and answers that do not arrive. */
  wire: { refused: number; lost: number }
}

const FAIR: Sky = {
  r2: { refused: 0.01, lost: 0.01 },
  d1: { refused: 0.01, lost: 0.01 },
  gate: { refused: 0.02, lost: 0.02 },
  account: { refused: 0.02, lost: 0.02 },
  shield: { refused: 0.05, lost: 0.05 },
  wire: { refused: 0.02, lost: 0.01 },
}

const CALM: Sky = {
  r2: { refused: 0, lost: 0 },
  d1: { refused: 0, lost: 0 },
  gate: { refused: 0, lost: 0 },
  account: { refused: 0, lost: 0 },
  shield: { refused: 0, lost: 0 },
  wire: { refused: 0, lost: 0 },
}

/** What an error of the weather begins with. */
export const WEATHER = 'weather:'

/** Provider calls and downloads run out of time so many times sooner: after 10 s, and 2 s. */
const HASTE = 30

/** Messages that the receiver of webhooks took, by the path that they were sent to. */
export type Received = { path: string; id: string; isTaken: boolean }

// biome-ignore lint/suspicious/noExplicitAny: methods of classes whose types do not matter here
type Method = (...given: any[]) => any

export function weatherOf(chance: Chance) {
  let sky = CALM
  let isOn = false
  const counts: Record<string, number> = { restarts: 0 }
  const received: Received[] = []
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1
  }

  /** Replaces methods so that they fail as the sky says. */
  const exposed = (what: keyof Sky, prototype: object, names: readonly string[]) => {
    for (const name of names) {
      const original = (prototype as Record<string, Method>)[name]!
      vi.spyOn(prototype as Record<string, Method>, name).mockImplementation(async function (
        this: unknown,
        ...given: unknown[]
      ) {
        const { refused, lost } = sky[what]
        const drawn = chance.next()
        if (drawn < refused) {
          count(`${what} refused`)
          throw new Error(`${WEATHER} ${what} refuses ${name}`)
        }
        const answer = await original.apply(this, given)
        if (drawn >= 1 - lost) {
          count(`${what} lost`)
          throw new Error(`${WEATHER} ${what} did ${name}, and its answer is lost`)
        }
        return answer
      })
    }
  }

  exposed('r2', Object.getPrototypeOf(env.BUCKET), [
    'put',
    'get',
    'head',
    'list',
    'delete',
    'createMultipartUpload',
  ])
  exposed('d1', Object.getPrototypeOf(env.DB), ['batch'])
  exposed('d1', Object.getPrototypeOf(env.DB.prepare('SELECT 1')), ['run', 'all', 'first'])
  exposed('gate', ProviderGate.prototype, ['enter', 'leave', 'withdraw'])
  exposed('shield', Shield.prototype, ['admit'])
  exposed('account', Account.prototype, ['reserve', 'settle'])

  const timeout = AbortSignal.timeout.bind(AbortSignal)
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms >= 60_000 ? ms / HASTE : ms))

  const send = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = String(input instanceof Request ? input.url : input)
    if (url.startsWith(RECEIVER)) return receive(url, init)
    const isCall = /:generateContent$/.test(url)
    const drawn = chance.next()
    if (isCall && drawn < sky.wire.refused) {
      count('wire refused')
      throw new Error(`${WEATHER} the connection is refused`)
    }
    const response = await send(input, init)
    if (isCall && drawn >= 1 - sky.wire.lost) {
      count('wire lost')
      await response.body?.cancel()
      throw new Error(`${WEATHER} the connection is gone`)
    }
    return response
  })

  function receive(url: string, init: RequestInit | undefined): Response {
    const isTaken = !chance.share(0.4)
    const id = new Headers(init?.headers).get('webhook-id')!
    received.push({ path: url.slice(RECEIVER.length), id, isTaken })
    if (!isTaken && chance.share(0.3)) throw new Error(`${WEATHER} the receiver is gone`)
    return new Response(null, { status: isTaken ? 204 : 500 })
  }

  /** One turn of the weather. */
  async function turn(): Promise<void> {
    const [what, ms] = chance.pick([
      ['restart', 0],
      ['restart', 0],
      ['restart', 0],
      ['d1', chance.whole(200, 2_500)],
      ['d1', chance.whole(200, 6_000)],
      ['r2', chance.whole(100, 1_200)],
      ['gate', chance.whole(100, 1_500)],
      ['account', chance.whole(100, 1_500)],
    ] as const)
    if (what === 'restart') {
      counts.restarts! += 1
      await abortAllDurableObjects()
      return
    }
    count(`${what} down`)
    sky = { ...FAIR, [what]: chance.share(0.7) ? { refused: 1, lost: 0 } : { refused: 0.2, lost: 0.5 } }
    await scheduler.wait(ms)
    sky = FAIR
  }

  return {
    counts,
    received,
    /** Goes on until `calm` is called. */
    async storm(): Promise<void> {
      isOn = true
      sky = FAIR
      while (isOn) {
        await scheduler.wait(chance.whole(200, 1_500))
        if (isOn) await turn()
      }
      sky = CALM
    },
    calm(): void {
      isOn = false
      sky = CALM
    },
  }
}
