// A local worker that cannot keep anything says so in one line.
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { attachLocal } from '../../../runner/local/attach.ts'
import { notStarted, withoutStorage } from '../../../runner/local/failure.ts'
import { placeOf } from '../../../runner/local/place.ts'
import { PLAIN } from './local.ts'

function folder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'proofsheet-failure-')))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

const systemError = (code: string) => Object.assign(new Error(code), { code, syscall: 'write' })

test.for<[code: string, says: string]>([
  ['ENOSPC', 'no space left in DIR: the local worker cannot start'],
  ['EDQUOT', 'the disk quota of DIR is used up: the local worker cannot start'],
  ['EACCES', 'DIR may not be written (permission is denied): the local worker cannot start'],
  ['EPERM', 'DIR may not be written (permission is denied): the local worker cannot start'],
  ['EROFS', 'DIR lies on a disk that can only be read: the local worker cannot start'],
  ['ENOTDIR', 'DIR is no folder: the local worker cannot start'],
])('%s is told in words', ([code, says]) => {
  const stateDir = join(folder(), '.proofsheet')
  expect(withoutStorage(placeOf(stateDir), systemError(code))).toMatchObject({
    reason: 'start',
    message: says.replace('DIR', stateDir),
  })
})

test('an error that is not about the storage stays what it is', () => {
  const place = placeOf(join(folder(), '.proofsheet'))
  expect(withoutStorage(place, systemError('ECONNREFUSED'))).toBeUndefined()
  expect(withoutStorage(place, new TypeError('EACCES'))).toBeUndefined()
})

test('where a file is in the place of the state folder, no worker is started', async () => {
  const stateDir = join(folder(), '.proofsheet')
  writeFileSync(stateDir, '')
  // Node tells so of a folder that it could not make on a disk that can only be read: the disk is asked.
  const vague = withoutStorage(placeOf(stateDir), systemError('ENOENT'))
  expect(vague?.message).toBe(`${stateDir} is no folder: the local worker cannot start`)
  await expect(attachLocal({ stateDir, env: PLAIN })).rejects.toMatchObject({
    reason: 'start',
    message: `${stateDir} is no folder: the local worker cannot start`,
  })
})

test('after a start that failed the disk is tried first, and leaves no trace of it; then the log is shown', () => {
  const stateDir = join(folder(), '.proofsheet')
  const place = placeOf(stateDir)
  mkdirSync(place.dir, { recursive: true })
  writeFileSync(place.log, 'one\ntwo\n')
  expect(notStarted(place, 'it ended').message).toBe(
    `the local worker did not start: it ended\nlast lines of ${place.log}:\none\ntwo`,
  )
  expect(readdirSync(place.dir)).toEqual(['server.log'])
  rmSync(stateDir, { recursive: true })
  writeFileSync(stateDir, '')
  expect(notStarted(place, 'it ended').message).toBe(
    `${stateDir} is no folder: the local worker cannot start`,
  )
})
