// What is known at the end of a soak, from everybody who knows something: the objects, D1, R2, the provider's own record
// and bill, the receiver of webhooks, and what the clients were told.
import { runInDurableObject } from 'cloudflare:test'
import type { GenerationRecord } from '../../../worker/generation/record.ts'
import { OWES_NOTHING, type Owed } from '../../../worker/generation/state.ts'
import type { LedgerRow } from '../../../worker/money/ledger.ts'
import { env } from '../../worker/setup/bindings.ts'
import type { SeenCall, SeenCharge } from '../../worker/setup/witness.ts'
import type { Told, ToldOfBatch } from './clients.ts'
import { objectsOf } from './drain.ts'
import type { Received } from './weather.ts'

export type Token = { id: string; token: string }

export type Facts = {
  tokens: readonly Token[]
  told: readonly Told[]
  toldOfBatches: readonly ToldOfBatch[]
  received: readonly Received[]
  /** What the worker logged. */
  lines: readonly string[]
  records: readonly GenerationRecord[]
  owed: ReadonlyMap<string, Owed>
  calls: readonly SeenCall[]
  bill: readonly SeenCharge[]
  ledger: readonly LedgerRow[]
  index: readonly { id: string; status: string; version: number }[]
  /** Keys of stored pictures. */
  pictures: ReadonlySet<string>
  /** Leases and places that gates hold; holds that accounts have open. */
  left: readonly string[]
}

export type Heard = Pick<Facts, 'tokens' | 'told' | 'toldOfBatches' | 'received' | 'lines'>

export async function gather(heard: Heard): Promise<Facts> {
  const records: GenerationRecord[] = []
  const owed = new Map<string, Owed>()
  for (const stub of await objectsOf('GENERATION'))
    await runInDurableObject(stub, (_, { storage: { kv } }) => {
      const record = kv.get<GenerationRecord>('record')
      if (!record) return
      records.push(record)
      owed.set(record.id, kv.get<Owed>('owed') ?? OWES_NOTHING)
    })
  const { calls } = (await (await fetch(`${env.EMULATOR}/calls`)).json()) as { calls: SeenCall[] }
  const { charges } = (await (await fetch(`${env.EMULATOR}/bill`)).json()) as { charges: SeenCharge[] }
  const { results: ledger } = await env.DB.prepare('SELECT * FROM ledger').all<LedgerRow>()
  const { results: index } = await env.DB.prepare('SELECT id, status, version FROM generations').all<
    Facts['index'][number]
  >()
  return {
    ...heard,
    records,
    owed,
    calls,
    bill: charges,
    ledger,
    index,
    pictures: await storedPictures(),
    left: await leftOver(),
  }
}

async function storedPictures(): Promise<Set<string>> {
  const keys = new Set<string>()
  let cursor: string | undefined
  do {
    const page = await env.BUCKET.list({ prefix: 'pictures/', ...(cursor ? { cursor } : {}) })
    for (const { key } of page.objects) keys.add(key)
    cursor = page.truncated ? page.cursor : undefined
  } while (cursor)
  return keys
}

async function leftOver(): Promise<string[]> {
  const left: string[] = []
  const look = async (kind: 'GATE' | 'ACCOUNT', query: string, what: string) => {
    for (const stub of await objectsOf(kind))
      await runInDurableObject(stub, (_, { storage: { sql } }) => {
        for (const row of sql.exec(query)) left.push(`${what}: ${JSON.stringify(row)}`)
      })
  }
  await look('GATE', 'SELECT generation FROM leases', 'a gate holds a lease')
  await look('GATE', 'SELECT generation FROM waiting', 'a gate keeps a place')
  await look('ACCOUNT', "SELECT * FROM holds WHERE state = 'open'", 'an account holds')
  return left
}
