import { expect, test } from 'vitest'
import { ask } from './setup/ask.ts'

test.each([
  ['DELETE', '/api/generations', 'GET, HEAD, POST'],
  ['POST', '/api/models', 'GET, HEAD'],
  ['PUT', '/images/x.png', 'GET, HEAD'],
] as const)('%s %s is refused with the methods that it takes', async (method, path, allow) => {
  const response = await ask(path, { method })
  expect(response.status).toBe(405)
  expect(response.headers.get('allow')?.split(', ').sort().join(', ')).toBe(allow)
  expect(await response.json()).toMatchObject({ code: 'method_not_allowed', charged: 'no' })
})
