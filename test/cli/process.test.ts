// The real program in a process of its own: what the pages cannot show, because they run inside this one.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const CLI = join(import.meta.dirname, '..', '..', 'runner', 'cli.ts')

/** Runs the program, with a module that is loaded before it. */
function proofsheet(words: string[], before = '') {
  const preload = `data:text/javascript,${encodeURIComponent(before)}`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', preload, CLI, ...words], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  })
  return { status, stdout, stderr }
}

test('the program says its version and ends with 0', () => {
  expect(proofsheet(['--version'])).toEqual({ status: 0, stdout: '0.1.0\n', stderr: '' })
})

test('a wrong word ends the process with 2', () => {
  expect(proofsheet(['frobnicate'])).toMatchObject({ status: 2, stdout: '' })
})

test('a bug ends with 1, is called one, and shows where it is', () => {
  const broken = "process.stdout.write = () => { throw new TypeError('injected') }"
  const { status, stderr } = proofsheet(['--version'], broken)
  expect(stderr).toMatch(/^proofsheet: a bug: TypeError: injected\n +at /)
  expect(status).toBe(1)
})
