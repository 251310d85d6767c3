import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { newDraft, placeDraft, removeLostDrafts } from '../../runner/state/drafts.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proofsheet-drafts-'))
})

describe('a file that is not whole yet', () => {
  test('is put in its place in one step, in folders that were not there', async () => {
    const draft = await newDraft(join(folder, '.proofsheet'))
    writeFileSync(draft, 'whole')
    await placeDraft(draft, join(folder, 'out', 'a', 'b.png'))
    expect(readFileSync(join(folder, 'out', 'a', 'b.png'), 'utf8')).toBe('whole')
    expect(existsSync(draft)).toBe(false)
  })

  test('has a name of its own, also within one process', async () => {
    expect(await newDraft(folder)).not.toBe(await newDraft(folder))
  })

  test('reaches its place on another disk too, and leaves nothing behind', async () => {
    const rename = fs.rename
    onTestFinished(() => {
      fs.rename = rename
      syncBuiltinESMExports()
    })
    fs.rename = async (from, to) => {
      if (String(from).includes('.proofsheet'))
        throw Object.assign(new Error('cross-device'), { code: 'EXDEV' })
      await rename(from, to)
    }
    syncBuiltinESMExports()
    const draft = await newDraft(join(folder, '.proofsheet'))
    writeFileSync(draft, 'whole')
    await placeDraft(draft, join(folder, 'out', 'b.png'))
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual([
      '.proofsheet',
      '.proofsheet/parts',
      'out',
      'out/b.png',
    ])
  })
})

test('what a killed process left is removed, what a living one writes is not', async () => {
  for (const pid of [7, 8]) writeFileSync(await newDraft(folder, pid), '')
  await removeLostDrafts(folder, (pid) => pid === 8)
  expect(readdirSync(join(folder, 'parts'))).toEqual([expect.stringMatching(/^8\./)])
  await removeLostDrafts(join(folder, 'nowhere'))
})
