// Every step that recording and folding take on the disk, by list: a process that ends before it, or in the middle of
// what it writes, has lost nothing that it was told is kept, and leaves a lock that reads.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { readLines, writeEntry } from '../../runner/state/lock.ts'
import { openState } from '../../runner/state/state.ts'
import { made } from './entries.ts'

const STEPS = [
  'openSync',
  'writeSync',
  'writeFileSync',
  'fsyncSync',
  'renameSync',
  'rmSync',
  'mkdirSync',
] as const

const real = { ...fs }
const revive = () => {
  for (const name of STEPS) Object.assign(fs, { [name]: real[name] })
  syncBuiltinESMExports()
}
afterEach(revive)

class Killed extends Error {}

/** From the nth step on nothing reaches the disk any more; of what the nth one writes, a half does. */
function dieAt(n: number): { steps: () => string[] } {
  const steps: string[] = []
  for (const name of STEPS) {
    const doIt = real[name] as (...words: unknown[]) => unknown
    Object.assign(fs, {
      [name]: (...words: unknown[]) => {
        steps.push(name)
        if (steps.length < n) return doIt(...words)
        if (steps.length === n && name === 'writeSync') {
          const [file, bytes] = words as [number, Uint8Array]
          real.writeSync(file, bytes.subarray(0, bytes.length / 2))
        }
        throw new Killed(name)
      },
    })
  }
  syncBuiltinESMExports()
  return { steps: () => steps }
}

const STRANGE = '{"id":"s","status":"upscaled","key":"k"}'

/** A lock that git left in two versions, and the journal of a run that died. */
function shop() {
  const folder = real.mkdtempSync(join(tmpdir(), 'proofsheet-crash-'))
  const journals = join(folder, '.proofsheet', 'journal')
  real.mkdirSync(journals, { recursive: true })
  const lines = [
    '<<<<<<< HEAD',
    writeEntry(made('x')),
    '=======',
    writeEntry(made('y')),
    '>>>>>>> main',
    STRANGE,
  ]
  real.writeFileSync(join(folder, 'shop.lock.jsonl'), `${lines.join('\n')}\n`)
  real.writeFileSync(join(journals, 'shop.7.1.jsonl'), `${writeEntry(made('dead'))}\n`)
  const open = (pid: number) => openState(join(folder, 'shop.yaml'), { pid, startedAt: pid }, () => false)
  const lockText = () => real.readFileSync(join(folder, 'shop.lock.jsonl'), 'utf8')
  return { folder, open, lockText }
}

test('a process that dies at any step has lost nothing that was recorded, and no line of the lock', () => {
  const seen = new Set<string>()
  let n = 0
  for (let survived = false; !survived; ) {
    const { folder, open, lockText } = shop()
    const before = lockText()
    const kept = ['dead', 'x', 'y']
    const death = dieAt(++n)
    try {
      const run = open(1)
      for (const id of ['a', 'b']) {
        run.record(made(id))
        kept.push(id)
      }
      run.fold()
      survived = true
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      seen.add(error.message)
    }
    revive()
    const at = `died at step ${n}: ${death.steps()[n - 1]}`

    const now = lockText()
    if (now !== before) expect(readLines(now).unreadable, at).toEqual([])
    const next = open(2)
    expect([...next.lock().keys()], at).toEqual(expect.arrayContaining(kept))
    next.record(made('c'))
    next.fold()
    const { lock, unreadable } = readLines(lockText())
    expect(unreadable, at).toEqual([])
    expect([...lock.keys()], at).toEqual(expect.arrayContaining([...kept, 'c']))
    expect(real.readdirSync(folder).sort(), at).toEqual(['.proofsheet', 'shop.lock.jsonl'])
    expect(real.readdirSync(join(folder, '.proofsheet', 'journal')), at).toEqual(['shop.sqlite'])
    const aside = real
      .readdirSync(join(folder, '.proofsheet'))
      .filter((name) => name.startsWith('unreadable'))
    const text = aside.map((name) => real.readFileSync(join(folder, '.proofsheet', name), 'utf8')).join('\n')
    expect(text.split('\n'), at).toContain(STRANGE)
    real.rmSync(folder, { recursive: true })
  }
  expect([...seen].sort()).toEqual([...STEPS].sort())
  expect(n).toBeGreaterThan(20)
})
