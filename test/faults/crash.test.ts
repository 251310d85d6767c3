// The object dies at every moment of its alarm, for every kind of answer (promises 1 and 2): the table is made of a life
// without accident, whose moments are counted, so that a step that is added to the alarm is met here by itself.
import { runInDurableObject } from 'cloudflare:test'
import { expect, test, vi } from 'vitest'
import { isEnded } from '../../core/api.ts'
import { readCommit } from '../../worker/generation/commit.ts'
import { generationId, randomName } from '../../worker/generation/name.ts'
import { chargedOf, costOf } from '../../worker/generation/record.ts'
import { type Owed, owedAt } from '../../worker/generation/state.ts'
import { gateName } from '../../worker/providers/gate.ts'
import { ask, callsOf, chargesOf, picturesOf, prompt } from '../worker/setup/ask.ts'
import { env } from '../worker/setup/bindings.ts'
import { recordOf, stub, wish } from '../worker/setup/objects.ts'
import { RECEIVER, type Treatment, watchDeaths } from './crash/deaths.ts'
import { compare, ledgerOf } from './ledger.ts'

const settings = env as unknown as { THOROUGH: string }
const deaths = watchDeaths()

type Kind = {
  fault: string
  /** Where it is asked for: by default APIYI. */
  provider?: string
  /** Or at relays, one after the other at each: where what one is told would hold up the others. */
  atRelays?: true
  refusesPictures?: true
  /** Every moment is tried at every run; of the others a fifth, another one each time, unless it is to be thorough. */
  isChief?: true
  /** How it ends without an accident, and after how many calls. */
  status: string
  calls: number
}

const KINDS: [string, Kind][] = [
  ['a picture', { fault: '', isChief: true, status: 'succeeded', calls: 1 }],
  ['several pictures', { fault: '[[fault:storyboard]]', status: 'succeeded', calls: 1 }],
  ['a refusal', { fault: '[[fault:refused]]', status: 'refused', calls: 1 }],
  ['words only', { fault: '[[fault:text-only]]', status: 'failed', calls: 1 }],
  [
    'a 429, then a picture',
    {
      fault: '[[fault:rate-limited times=1 retry=0.1]]',
      atRelays: true,
      isChief: true,
      status: 'succeeded',
      calls: 2,
    },
  ],
  [
    'a 503, then a picture',
    { fault: '[[fault:overloaded times=1]]', atRelays: true, status: 'succeeded', calls: 2 },
  ],
  ['a quota of the day', { fault: '[[fault:daily-quota]]', atRelays: true, status: 'failed', calls: 1 }],
  ['an error page', { fault: '[[fault:html]]', status: 'uncertain', calls: 1 }],
  ['half an answer', { fault: '[[fault:cut]]', isChief: true, status: 'uncertain', calls: 1 }],
  ['a lost connection', { fault: '[[fault:reset]]', status: 'uncertain', calls: 1 }],
  ['an error inside a 200', { fault: '[[fault:error-in-200]]', status: 'uncertain', calls: 1 }],
  ['a key that is refused', { fault: '', provider: 'locked', status: 'failed', calls: 0 }],
  ['a model that is gone', { fault: '[[fault:model-gone]]', status: 'failed', calls: 1 }],
  ['a picture that R2 does not take', { fault: '', refusesPictures: true, status: 'failed', calls: 1 }],
]

/** Lives at the same time: each that dies comes back after two seconds or so. */
const AT_ONCE = 24

/** Of how many moments of the lesser kinds one is tried. */
const STEP = 5

/** Relays there are (vitest.worker.config.ts). */
const RELAYS = 16

/** The provider of each of the lives that go on at the same time. */
function providersOf({ provider = 'apiyi', atRelays }: Kind): string[] {
  return atRelays
    ? Array.from({ length: RELAYS }, (_, index) => `relay-${index + 1}`)
    : Array.from({ length: AT_ONCE }, () => provider)
}

const gateOf = (provider: string) =>
  env.GATE.get(env.GATE.idFromName(gateName(env, { id: provider }, 'gemini-3.1-flash-image')))

/** A generation from its acceptance to the moment when nothing is left to do. */
async function live(kind: Kind, provider: string, treatment: Treatment) {
  const words = prompt()
  const id = generationId('default', crypto.randomUUID())
  const token = `tok_${randomName()}`
  const moments = deaths.treat(id, { ...treatment, refusesPictures: kind.refusesPictures === true })
  const asked = wish(id, { prompt: `${kind.fault} ${words}`, provider })
  const url = `${RECEIVER}/${id}`
  const accepted = {
    ...asked,
    token,
    budget: { total: 1_000_000 },
    webhook: { url, imagesUrl: 'https://proofsheet.test/images' },
  }
  // It may die while it answers; whoever asked asks again.
  await vi.waitFor(async () => void (await stub(id).ensure(accepted)), { timeout: 10_000, interval: 100 })
  await vi.waitFor(
    async () => {
      expect(isEnded((await recordOf(id)).status)).toBe(true)
      const owed = await runInDurableObject(stub(id), (_, { storage }) => storage.kv.get<Owed>('owed')!)
      // An orphan is looked for once more after minutes.
      const { look: _, ...rest } = owed
      expect(owedAt(rest)).toBeUndefined()
    },
    { timeout: 60_000, interval: 250 },
  )
  return { id, token, words, url, moments }
}

/** What does not add up at the end of a generation. */
async function audit(
  kind: Kind,
  { id, token, words, url }: Awaited<ReturnType<typeof live>>,
  provider: string,
) {
  const record = await recordOf(id)
  const calls = await callsOf(words)
  const findings = compare(await ledgerOf(env.DB, id), await chargesOf(words), calls)
  const orphaned = record.attempts.filter((attempt) => chargedOf(attempt) === 'unknown')
  if (record.status !== kind.status && record.status !== 'uncertain')
    findings.push(`it is ${record.status} instead of ${kind.status}`)
  if (record.status === 'uncertain' && orphaned.length === 0) findings.push('it is uncertain for no reason')
  if (calls.length > kind.calls && provider !== 'locked') findings.push(`${calls.length} calls were sent`)

  for (const { number, ending } of record.attempts) {
    const committed = await readCommit(env.BUCKET, id, number)
    if (committed && committed.verdict.outcome !== ending?.verdict.outcome)
      findings.push(
        `attempt ${number} is ${ending?.verdict.outcome}, its commit record says ${committed.verdict.outcome}`,
      )
  }

  const shown = record.attempts.flatMap(({ ending }) => [ending?.picture, ...(ending?.others ?? [])])
  const keys = shown.flatMap((picture) => (picture ? [picture.key] : []))
  const stored = await picturesOf(id)
  if (stored.sort().join() !== keys.sort().join())
    findings.push(`stored are ${stored.join() || 'none'}, shown are ${keys.join() || 'none'}`)

  const listed = await (await ask(`/api/generations?status=${record.status}&token=${token}`)).json()
  const [entry] = (listed as { generations: { id: string; status: string }[] }).generations
  if (entry?.id !== id) findings.push(`the list of what is ${record.status} does not hold it`)

  const places = await runInDurableObject(gateOf(provider), (_, { storage: { sql } }) =>
    ['leases', 'waiting'].map(
      (table) => sql.exec(`SELECT count(*) AS n FROM ${table} WHERE generation = ?`, id).one().n,
    ),
  )
  if (places.join() !== '0,0') findings.push(`the gate keeps leases, places: ${places.join()}`)

  const account = env.ACCOUNT.get(env.ACCOUNT.idFromName(token))
  const { committed } = (await account.standing({ total: 1_000_000 })).total!
  const cost = costOf(record) ?? record.quote.atMost
  if (committed !== cost) findings.push(`the account says ${committed} instead of ${cost}`)

  const told = deaths.messages.filter((message) => message.url === url)
  if (told.length === 0 || new Set(told.map((message) => message.id)).size !== 1)
    findings.push(`the webhook was told ${told.map((message) => message.id).join() || 'nothing'}`)
  return findings
}

/** The moments at which it dies, from 1. What they are named by in the findings repeats them. */
function momentsOf({ isChief }: Kind, count: number): number[] {
  const all = Array.from({ length: count }, (_, index) => index + 1)
  if (isChief || settings.THOROUGH) return all
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0]! % STEP
  return all.filter((moment) => moment % STEP === drawn)
}

test.for(KINDS)(
  '%s: whenever the object dies, ledger = bill and nothing is lost or bought twice',
  { timeout: 300_000 },
  async ([, kind]) => {
    const providers = providersOf(kind)
    const usual = await live(kind, providers[0]!, {})
    expect((await recordOf(usual.id)).status).toBe(kind.status)
    expect(await audit(kind, usual, providers[0]!)).toEqual([])
    expect(usual.moments.length).toBeGreaterThan(8)

    const findings: Record<string, string[]> = {}
    const queue = momentsOf(kind, usual.moments.length)
    const lives = providers.map(async (provider) => {
      for (let diesAt = queue.shift(); diesAt !== undefined; diesAt = queue.shift()) {
        // A used-up quota would keep the next one from calling at all.
        if (kind.atRelays)
          await runInDurableObject(gateOf(provider), (_, { storage }) => void storage.kv.delete('pace'))
        const life = await live(kind, provider, { diesAt })
        const found = await audit(kind, life, provider)
        if (found.length > 0) findings[`${diesAt}: ${life.moments.at(-1)}`] = found
      }
    })
    await Promise.all(lives)
    expect(findings).toEqual({})
  },
)
