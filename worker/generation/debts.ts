// Telling others what they have to know of a generation: index and ledger in one batch of D1, the gates whose places are
// given back, the token's account, and the caller's webhook. Each can be down without keeping the others from being told.

import { isEnded } from '../../core/api.ts'
import { endLinesStatement } from '../batches/rows.ts'
import type { Env } from '../env.ts'
import { isSameRow, type LedgerRow, ledgerStatement } from '../money/ledger.ts'
import { accountName, accountStub, gateStub } from '../objects.ts'
import { tryWebhook } from '../webhooks/send.ts'
import { indexStatement } from './listing.ts'
import { costOf, type GenerationRecord } from './record.ts'
import type { Leaving, Owed, State } from './state.ts'
import type { Rim } from './store.ts'
import { viewOf } from './view.ts'
import { PATIENCE_MS, within } from './within.ts'

/** Something to tell. `tell` rejects when it was not heard; `told` is what is owed after it was. */
type Debt = {
  what: 'index' | 'gate' | 'account'
  tell: () => Promise<unknown>
  told: (owed: Owed) => Owed
}

/** First and longest delay before telling is tried again, in ms. */
const FIRST_DELAY_MS = 2_000
const LONGEST_DELAY_MS = 600_000

/** Tells whoever has to know. What is not heard stays owed. */
export async function tellAll(rim: Rim): Promise<void> {
  const { env, store, log, now } = rim
  const state = store.state()
  if (!state) return
  const { record, owed } = state
  const debts = debtsOf(env, state)
  const telling = debts.map(async ({ what, tell, told }) => {
    try {
      await tell()
    } catch (error) {
      log({ event: `${what}_unavailable`, generation: record.id, error: String(error) })
      return false
    }
    store.owe(told)
    return true
  })
  const message = owed.webhook && owed.webhook.dueAt <= now() ? owed.webhook : undefined
  // At the same time: a receiver that does not answer keeps nobody else waiting.
  const delivering = message && tellWebhook(rim, record, message)
  const isTold = await Promise.all(telling)
  if (debts.length > 0) store.owe((owing) => afterTelling(owing, !isTold.includes(false), now()))
  if (delivering) store.owe(await delivering)
}

/** What is owed, but for the webhook. */
function debtsOf(env: Env, { record, owed }: State): Debt[] {
  const { rows, index, leaving, account } = owed
  return [
    ...(index !== undefined || rows.length > 0
      ? [
          {
            what: 'index' as const,
            tell: () => within(PATIENCE_MS, () => tellIndex(env.DB, record, rows)),
            told: (now: Owed) => withoutIndex(now, record.version, rows),
          },
        ]
      : []),
    ...leaving.map((place) => ({
      what: 'gate' as const,
      tell: () => within(PATIENCE_MS, () => tellGate(env, record.id, place)),
      told: (now: Owed) => ({ ...now, leaving: now.leaving.filter((each) => !isSamePlace(each, place)) }),
    })),
    ...(account !== undefined
      ? [
          {
            what: 'account' as const,
            tell: () =>
              within(PATIENCE_MS, () =>
                accountStub(env, accountName(record)).settle(record.id, costOf(record)),
              ),
            told: (now: Owed) => withoutAccount(now, account),
          },
        ]
      : []),
  ]
}

/** Copies a record to the index, with rows of the ledger and, at its end, the lines of batches that wait for it. */
export async function tellIndex(
  db: D1Database,
  record: GenerationRecord,
  rows: readonly LedgerRow[],
): Promise<void> {
  await db.batch([
    indexStatement(db, record),
    ...(rows.length > 0 ? [ledgerStatement(db, rows)] : []),
    ...(isEnded(record.status) ? [endLinesStatement(db, record)] : []),
  ])
}

/** What is owed after a try of the webhook, which is due. */
async function tellWebhook(
  rim: Rim,
  record: GenerationRecord,
  message: NonNullable<Owed['webhook']>,
): Promise<(owed: Owed) => Owed> {
  const { now } = rim
  const { url, imagesUrl } = record.webhook!
  const tries = message.tries + 1
  const told = {
    id: message.id,
    url,
    timestamp: record.finishedAt ?? now(),
    type: `generation.${record.status}`,
    data: viewOf(record, imagesUrl, now()),
  }
  const delayMs = await tryWebhook(rim.env, told, tries, rim)
  return (owed) => {
    // Another message has taken its place meanwhile.
    if (owed.webhook?.id !== message.id) return owed
    const { webhook: _, ...rest } = owed
    return delayMs === undefined ? rest : { ...rest, webhook: { ...message, tries, dueAt: now() + delayMs } }
  }
}

/** What is owed after it was tried to tell all of it. */
function afterTelling(owed: Owed, isAllTold: boolean, now: number): Owed {
  const { retryAt: _, ...rest } = owed
  if (isAllTold) return { ...rest, failures: 0 }
  const failures = owed.failures + 1
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LONGEST_DELAY_MS)
  return { ...rest, failures, retryAt: now + delayMs }
}

async function tellGate(env: Env, id: string, { gate, lease, report }: Leaving): Promise<void> {
  const stub = gateStub(env, gate)
  await (lease === undefined ? stub.withdraw(id) : stub.leave(id, lease, report))
}

function isSamePlace(a: Leaving, b: Leaving): boolean {
  return a.gate === b.gate && a.lease === b.lease
}

function withoutIndex(owed: Owed, version: number, told: readonly LedgerRow[]): Owed {
  const { index, ...rest } = owed
  const rows = owed.rows.filter((row) => !told.some((each) => isSameRow(each, row)))
  return index === undefined || index <= version ? { ...rest, rows } : { ...rest, index, rows }
}

function withoutAccount(owed: Owed, version: number): Owed {
  const { account, ...rest } = owed
  return account === undefined || account <= version ? rest : { ...rest, account }
}
