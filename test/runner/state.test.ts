import { appendFileSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { type LockEntry, merge, readEntries, writeEntry, writeLock } from '../../runner/state/lock.ts'
import { openState } from '../../runner/state/state.ts'
import { entry, item, plan } from './items.ts'

const made = (id: string, changes: Partial<LockEntry> = {}) => entry(plan([item(id)]).items[0]!, changes)

describe('the lock', () => {
  test('reads back what was written, sorted by id', () => {
    const lock = new Map([made('b'), made('a')].map((e) => [e.id, e]))
    const text = writeLock(lock)
    expect(text.split('\n').map((line) => line && JSON.parse(line).id)).toEqual(['a', 'b', ''])
    expect(readEntries(text)).toEqual(lock)
  })

  test('lines that git or an editor broke are left out, the others count', () => {
    const text = [
      '<<<<<<< HEAD',
      writeEntry(made('a')),
      '=======',
      writeEntry(made('b')).slice(0, 40),
      '>>>>>>> main',
      '{"id":"c"}',
    ].join('\n')
    expect([...readEntries(text).keys()]).toEqual(['a'])
  })

  test('of two entries with one id the newer counts, whatever their order', () => {
    const [old, recent] = [made('a', { recordedAt: 1 }), made('a', { recordedAt: 2, cost: 9 })]
    for (const pair of [
      [old, recent],
      [recent, old],
    ])
      expect(readEntries(pair.map(writeEntry).join('\n')).get('a')).toEqual(recent)
    expect(merge(new Map([['a', recent]]), new Map([['a', old]])).get('a')).toEqual(recent)
  })
})

describe('the state of a manifest', () => {
  let manifest: string
  beforeEach(() => {
    manifest = join(mkdtempSync(join(tmpdir(), 'proofsheet-state-')), 'shop.yaml')
  })
  const open = (pid = 1, alive: number[] = []) =>
    openState(manifest, { pid, startedAt: 5 }, (p) => alive.includes(p))
  const journals = () => readdirSync(join(manifest, '..', '.proofsheet', 'journal'))

  test('opening writes nothing', () => {
    open().fold()
    expect(readdirSync(join(manifest, '..'))).toEqual([])
  })

  test('an entry is in the journal before the lock is written, and survives the process', () => {
    open(1).record(made('a'))
    expect(journals()).toEqual(['shop.1.5.jsonl'])
    expect([...open(2).lock().keys()]).toEqual(['a'])
  })

  test('folding writes the lock and removes the journals of dead runs and its own', () => {
    open(1).record(made('a'))
    const second = open(2)
    second.record(made('b'))
    second.fold()
    expect(journals()).toEqual([])
    expect([...readEntries(readFileSync(join(manifest, '..', 'shop.lock.jsonl'), 'utf8')).keys()]).toEqual([
      'a',
      'b',
    ])
  })

  test('the journal of a run that lives is kept, and its entries are in the lock already', () => {
    open(1).record(made('a'))
    const second = open(2, [1])
    second.record(made('b'))
    second.fold()
    expect(journals()).toEqual(['shop.1.5.jsonl'])
    expect([...open(3).lock().keys()].sort()).toEqual(['a', 'b'])
  })

  test('a line that a kill cut short is left out', () => {
    open(1).record(made('a'))
    appendFileSync(
      join(manifest, '..', '.proofsheet', 'journal', 'shop.1.5.jsonl'),
      writeEntry(made('b')).slice(0, 50),
    )
    expect([...open(2).lock().keys()]).toEqual(['a'])
  })

  test('manifests beside each other have states of their own', () => {
    open(1).record(made('a'))
    const other = openState(join(manifest, '..', 'other.yaml'), { pid: 1, startedAt: 5 }, () => false)
    expect(other.lock().size).toBe(0)
  })

  test('the user’s lock is replaced whole, never edited in place', () => {
    const path = join(manifest, '..', 'shop.lock.jsonl')
    writeFileSync(path, `${writeEntry(made('a'))}\n`)
    const run = open(1)
    run.record(made('b'))
    run.fold()
    expect(readdirSync(join(manifest, '..')).filter((f) => f.endsWith('.tmp'))).toEqual([])
    expect([...readEntries(readFileSync(path, 'utf8')).keys()]).toEqual(['a', 'b'])
  })
})
