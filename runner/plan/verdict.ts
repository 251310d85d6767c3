// What the lock says of one item: was this very picture made, how did the last try end, and is it tried again. Decides
// nothing about money and nothing about other items.
import type { Item } from '../manifest/item.ts'
import { type Lock, type LockEntry, slotOf } from '../state/lock.ts'
import { differences, type Inputs } from './inputs.ts'

/** `retry`: the last try ended without a picture. `redo`: it ended, and is repeated because the caller asked for it by
 *  name. `refused` and `uncertain`: the last try ended so, and it is not repeated by itself, because it may have been
 *  charged for nothing again. */
export type LockState = 'new' | 'changed' | 'retry' | 'redo' | 'done' | 'refused' | 'uncertain'

export type Verdict = {
  state: LockState
  reasons: string[]
  edition: number
  /** What the lock knows of this fingerprint. */
  entry?: LockEntry
  /** What stands in the item's place and has another fingerprint. */
  previous?: LockEntry
}

/** What to repeat on purpose. `redo`: also what is made. */
export type Again = { refused: boolean; uncertain: boolean; redo: boolean }

/** Finds what a lock knows of an item. */
export type Records = {
  own(item: Pick<Item, 'id'>): LockEntry | undefined
  made(fingerprint: string): LockEntry | undefined
}

/** The records of a lock under a profile. Items that were renamed are found by their fingerprint, under any profile. */
export function recordsOf(lock: Lock, profile: string | undefined, emulated: boolean): Records {
  const best = new Map<string, LockEntry>()
  for (const entry of lock.values()) {
    const known = best.get(entry.fingerprint)
    if (!known || isBetter(entry, known, emulated)) best.set(entry.fingerprint, entry)
  }
  return {
    own: ({ id }) => lock.get(slotOf({ id, profile })),
    made: (fingerprint) => best.get(fingerprint),
  }
}

// What was bought is never hidden by what the emulator drew, nor a picture by a try without one.
function isBetter(a: LockEntry, b: LockEntry, emulated: boolean): boolean {
  if (a.emulated !== b.emulated) {
    const [bought, drawn] = a.emulated ? [b, a] : [a, b]
    const boughtIsBetter = !emulated || hasPicture(bought) || !hasPicture(drawn)
    return (a === bought) === boughtIsBetter
  }
  if (hasPicture(a) !== hasPicture(b)) return hasPicture(a)
  return a.edition !== b.edition ? a.edition > b.edition : a.recordedAt > b.recordedAt
}

function hasPicture({ status }: LockEntry): boolean {
  return status === 'succeeded'
}

/** What the records say of an item with these inputs. */
export function verdictOf(
  item: Item,
  inputs: Inputs,
  fingerprint: string,
  records: Records,
  emulated: boolean,
  again: Again,
): Verdict {
  const own = records.own(item)
  const best = records.made(fingerprint)
  if (!best)
    return own
      ? { state: 'changed', reasons: differences(own.inputs, inputs), edition: 1, previous: own }
      : { state: 'new', reasons: [], edition: 1 }
  const isOwn = own?.fingerprint === fingerprint
  const entry = isOwn && !isShadowed(own, best) ? own : best
  const known = { entry, ...(own && !isOwn ? { previous: own } : {}) }
  const { edition } = entry
  if (entry.emulated && !emulated)
    // What was tried with the emulator says nothing of what was bought: editions begin anew.
    return { state: 'new', reasons: ['so far only the emulator drew it'], edition: 1, ...known }
  // An emulated redo would put a drawing in the place of what was bought.
  if (again.redo && isEnded(entry) && !(emulated && !entry.emulated))
    return { state: 'redo', reasons: [redoReason(entry)], edition: edition + 1, ...known }
  const last = [`last time: ${entry.error?.code ?? entry.status}, ${chargeOf(entry)}`]
  const retry: Verdict = { state: 'retry', reasons: last, edition: edition + 1, ...known }
  switch (entry.status) {
    case 'succeeded':
      return { state: 'done', reasons: [], edition, ...known }
    case 'refused':
      return again.refused ? retry : { state: 'refused', reasons: last, edition, ...known }
    case 'uncertain':
      return again.uncertain ? retry : { state: 'uncertain', reasons: last, edition, ...known }
    case 'queued':
    case 'running':
      return { state: 'retry', reasons: ['it was still being made'], edition, ...known }
    case 'failed':
    case 'cancelled':
      return retry
  }
}

// A failed try of this item counts, though another item has the same picture: somebody asked for a picture of its own.
function isShadowed(own: LockEntry, best: LockEntry): boolean {
  return own.emulated && !best.emulated
}

function isEnded({ status }: LockEntry): boolean {
  return status === 'succeeded' || status === 'refused' || status === 'uncertain'
}

function redoReason(entry: LockEntry): string {
  return entry.status === 'succeeded'
    ? 'asked for again'
    : `asked for again; last time: ${entry.error?.code ?? entry.status}`
}

/** What a try cost, in words. */
export function chargeOf({
  charged,
  cost,
  emulated,
}: Pick<LockEntry, 'charged' | 'cost' | 'emulated'>): string {
  if (emulated) return cost ? `list price $${cost}, nothing bought` : 'nothing bought'
  switch (charged) {
    case 'no':
      return 'not charged'
    case 'yes':
      return cost === null ? 'charged' : `charged $${cost}`
    case 'unknown':
      return 'not known whether it was charged'
  }
}
