import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { type PickOptions, pick } from '../../runner/commands/pick.ts'
import { UsageError } from '../../runner/exit.ts'
import type { Io } from '../../runner/io.ts'
import type { Item } from '../../runner/manifest/item.ts'
import { type LockEntry, readEntries, writeEntry } from '../../runner/state/lock.ts'
import { made } from './entries.ts'
import { from, item } from './items.ts'

let folder: string
let nowMs: number
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proofsheet-pick-'))
  nowMs = 100
})

const lockPath = () => join(folder, 'shop.lock.jsonl')
const hold = (...entries: LockEntry[]) =>
  writeFileSync(lockPath(), entries.map((entry) => `${writeEntry(entry)}\n`).join(''))
const reviews = () =>
  Object.fromEntries(
    [...readEntries(readFileSync(lockPath(), 'utf8'))].map(([slot, { review }]) => [slot, review ?? '']),
  )

/** What it says, or the message of its UsageError. */
async function say(ids: string, changes: Partial<PickOptions> = {}, items?: Item[]): Promise<string[]> {
  const written: string[] = []
  const output = { write: (text: string) => void written.push(text) }
  const io = { stdout: output, stderr: output, cwd: folder, pid: 1, now: () => ++nowMs } as unknown as Io
  const options = { manifest: 'shop.yaml', reject: false, clear: false, list: false, ...changes }
  try {
    expect(await pick({ ...options, ids: ids.split(' ').filter(Boolean) }, io, items)).toBe(0)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return error.message.split('\n')
  }
  return written.join('').trimEnd().split('\n')
}

describe('a pick', () => {
  beforeEach(() => hold(made('mug'), made('mug#2'), made('mug#3'), made('lamp')))

  test('marks one of several samples, and the next one takes its place', async () => {
    expect(await say('mug#2')).toEqual(['picked mug#2'])
    expect(reviews()).toEqual({ lamp: '', mug: '', 'mug#2': 'picked', 'mug#3': '' })
    expect(await say('mug#3')).toEqual(['picked mug#3, in place of mug#2'])
    expect(reviews()).toEqual({ lamp: '', mug: '', 'mug#2': '', 'mug#3': 'picked' })
    expect(await say('mug#3')).toEqual(['picked mug#3, as before'])
  })

  test.for(['mug', 'mug#1'])('of `%s` means the first sample', async (id) => {
    await say(id)
    expect(reviews()).toMatchObject({ mug: 'picked' })
  })

  test('can be of several pictures at once', async () => {
    expect(await say('mug#2 lamp')).toEqual(['picked mug#2', 'picked lamp'])
    expect(reviews()).toEqual({ lamp: 'picked', mug: '', 'mug#2': 'picked', 'mug#3': '' })
  })

  test('can be turned into a rejection, and taken back', async () => {
    await say('mug#2')
    expect(await say('mug#2 mug', { reject: true })).toEqual([
      'rejected mug#2, no longer picked',
      'rejected mug',
      'to buy rejected pictures again:  proofsheet run shop.yaml --redo -s status:rejected',
    ])
    expect(reviews()).toEqual({ lamp: '', mug: 'rejected', 'mug#2': 'rejected', 'mug#3': '' })
    expect(await say('mug#2 lamp', { clear: true })).toEqual([
      'cleared mug#2, no longer rejected',
      'no mark on lamp, as before',
    ])
    expect(reviews()).toEqual({ lamp: '', mug: 'rejected', 'mug#2': '', 'mug#3': '' })
  })

  test('survives a clock that is set back', async () => {
    await say('mug#2')
    nowMs = 10
    await say('mug#3')
    expect(reviews()).toMatchObject({ 'mug#2': '', 'mug#3': 'picked' })
    nowMs = 5
    await say('mug#3', { clear: true })
    expect(reviews()).toMatchObject({ 'mug#3': '' })
  })

  test('changes nothing else, and leaves only the lock', async () => {
    const before = readEntries(readFileSync(lockPath(), 'utf8'))
    await say('mug#2')
    const after = readEntries(readFileSync(lockPath(), 'utf8'))
    expect(after.get('mug#2')).toEqual({ ...before.get('mug#2'), review: 'picked', reviewedAt: 102 })
    expect(readdirSync(join(folder, '.proofsheet', 'journal'))).toEqual(['shop.sqlite'])
  })

  test('tells what is made from another picture now, and nothing when it is the same one', async () => {
    const items = [
      item('mug'),
      ...Array.from({ length: 8 }, (_, i) => item(`scene/${i}`, { references: [from('mug')] })),
      item('detail', { references: [from('mug#3')] }),
    ]
    expect(await say('mug', {}, items)).toEqual(['picked mug'])
    expect(await say('mug#2', {}, items)).toEqual([
      'picked mug#2, in place of mug',
      'made from mug: scene/0, scene/1, scene/2, scene/3, scene/4, scene/5 and 2 more',
      'what is to be made again:  proofsheet plan shop.yaml',
    ])
    expect(await say('mug#3', { reject: true }, items)).not.toContainEqual(
      expect.stringContaining('made from'),
    )
    expect(await say('mug#2', { clear: true }, items)).toContainEqual(
      expect.stringContaining('made from mug'),
    )
  })
})

describe('a profile', () => {
  test('has picks of its own, and commands that name it', async () => {
    hold(made('mug'), made('mug', { profile: 'draft' }), made('mug#2', { profile: 'draft' }))
    await say('mug#2', { profile: 'draft' })
    expect(reviews()).toEqual({ mug: '', 'mug@draft': '', 'mug#2@draft': 'picked' })
    expect(await say('mug#2')).toEqual([
      'nothing is called `mug#2`; its samples: mug',
      'Nothing was changed.',
    ])
    expect(await say('lamp', { profile: 'draft' }, [item('lamp')])).toEqual([
      '`lamp` is not made yet under the profile `draft`: proofsheet run shop.yaml --profile draft -s lamp',
      'Nothing was changed.',
    ])
  })
})

describe('what cannot be picked', () => {
  beforeEach(() =>
    hold(made('shot/mug'), made('shot/mug#2'), made('shot/lamp'), made('bad', { status: 'refused' })),
  )

  test.for<[string, string, Partial<PickOptions>]>([
    ['shot/mgu', 'nothing is called `shot/mgu`; closest: shot/mug', {}],
    ['shot/mug#7', 'nothing is called `shot/mug#7`; its samples: shot/mug, shot/mug#2', {}],
    ['shot', '`shot` is a folder; name a picture in it: shot/mug, shot/mug#2, shot/lamp', {}],
    ['zzzzzzzz', 'nothing is called `zzzzzzzz`; there are: shot/mug, shot/mug#2, shot/lamp, …', {}],
    ['bad', '`bad` has no picture: the last try ended as refused', {}],
    ['next', '`next` is not made yet: proofsheet run shop.yaml -s next', {}],
    ['shot/mug shot/mug#2', '`shot/mug` and `shot/mug#2` are samples of one picture; pick one of them', {}],
    [
      '',
      'which picture? Name it, as in: proofsheet pick packshot/mug#2   (--list shows what there is to pick from)',
      {},
    ],
    [
      'shot/mug',
      '--reject, --clear and --list exclude each other; give one of them',
      { reject: true, list: true },
    ],
  ])('%s: %s', async ([ids, message, changes]) => {
    const before = readFileSync(lockPath(), 'utf8')
    expect((await say(ids, changes, [item('next')]))[0]).toBe(message)
    expect(readFileSync(lockPath(), 'utf8')).toBe(before)
  })

  test('leaves the others unmarked too, and all of it is said', async () => {
    expect(await say('shot/mug nope bad')).toEqual([
      'nothing is called `nope`; there are: shot/mug, shot/mug#2, shot/lamp',
      '`bad` has no picture: the last try ended as refused',
      'Nothing was changed.',
    ])
    expect(reviews()).toEqual({ bad: '', 'shot/lamp': '', 'shot/mug': '', 'shot/mug#2': '' })
  })

  test('before anything is made, the command that makes it is named', async () => {
    hold()
    expect(await say('mug')).toEqual(['no picture is made yet: proofsheet run shop.yaml'])
    expect(await say('', { list: true })).toEqual(['no picture is made yet: proofsheet run shop.yaml'])
  })
})

describe('the list', () => {
  test('shows pictures with several samples or a mark, in the order of their samples, with file and address', async () => {
    hold(
      made('mug#10'),
      made('mug#2', { review: 'picked', reviewedAt: 1, emulated: true }),
      made('mug'),
      made('lamp'),
      made('rug', { review: 'rejected', reviewedAt: 1 }),
    )
    mkdirSync(join(folder, 'out'))
    writeFileSync(join(folder, 'out', 'mug#2.png'), '')
    expect(await say('', { list: true })).toEqual([
      '          mug     not on disk    http://worker/images/mug.png',
      'picked    mug#2   out/mug#2.png  http://worker/images/mug-2.png  emulated',
      '          mug#10  not on disk    http://worker/images/mug-10.png',
      'rejected  rug     not on disk    http://worker/images/rug.png',
    ])
    expect(await say('lamp', { list: true })).toEqual(['  lamp  not on disk  http://worker/images/lamp.png'])
    expect(await say('nope', { list: true })).toEqual([
      'nothing is called `nope`; there are: mug#10, mug#2, mug, …',
    ])
  })

  test('says so when there is nothing to choose from', async () => {
    hold(made('mug'))
    expect(await say('', { list: true })).toEqual([
      'there is nothing to choose from: no picture has a second sample',
    ])
  })

  test('finds a picture where its item saves it', async () => {
    hold(made('mug'), made('mug#2'))
    mkdirSync(join(folder, 'out'))
    writeFileSync(join(folder, 'out', 'hero.png'), '')
    const [first] = await say('', { list: true }, [item('mug', { output: 'hero' })])
    expect(first).toContain('out/hero.png')
  })
})
