import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import { UsageError } from '../../runner/exit.ts'
import { type LockEntry, readEntries, writeEntry } from '../../runner/state/lock.ts'
import { warnOfNeighbours } from '../../runner/state/neighbours.ts'
import { openState } from '../../runner/state/state.ts'
import { made } from './entries.ts'

let folder: string
let manifest: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proofsheet-state-'))
  manifest = join(folder, 'shop.yaml')
})

const open = (pid = 1, alive: number[] = []) =>
  openState(manifest, { pid, startedAt: 5 }, (p) => alive.includes(p))
const journalFolder = () => join(folder, '.proofsheet', 'journal')
const journals = () => readdirSync(journalFolder()).filter((name) => name.endsWith('.jsonl'))
const lockPath = () => join(folder, 'shop.lock.jsonl')
const locked = () => [...readEntries(readFileSync(lockPath(), 'utf8')).keys()]
const writeLines = (path: string, ...entries: (LockEntry | string)[]) =>
  writeFileSync(path, entries.map((e) => `${typeof e === 'string' ? e : writeEntry(e)}\n`).join(''))

describe('the journal', () => {
  test('opening and folding write nothing where nothing was recorded', () => {
    expect(open().fold()).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })

  test('an entry is in it before the lock is written, and survives the process', () => {
    open(1).record(made('a'))
    expect(journals()).toEqual(['shop.1.5.jsonl'])
    expect([...open(2).lock().keys()]).toEqual(['a'])
  })

  test('a line that a kill cut short is left out, and what follows it is read', () => {
    const path = join(journalFolder(), 'shop.1.5.jsonl')
    mkdirSync(journalFolder(), { recursive: true })
    appendFileSync(path, writeEntry(made('b')).slice(0, 50))
    open(1).record(made('a'))
    const next = open(2)
    expect([...next.lock().keys()]).toEqual(['a'])
    next.fold()
    expect(readdirSync(join(folder, '.proofsheet'))).toEqual(['journal'])
  })

  test('a journal that is taken away during a run is begun anew', () => {
    const run = open(1)
    run.record(made('a'))
    rmSync(join(folder, '.proofsheet'), { recursive: true })
    run.record(made('b'))
    expect([...open(2).lock().keys()]).toEqual(['b'])
    run.fold()
    expect(locked()).toEqual(['a', 'b'])
  })

  test('what is recorded counts as newer than what is there, whatever the clocks say', () => {
    writeLines(lockPath(), made('a', { key: 'theirs', recordedAt: 9_000 }))
    const run = open()
    run.record(made('a', { key: 'ours', recordedAt: 10 }))
    run.fold()
    expect(readEntries(readFileSync(lockPath(), 'utf8')).get('a')).toMatchObject({
      key: 'ours',
      recordedAt: 9_001,
      before: [{ key: 'theirs' }],
    })
  })
})

describe('folding', () => {
  test('writes the lock and removes the journals of dead runs and its own', () => {
    open(1).record(made('a'))
    const second = open(2)
    second.record(made('b'))
    expect(second.fold()).toEqual([])
    expect(journals()).toEqual([])
    expect(locked()).toEqual(['a', 'b'])
  })

  test('keeps the journal of a run that lives, with its entries in the lock already', () => {
    open(1).record(made('a'))
    const second = open(2, [1])
    second.record(made('b'))
    second.fold()
    expect(journals()).toEqual(['shop.1.5.jsonl'])
    expect(locked()).toEqual(['a', 'b'])
    expect([...open(3).lock().keys()].sort()).toEqual(['a', 'b'])
  })

  test('two runs that fold in turn keep each other’s entries, also those recorded in between', () => {
    const [one, two] = [open(1, [1, 2]), open(2, [1, 2])]
    one.record(made('a'))
    two.record(made('b'))
    one.fold()
    one.record(made('c'))
    two.fold()
    expect(locked()).toEqual(['a', 'b', 'c'])
    one.fold()
    expect(locked()).toEqual(['a', 'b', 'c'])
    expect(journals()).toEqual([])
  })

  test('waits for nobody for ever: the journal stays for the next run, and that is said', () => {
    const run = openState(manifest, { pid: 1, startedAt: 5 }, () => false, 50)
    run.record(made('a'))
    const other = new DatabaseSync(join(journalFolder(), 'shop.sqlite'))
    other.exec('BEGIN EXCLUSIVE')
    expect(run.fold()).toEqual([
      expect.stringMatching(
        /shop\.lock\.jsonl is in use by another run, .* next run adds it from .*shop\.1\.5/,
      ),
    ])
    expect(existsSync(lockPath())).toBe(false)
    other.close()
    const next = open(2)
    next.fold()
    expect(locked()).toEqual(['a'])
    expect(journals()).toEqual([])
  })

  test('what a fold that was killed left behind is gone after the next one', () => {
    open(1).record(made('a'))
    writeFileSync(`${lockPath()}.tmp`, writeEntry(made('a')).slice(0, 80))
    open(2).fold()
    expect(readdirSync(folder).sort()).toEqual(['.proofsheet', 'shop.lock.jsonl'])
    expect(locked()).toEqual(['a'])
  })

  test('an entry that was taken out of the lock during a run stays out', () => {
    writeLines(lockPath(), made('a'), made('b'))
    const run = open()
    writeLines(lockPath(), made('b'))
    run.record(made('c'))
    run.fold()
    expect(locked()).toEqual(['b', 'c'])
  })

  test('manifests beside each other have states of their own', () => {
    open(1).record(made('a'))
    const other = openState(join(folder, 'other.yaml'), { pid: 1, startedAt: 5 }, () => false)
    expect(other.lock().size).toBe(0)
    other.record(made('z'))
    other.fold()
    expect(journals()).toEqual(['shop.1.5.jsonl'])
  })

  test('`shop.yaml` and `shop.yml` in one folder are an error: they would share a lock', () => {
    for (const name of ['shop.yaml', 'shop.yml']) writeFileSync(join(folder, name), '')
    expect(() => open()).toThrow(UsageError)
    expect(() => open()).toThrow(
      'shop.yaml and shop.yml would share shop.lock.jsonl; rename one of them. Nothing was sent.',
    )
  })
})

describe('a lock that cannot be read whole', () => {
  const conflicted = () => [
    '<<<<<<< HEAD',
    made('a', { key: 'ours', recordedAt: 2 }),
    '=======',
    made('a', { key: 'theirs', recordedAt: 3 }),
    '>>>>>>> main',
    made('b'),
  ]

  test('tells which ids its lines name', () => {
    writeLines(lockPath(), made('b'), '{"id":"a","k', '<<<<<<< HEAD', writeEntry(made('c')).slice(0, 30))
    expect(open()).toMatchObject({ unreadable: 3, spokenOf: new Set(['a', 'c']) })
  })

  test('counts its lines; the next fold leaves a clean lock', () => {
    writeLines(lockPath(), ...conflicted())
    const state = open()
    expect(state.unreadable).toBe(3)
    state.fold()
    expect(locked()).toEqual(['a', 'b'])
    expect(open().unreadable).toBe(0)
    expect(readFileSync(lockPath(), 'utf8')).not.toMatch(/^[<=>]/m)
    expect(readdirSync(join(folder, '.proofsheet'))).toEqual(['journal'])
  })

  test('what is no entry is set aside once, not thrown away', () => {
    const strange = '{"id":"a","status":"upscaled","key":"k"}'
    writeLines(lockPath(), strange, made('b'), 'half a line')
    open().fold()
    open(2).fold()
    expect(locked()).toEqual(['b'])
    expect(readFileSync(join(folder, '.proofsheet', 'unreadable-5.jsonl'), 'utf8')).toBe(
      `${strange}\nhalf a line\n`,
    )
  })

  test('so is what a dead run wrote in words that only a newer version knows', () => {
    const strange = '{"id":"a","status":"upscaled","key":"k"}'
    mkdirSync(journalFolder(), { recursive: true })
    writeLines(join(journalFolder(), 'shop.9.5.jsonl'), strange, made('b'))
    open().fold()
    expect(readFileSync(join(folder, '.proofsheet', 'unreadable-5.jsonl'), 'utf8')).toBe(`${strange}\n`)
    expect(locked()).toEqual(['b'])
  })
})

describe('a line that a newer version wrote', () => {
  const newer = JSON.stringify({ ...made('a'), status: 'upscaled', stars: 5 })

  test('stays in the lock as it is, beside what this version adds', () => {
    writeLines(lockPath(), newer, made('b'))
    const run = open()
    expect(run.unreadable).toBe(0)
    run.record(made('c'))
    run.fold()
    expect(readFileSync(lockPath(), 'utf8').split('\n')[0]).toBe(newer)
    expect(locked()).toEqual(['a', 'b', 'c'])
  })

  test('is set aside, not thrown away, where another line takes its place', () => {
    writeLines(lockPath(), newer)
    const run = open()
    run.record(made('a', { key: 'another', fingerprint: 'another' }))
    run.fold()
    expect(readFileSync(lockPath(), 'utf8')).not.toContain('upscaled')
    expect(readFileSync(join(folder, '.proofsheet', 'unreadable-5.jsonl'), 'utf8')).toBe(`${newer}\n`)
  })
})

describe('manifests that share a folder', () => {
  test('are warned where one would put its pictures in the place of the other’s', () => {
    const image = (sha256: string) => ({ ...made('a').image!, sha256: sha256.repeat(64) })
    const own = new Map([['b', made('b', { image: image('1') })]])
    writeLines(
      join(folder, 'other.lock.jsonl'),
      made('a', { image: image('2') }),
      made('b', { image: image('1') }),
      made('c', { image: image('3'), profile: 'draft' }),
      made('z'),
    )
    const wanted = ['a', 'b', 'c', 'd'].map((id) => ({ id }))
    expect(warnOfNeighbours(lockPath(), own, wanted)).toEqual([
      'other.lock.jsonl holds other pictures of a, and both are saved to out/; give one of the manifests a folder of its own with --out-dir',
    ])
    expect(warnOfNeighbours(join(folder, 'other.lock.jsonl'), own, wanted)).toEqual([])
  })
})
