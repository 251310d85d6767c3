// The rule "this request is refused so, noted, and not charged", for tables of requests.
import { expect } from 'vitest'
import type { createEmulator } from '../../emulator/app.ts'
import { type AnyError, type Asked, ask } from './ask.ts'

/** The body is made late, because it may hold images that are made before the tests. */
export type Refusal = [
  rule: string,
  body: () => unknown,
  expected: { code: number; status: string; message: string | RegExp },
  asked?: Asked,
]

/** A 400 with these words. */
export const bad = (message: string | RegExp) => ({ code: 400, status: 'INVALID_ARGUMENT', message })

/** Sends the request and asserts the error, the note of it and the absence of a charge. */
export async function refuses(
  { app, calls, bill, reset }: ReturnType<typeof createEmulator>,
  [, body, expected, asked]: Refusal,
): Promise<void> {
  reset()
  const response = await ask(app, body(), asked)
  const { error } = (await response.json()) as AnyError
  expect([response.status, error.code, error.status]).toEqual([expected.code, expected.code, expected.status])
  if (typeof expected.message === 'string') expect(error.message).toBe(expected.message)
  else expect(error.message).toMatch(expected.message)
  expect(calls()).toMatchObject([{ outcome: expected.status, status: expected.code, charged: false }])
  expect(bill()).toEqual([])
}
