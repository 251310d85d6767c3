// One workspace never sees, replays, cancels or uses what is another's: every call of the contract has its row here, so
// that a new one cannot be forgotten.
import { describe, expect, test } from 'vitest'
import type { EstimateView, GenerationView } from '../../core/api.ts'
import type { CONTRACT } from '../../core/contract.ts'
import { ask, callsOf, chargesOf, problemOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { PNG, sha256 } from './setup/pictures.ts'
import { askWith, makeToken, postWith } from './setup/tokens.ts'

const SCOPES = ['generate', 'read', 'admin'] as const
const ours = (await makeToken({ workspace: 'ours', scopes: [...SCOPES] })).token
// A colleague with a token of its own shares what was bought.
const colleague = (await makeToken({ workspace: 'ours', scopes: [...SCOPES] })).token
const theirs = (await makeToken({ workspace: 'theirs', scopes: [...SCOPES] })).token

const key = () => ({ 'idempotency-key': crypto.randomUUID() })

async function madeBy(token: string, words = prompt(), headers = key()): Promise<GenerationView> {
  const response = await postWith(token, { prompt: words }, headers)
  expect(response.status).toBe(201)
  return response.json()
}

/** An image that no other test stores: what follows a PNG's end belongs to it. */
function image() {
  const bytes = new Uint8Array([...PNG, ...crypto.getRandomValues(new Uint8Array(16))])
  return { bytes, digest: sha256(bytes) }
}

const storedBy = (token: string, body: Uint8Array<ArrayBuffer>) =>
  askWith(token, '/api/references', { method: 'POST', body })

async function batchBy(token: string, headers = key()): Promise<Response> {
  const line = { model: 'nano-banana-2', provider: 'apiyi', size: '512', prompt: prompt() }
  const body = JSON.stringify({ requests: [line] })
  return askWith(token, '/api/batches', { method: 'POST', body, headers })
}

/** A call that finds what is `ours` for us and our colleague, and nothing for them. */
async function onlyOurs(path: string, init: RequestInit = {}): Promise<void> {
  const response = await askWith(theirs, path, init)
  expect(response.status).toBe(404)
  expect(await problemOf(response)).toMatchObject({ code: 'not_found', charged: 'no' })
  expect((await askWith(colleague, path, init)).status).not.toBe(404)
}

type Row = Exclude<keyof typeof CONTRACT, 'readImage' | 'health' | 'models'>

const ROWS: Record<Row, () => Promise<void>> = {
  // The same key is another generation there, and is bought there.
  async makeGeneration() {
    const [words, headers] = [prompt(), key()]
    const own = await madeBy(ours, words, headers)
    const other = await madeBy(theirs, words, headers)
    expect(other.id).not.toBe(own.id)
    expect(other.image!.url).not.toBe(own.image!.url)
    expect(await callsOf(words)).toHaveLength(2)
    const again = await postWith(colleague, { prompt: words }, headers)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await again.json()).toMatchObject({ id: own.id })
    expect(await callsOf(words)).toHaveLength(2)
  },
  async listGenerations() {
    const { id } = await madeBy(ours)
    const listedBy = async (token: string) =>
      JSON.stringify(await (await askWith(token, '/api/generations?limit=100')).json())
    expect(await listedBy(colleague)).toContain(id)
    expect(await listedBy(theirs)).not.toContain(id)
  },
  async readGeneration() {
    await onlyOurs(`/api/generations/${(await madeBy(ours)).id}`)
  },
  async cancelGeneration() {
    await onlyOurs(`/api/generations/${(await madeBy(ours)).id}/cancel`, { method: 'POST' })
  },
  async makeBatch() {
    const headers = key()
    const [own, other] = [await batchBy(ours, headers), await batchBy(theirs, headers)]
    expect([own.status, other.status]).toEqual([201, 201])
    expect(((await own.json()) as { id: string }).id).not.toBe(((await other.json()) as { id: string }).id)
  },
  async listBatches() {
    const { id } = (await (await batchBy(ours)).json()) as { id: string }
    const listedBy = async (token: string) => (await askWith(token, '/api/batches')).text()
    expect(await listedBy(colleague)).toContain(id)
    expect(await listedBy(theirs)).not.toContain(id)
  },
  async readBatch() {
    const { id } = (await (await batchBy(ours)).json()) as { id: string }
    await onlyOurs(`/api/batches/${id}`)
  },
  async batchResults() {
    const { id } = (await (await batchBy(ours)).json()) as { id: string }
    await onlyOurs(`/api/batches/${id}/results`)
  },
  async cancelBatch() {
    const { id } = (await (await batchBy(ours)).json()) as { id: string }
    await onlyOurs(`/api/batches/${id}/cancel`, { method: 'POST' })
  },
  async usage() {
    const lonely = (await makeToken({ workspace: 'lonely' })).token
    await madeBy(ours)
    expect(await (await askWith(lonely, '/api/usage')).json()).toMatchObject({
      rows: [],
      total: { attempts: 0 },
    })
  },
  async makeToken() {
    const body = JSON.stringify({ name: 'x', workspace: 'ours' })
    const response = await askWith(theirs, '/api/tokens', { method: 'POST', body })
    expect(await problemOf(response)).toMatchObject({ code: 'forbidden' })
  },
  async listTokens() {
    const { id } = await makeToken({ workspace: 'ours' })
    expect(await (await askWith(colleague, '/api/tokens')).text()).toContain(id)
    expect(await (await askWith(theirs, '/api/tokens')).text()).not.toContain(id)
  },
  async revokeToken() {
    const { id, token } = await makeToken({ workspace: 'ours' })
    const init = { method: 'DELETE' }
    const response = await askWith(theirs, `/api/tokens/${id}`, init)
    expect(await problemOf(response)).toMatchObject({ code: 'not_found' })
    expect((await askWith(token, '/api/models')).status).toBe(200)
    expect((await askWith(colleague, `/api/tokens/${id}`, init)).status).toBe(200)
  },
  async storeReference() {
    const { bytes, digest } = image()
    expect((await storedBy(ours, bytes)).status).toBe(201)
    expect((await askWith(theirs, `/api/references/${digest}`, { method: 'HEAD' })).status).toBe(404)
    // A picture cannot be made of it either.
    const asked = { prompt: prompt(), references: [{ sha256: digest }] }
    const refused = await problemOf(await postWith(theirs, asked))
    expect(refused).toMatchObject({ code: 'reference_not_found', charged: 'no' })
    expect(await callsOf(asked.prompt)).toEqual([])
  },
  // Nobody learns from an upload what others have uploaded.
  async putReference() {
    const { bytes, digest } = image()
    await storedBy(ours, bytes)
    const put = (token: string) => askWith(token, `/api/references/${digest}`, { method: 'PUT', body: bytes })
    expect((await put(colleague)).status).toBe(200)
    expect((await put(theirs)).status).toBe(201)
  },
  async readReference() {
    const { bytes, digest } = image()
    await storedBy(ours, bytes)
    await onlyOurs(`/api/references/${digest}`)
  },
  async estimate() {
    const headers = key()
    await madeBy(ours, prompt(), headers)
    const body = JSON.stringify({ model: 'nano-banana-2', prompt: 'x', key: headers['idempotency-key'] })
    const existing = async (token: string) => {
      const response = await askWith(token, '/api/estimate', { method: 'POST', body })
      return ((await response.json()) as EstimateView).requests[0]!.existing
    }
    expect(await existing(colleague)).not.toBeNull()
    expect(await existing(theirs)).toBeNull()
  },
}

test.for(Object.entries(ROWS))('%s', ([, row]) => row())

describe('what is another workspace’s is not', () => {
  test('a reference: the picture of a generation', async () => {
    const { id } = await madeBy(ours)
    const asked = { prompt: prompt(), references: [{ generation: id }] }
    const refused = await problemOf(await postWith(theirs, asked))
    expect(refused).toMatchObject({ code: 'reference_not_found' })
    expect(await callsOf(asked.prompt)).toEqual([])
    expect((await postWith(colleague, asked)).status).toBe(201)
  })

  test('given again by the retry shield', async () => {
    const words = `[[fault:refused]] ${prompt()}`
    const first = (await (await postWith(ours, { prompt: words })).json()) as GenerationView
    const again = await postWith(colleague, { prompt: words })
    expect(await again.json()).toMatchObject({ id: first.id, status: 'refused' })
    expect(await callsOf(words)).toHaveLength(1)
    const other = (await (await postWith(theirs, { prompt: words })).json()) as GenerationView
    expect(other.id).not.toBe(first.id)
    expect(await chargesOf(words)).toHaveLength(2)
  })

  test.for<[string, (words: string) => unknown]>([
    [
      '/v1beta/models/gemini-3.1-flash-image:generateContent',
      (text) => ({ contents: [{ parts: [{ text }] }] }),
    ],
    ['/openai/v1/images/generations', (words) => ({ model: 'nano-banana-2', prompt: words, n: 1 })],
    [
      '/openai/v1/chat/completions',
      (content) => ({ model: 'nano-banana-2', messages: [{ role: 'user', content }] }),
    ],
  ])('replayed by %s under the same key', async ([path, body]) => {
    const words = prompt()
    const headers = { ...key(), 'content-type': 'application/json' }
    const init = { method: 'POST', body: JSON.stringify(body(words)), headers }
    const asked = async (token: string) => {
      const response = await askWith(token, path, init)
      expect(response.status).toBe(200)
      await response.body?.cancel()
      return response.headers
    }
    const [first, again, other] = [await asked(ours), await asked(colleague), await asked(theirs)]
    expect(again.get('idempotent-replayed')).toBe('true')
    expect(other.get('idempotent-replayed')).toBeNull()
    expect(other.get('x-proofsheet-generation')).not.toBe(first.get('x-proofsheet-generation'))
    expect(await callsOf(words)).toHaveLength(2)
  })
})

test('a generation says which token asked for it', async () => {
  const { id, token } = await makeToken({ workspace: 'ours' })
  expect(await madeBy(token)).toMatchObject({ token: id })
})

test('what the emulator draws is kept apart from what is bought, for every token', async () => {
  const { id } = await madeBy(ours)
  const keyless = {
    ...{ GOOGLE_API_KEY: '', APIYI_API_KEY: '', TOKAIFY_API_KEY: '', PROVIDERS: '' },
    EMULATOR_URL: env.EMULATOR,
  }
  const path = `/api/generations/${id}`
  expect((await askWith(ours, path, {}, keyless)).status).toBe(404)
  expect((await askWith(ours, path)).status).toBe(200)
})

describe('?workspace=', () => {
  const lists = ['/api/usage', '/api/generations', '/api/batches']
  const read = async (response: Response) => {
    expect(response.status).toBe(200)
    return response.json()
  }

  test.for(lists)('of %s shows ADMIN_TOKEN what a token of that workspace sees', async (path) => {
    await madeBy(ours)
    await batchBy(ours)
    const own = await read(await askWith(ours, path))
    expect(await read(await ask(`${path}?workspace=ours`))).toEqual(own)
    expect(await read(await ask(path))).not.toEqual(own)
    expect(await read(await askWith(ours, `${path}?workspace=ours`))).toEqual(own)
  })

  test.for(lists)('of %s is refused to a token of another workspace', async (path) => {
    const response = await askWith(theirs, `${path}?workspace=ours`)
    expect(response.status).toBe(403)
    expect(await problemOf(response)).toMatchObject({
      code: 'forbidden',
      detail: expect.stringContaining('sees the workspace theirs only'),
    })
  })
})
