// What a token may do and spend, as a run meets it. Charges are counted at the emulator.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, type Stack, sandbox, startStack } from './sandbox.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
}, 120_000)
afterAll(() => stack.close(), 60_000)

/** A shop of three pictures at $0.055 each, with a token of its own. */
async function shop(token: object): Promise<Sandbox> {
  const headers = { authorization: `Bearer ${stack.token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ name: 'shop', ...token })
  const answer = await fetch(`${stack.url}/api/tokens`, { method: 'POST', headers, body })
  expect(answer.status).toBe(201)
  const { token: secret } = (await answer.json()) as { token: string }
  const box = sandbox({ ...stack, token: secret })
  box.write(
    'catalog.yaml',
    `defaults: { model: nano-banana-2, provider: apiyi, size: 512 }
items: { kite: { matrix: { n: [one, two, three] }, prompt: "A kite of ${box.folder}, \${n}" } }
`,
  )
  return box
}

test('a budget that is spent ends the run with 5, the figures and the command that goes on', async () => {
  const box = await shop({ budget: { total: 0.12 } })
  const { code, stderr } = await box.proofsheet('run --yes -j 1')
  expect(stderr).toContain(
    'the budget of this token is $0.12 in all, $0.11 of it is spent or held and $0.01 left:',
  )
  expect(stderr).toMatch(/2 pictures made, 1 failed in/)
  expect(stderr).toContain(
    'To go on once the token may spend more; nothing is bought twice:  proofsheet run catalog.yaml -j 1 --yes',
  )
  expect(code).toBe(5)
  expect(box.calls()).toBe(2)
})

test('a batch that is over the budget is not taken, with 5', async () => {
  const box = await shop({ budget: { day: 0.05 } })
  const { code, stderr } = await box.proofsheet('run --yes --detach')
  expect(stderr).toContain('$0.05 a day')
  expect(code).toBe(5)
  expect(box.calls()).toBe(0)
})

test('a token that may only read plans, and ends a run with 4', async () => {
  const box = await shop({ scopes: ['read'] })
  expect((await box.proofsheet('plan')).code).toBe(0)
  const { code, stderr } = await box.proofsheet('run --yes')
  expect(stderr).toContain('✗ kite/one  forbidden, not charged')
  expect(code).toBe(4)
  expect(box.calls()).toBe(0)
})
