// What stands behind the `?` of a call: nothing is left out silently.
import { expect, test } from 'vitest'
import { ask, askAs, problemOf } from './setup/ask.ts'
import { makeToken } from './setup/tokens.ts'

test.for<[string, string, string, RequestInit?]>([
  ['/api/usage?form=2026-01-01', 'form', 'unknown parameter form: there are from, to, by, workspace, cursor'],
  ['/api/generations?state=queued&modle=x', 'state', 'unknown parameter state, modle: there are status, '],
  ['/api/batches?workspaces=x', 'workspaces', 'unknown parameter workspaces: there are workspace, '],
  ['/api/models?provider=apiyi', 'provider', 'unknown parameter provider: this call takes none'],
  ['/api/estimate?dry=1', 'dry', 'unknown parameter dry', { method: 'POST', body: '{}' }],
  ['/api/generations?batch=foo', 'batch', 'batch: must be the id of a batch: bat_…'],
  ['/api/generations?token=web', 'token', 'token: must be the id of a token: tok_…, or admin'],
  ['/api/usage?workspace=Shop', 'workspace', 'workspace: lower-case letters, digits and dashes'],
])('%s is refused', async ([path, field, words, init]) => {
  const response = await ask(path, init)
  expect(response.status).toBe(400)
  const problem = await problemOf(response)
  expect(problem).toMatchObject({ code: 'invalid_request', charged: 'no' })
  expect(problem.errors![0]!.path).toBe(field)
  expect(problem.detail).toContain(words)
})

test('the token may stand there, whatever the call takes', async () => {
  const { token } = await makeToken()
  for (const path of ['/api/usage', '/api/models'])
    expect((await askAs(`${path}?key=${token}`)).status).toBe(200)
})
