// What the lock says of one item: was this very picture made, how did the last try end, and is it tried again. Decides
// nothing about money and nothing about other items.
import { isEnded } from '../../core/api.ts'
import type { Item } from '../manifest/item.ts'
import { type Lock, type LockEntry, slotOf } from '../state/lock.ts'
import { ahead, hasPicture, triesOf } from '../state/tries.ts'
import { differences, type Inputs } from './inputs.ts'

/** `retry`: the last try ended without a picture, or was left before it ended. `redo`: it ended, and is repeated because
 *  the caller asked for it by name. `refused` and `uncertain`: the last try ended so, and it is not repeated by itself,
 *  because it may have been charged for nothing again. */
export type LockState = 'new' | 'changed' | 'retry' | 'redo' | 'done' | 'refused' | 'uncertain'

export type Verdict = {
  state: LockState
  reasons: string[]
  edition: number
  /** The highest edition that was tried; 0 where none was. */
  highest: number
  /** What the lock knows of this fingerprint: its picture, if there is one. */
  entry?: LockEntry
  /** What stands in the item's place and has another fingerprint. */
  previous?: LockEntry
}

/** What to repeat on purpose. `redo`: also what is made. */
export type Again = { refused: boolean; uncertain: boolean; redo: boolean }

/** Finds what a lock knows of an item. */
export type Records = {
  /** What its place holds. */
  own(item: Pick<Item, 'id'>): LockEntry | undefined
  /** All tries of a fingerprint, in whatever place. */
  tries(fingerprint: string): readonly LockEntry[]
}

/** The records of a lock under a profile. Items that were renamed are found by their fingerprint, under any profile. */
export function recordsOf(lock: Lock, profile: string | undefined): Records {
  const tries = new Map<string, LockEntry[]>()
  for (const entry of lock.values())
    for (const one of triesOf(entry)) {
      const others = tries.get(one.fingerprint)
      if (others) others.push(one)
      else tries.set(one.fingerprint, [one])
    }
  return {
    own: ({ id }) => lock.get(slotOf({ id, profile })),
    tries: (fingerprint) => tries.get(fingerprint) ?? [],
  }
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
  const tries = records.tries(fingerprint)
  const best = bestOf(tries, emulated)
  if (!best)
    return own
      ? { state: 'changed', reasons: differences(own.inputs, inputs), edition: 1, highest: 0, previous: own }
      : { state: 'new', reasons: [], edition: 1, highest: 0 }
  const isOwn = own?.fingerprint === fingerprint
  const mine = own ? tries.filter((one) => slotOf(one) === slotOf(own)) : []
  const bestOfMine = isOwn ? bestOf(mine, emulated) : undefined
  const entry = { ...(bestOfMine && !isShadowed(bestOfMine, best) ? bestOfMine : best), inputs }
  const known = { entry, ...(own && !isOwn ? { previous: own } : {}) }
  if (entry.emulated && !emulated)
    // What was tried with the emulator says nothing of what was bought: editions begin anew.
    return { state: 'new', reasons: ['so far only the emulator drew it'], edition: 1, highest: 0, ...known }
  const highest = Math.max(...tries.filter((one) => emulated || !one.emulated).map((one) => one.edition))
  const next = { edition: highest + 1, highest, ...known }
  const { edition } = entry
  const latest = latestOf(mine.filter((one) => one.emulated === emulated && one.emulated === entry.emulated))
  if (latest && !isEnded(latest.status) && latest.edition >= edition)
    return { state: 'retry', reasons: [leftReason(latest)], ...next, edition: latest.edition }
  // An emulated redo would put a drawing in the place of what was bought.
  if (again.redo && isWorth(entry) && !(emulated && !entry.emulated))
    return { state: 'redo', reasons: [redoReason(entry)], ...next }
  const reasons = [lastReason(entry)]
  const stays = { edition, highest, ...known }
  switch (entry.status) {
    case 'succeeded':
      return {
        state: 'done',
        reasons: [...deleted(entry), ...(latest ? inVain(latest, entry) : [])],
        ...stays,
      }
    case 'refused':
      return again.refused ? { state: 'retry', reasons, ...next } : { state: 'refused', reasons, ...stays }
    case 'uncertain':
      return again.uncertain
        ? { state: 'retry', reasons, ...next }
        : { state: 'uncertain', reasons, ...stays }
    case 'queued':
    case 'running':
      return { state: 'retry', reasons: [leftReason(entry)], ...stays }
    case 'failed':
    case 'cancelled':
      return { state: 'retry', reasons, ...next }
  }
}

// What was bought is never hidden by what the emulator drew, nor a picture by a try without one. To the emulator, its own
// pictures are better than none.
function bestOf(tries: readonly LockEntry[], emulated: boolean): LockEntry | undefined {
  const pictures = emulated ? tries.filter(hasPicture) : []
  const candidates = pictures.length > 0 ? pictures : tries
  return candidates.reduce<LockEntry | undefined>((a, b) => (a && ahead(a, b) >= 0 ? a : b), undefined)
}

// A failed try of this item counts, though another item has the same picture: somebody asked for a picture of its own.
function isShadowed(own: LockEntry, best: LockEntry): boolean {
  return own.emulated && !best.emulated
}

/** The one with the highest edition. */
function latestOf(tries: readonly LockEntry[]): LockEntry | undefined {
  return tries.reduce<LockEntry | undefined>(
    (a, b) => (a && (a.edition - b.edition || a.recordedAt - b.recordedAt) >= 0 ? a : b),
    undefined,
  )
}

/** Whether it ended in a way that is not repeated by itself. */
function isWorth({ status }: LockEntry): boolean {
  return status === 'succeeded' || status === 'refused' || status === 'uncertain'
}

function redoReason(entry: LockEntry): string {
  return entry.status === 'succeeded'
    ? 'asked for again'
    : `asked for again; last time: ${entry.error?.code ?? entry.status}`
}

function leftReason({ generation }: LockEntry): string {
  return generation === '' ? 'asked for again and left before it was there' : 'it was still being made'
}

function lastReason(entry: LockEntry): string {
  return entry.foreign === undefined
    ? `last time: ${endOf(entry)}`
    : 'the lock knows of it and this version cannot read how it ended'
}

/** What there is to say of a picture that the worker keeps no more. */
function deleted({ image }: LockEntry): string[] {
  const on = image?.deletedAt?.slice(0, 10)
  return on ? [`deleted by the worker on ${on}; where no file is left, --redo buys it again`] : []
}

/** What there is to say of a picture that was to be made again after it was made. */
function inVain(latest: LockEntry, { edition }: LockEntry): string[] {
  return latest.edition > edition ? [`the last try to redo it: ${endOf(latest)}`] : []
}

function endOf(entry: LockEntry): string {
  return `${entry.error?.code ?? entry.status}, ${chargeOf(entry)}`
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
