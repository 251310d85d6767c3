import { expect, test } from 'vitest'
import {
  digestOfVariables,
  isEmulated,
  isPaused,
  providersOf,
  workerVariables,
} from '../../../runner/local/variables.ts'

test('the worker is told what core and the worker know of the environment, and nothing else', () => {
  const known = {
    APIYI_API_KEY: 'a',
    TOKAIFY_BASE_URL: 'https://t.example',
    DEFAULT_PROVIDER: 'atelier',
    PROVIDERS: JSON.stringify({ atelier: { baseUrl: 'https://a.example', keyVariable: 'ATELIER_SECRET' } }),
    ATELIER_SECRET: 's',
    EMULATOR_URL: 'http://127.0.0.1:1',
    WEBHOOK_SECRET: 'whsec_c2VjcmV0',
  }
  const env = {
    ...known,
    ADMIN_TOKEN: 't',
    AWS_SECRET_ACCESS_KEY: 'x',
    GOOGLE_API_KEY: '',
    OTHER_API_KEY: 'o',
  }
  expect(workerVariables(env)).toEqual(known)
})

test.for([
  ['no key at all: the emulator stands in for everybody', {}, true, ['google', 'apiyi', 'tokaify']],
  ['an empty key is no key', { GOOGLE_API_KEY: '' }, true, ['google', 'apiyi', 'tokaify']],
  ['one key: only its provider sells', { APIYI_API_KEY: 'a' }, false, ['apiyi']],
] as const)('%s', ([, env, emulated, providers]) => {
  expect(isEmulated(workerVariables(env))).toBe(emulated)
  expect(providersOf(workerVariables(env))).toEqual(providers)
})

test.for([
  [undefined, false],
  ['', false],
  ['false', false],
  [' FALSE ', false],
  ['true', true],
  ['1', true],
  ['yes', true],
] as const)('PAUSED=%s: paused is %s', ([PAUSED, paused]) => {
  expect(isPaused({ PAUSED })).toBe(paused)
})

test('a digest tells other variables and other salts apart, not their order', () => {
  const digest = digestOfVariables({ A: '1', B: '2' }, 'salt')
  expect(digestOfVariables({ B: '2', A: '1' }, 'salt')).toBe(digest)
  expect(digestOfVariables({ A: '1', B: '3' }, 'salt')).not.toBe(digest)
  expect(digestOfVariables({ A: '1', B: '2' }, 'other')).not.toBe(digest)
})
