// What a token may do by its scopes: every call of the contract and of the drop-ins, one row each.
import { describe, expect, test } from 'vitest'
import { SCOPES, type Scope } from '../../core/accounts.ts'
import { CONTRACT, type Endpoint } from '../../core/contract.ts'
import { SCOPE_OF } from '../../worker/http/scopes.ts'
import { callsOf, prompt, stored } from './setup/ask.ts'
import { PNG } from './setup/pictures.ts'
import { askWith, makeToken } from './setup/tokens.ts'

const GUARDED = Object.entries<Endpoint>(CONTRACT).filter(([, endpoint]) => !endpoint.open) as [
  keyof typeof SCOPE_OF,
  Endpoint,
][]

/** What each scope is for, told apart from the worker's own table: by what a call does to money and storage. */
function neededFor(name: string, { method }: Endpoint): Scope {
  if (/tokens?$/i.test(name)) return 'admin'
  return method === 'get' || name === 'estimate' ? 'read' : 'generate'
}

const tokens = Object.fromEntries(
  await Promise.all(SCOPES.map(async (scope) => [scope, (await makeToken({ scopes: [scope] })).token])),
) as Record<Scope, string>

test('every call that wants a token has its scope', () => {
  for (const [name, endpoint] of GUARDED) expect(SCOPE_OF[name], name).toBe(neededFor(name, endpoint))
  expect(Object.keys(SCOPE_OF).sort()).toEqual(GUARDED.map(([name]) => name).sort())
})

describe.for(GUARDED)('%s', ([name, { method, path }]) => {
  const address = path.replace('{sha256}', '0'.repeat(64)).replace('{id}', 'none')
  // The body is not read when the scope is missing, and of no use when it is not.
  const call = (scope: Scope) =>
    askWith(tokens[scope], address, {
      method: method.toUpperCase(),
      ...(method === 'get' ? {} : { body: 'no json' }),
    })

  test.for(SCOPES)('with the scope %s', async (scope) => {
    const needed = SCOPE_OF[name]
    const response = await call(scope)
    if (scope === needed || scope === 'admin') return expect(response.status).not.toBe(403)
    expect(response.status).toBe(403)
    const problem = (await response.json()) as { code: string; detail: string; charged: string }
    expect(problem).toMatchObject({ code: 'forbidden', charged: 'no' })
    expect(problem.detail).toContain(`it lacks the scope \`${needed}\` and has ${scope};`)
  })
})

describe('drop-ins', () => {
  const words = prompt()
  const native = JSON.stringify({ contents: [{ parts: [{ text: words }] }] })
  const image = { inlineData: { mimeType: 'image/png', data: PNG.toBase64() } }
  const withImage = JSON.stringify({ contents: [{ parts: [{ text: words }, image] }] })
  const gemini = '/v1beta/models/gemini-3.1-flash-image'
  const openai = JSON.stringify({ model: 'nano-banana-2', prompt: words })
  const chat = JSON.stringify({ model: 'nano-banana-2', messages: [{ role: 'user', content: words }] })

  test.for<[string, string | undefined, Scope]>([
    ['/v1beta/models', undefined, 'read'],
    [gemini, undefined, 'read'],
    [`${gemini}:countTokens`, native, 'read'],
    [`${gemini}%3AcountTokens`, native, 'read'],
    ['/openai/v1/models', undefined, 'read'],
    ['/openai/v1/models/nano-banana-2', undefined, 'read'],
    [`${gemini}:generateContent`, native, 'generate'],
    [`${gemini}:generateContent`, withImage, 'generate'],
    [`${gemini}:streamGenerateContent?alt=sse`, native, 'generate'],
    [`/v1/models/gemini-3.1-flash-image:generateContent`, native, 'generate'],
    [`${gemini}:generateContent?x=:countTokens`, native, 'generate'],
    ['/openai/v1/images/generations', openai, 'generate'],
    ['/openai/v1/chat/completions', chat, 'generate'],
  ])('%s', async ([path, body, needed]) => {
    const other = needed === 'read' ? 'generate' : 'read'
    const init = body
      ? { method: 'POST', body, headers: { 'content-type': 'application/json' } }
      : { method: 'GET' }
    const refused = await askWith(tokens[other], path, init)
    expect(refused.status).toBe(403)
    expect(await refused.text()).toContain(`it lacks the scope \`${needed}\``)
    // Nothing was bought by it, and nothing stored.
    expect(await callsOf(words)).toEqual([])
    expect(await stored('references/')).toEqual([])
    if (needed === 'read') expect((await askWith(tokens.read, path, init)).status).toBe(200)
  })

  test('say it in their own words', async () => {
    const google = await askWith(tokens.read, `${gemini}:generateContent`, { method: 'POST', body: native })
    expect(await google.json()).toMatchObject({
      error: {
        code: 403,
        status: 'PERMISSION_DENIED',
        details: [{ reason: 'FORBIDDEN', domain: 'proofsheet' }],
      },
    })
    const init = { method: 'POST', body: openai, headers: { 'content-type': 'application/json' } }
    const other = await askWith(tokens.read, '/openai/v1/images/generations', init)
    expect(await other.json()).toMatchObject({ error: { type: 'invalid_request_error', code: 'forbidden' } })
  })
})
