// A generation says what was asked for in a form that can be asked again.
import { expect, test } from 'vitest'
import type { StoredReference } from '../../core/api.ts'
import { ask, callsOf, make, post, problemOf, prompt } from './setup/ask.ts'
import { PNG } from './setup/pictures.ts'

type Echo = Record<string, unknown> & { references: object[] }

async function upload(): Promise<StoredReference> {
  const response = await ask('/api/references', { method: 'POST', body: PNG })
  expect(response.status).toBe(201)
  return response.json()
}

test('an uploaded reference is echoed with what is known of it, and the echo makes the same picture', async () => {
  const reference = await upload()
  const words = prompt()
  const first = await make({ prompt: words, references: [{ sha256: reference.sha256 }] })
  expect(first.request.references).toEqual([reference])
  const again = await make(first.request as Echo)
  expect(again.request).toEqual(first.request)
  expect(await callsOf(words)).toHaveLength(2)
})

test('the picture of a generation is echoed under its generation, and the echo finds it again', async () => {
  const { id, image } = await make({ prompt: prompt() })
  const { sha256, mimeType, bytes } = image!
  const first = await make({ prompt: prompt(), references: [{ generation: id }] })
  expect(first.request.references).toEqual([{ generation: id, sha256, mimeType, bytes }])
  const again = await make(first.request as Echo)
  expect(again.request).toEqual(first.request)
})

test('the echo of a request is the same request: under the same key it buys nothing', async () => {
  const reference = await upload()
  const words = prompt()
  const key = { 'idempotency-key': crypto.randomUUID() }
  const { id, request } = await make({ prompt: words, references: [{ sha256: reference.sha256 }] }, key)
  const again = await post(request, key)
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(await again.json()).toMatchObject({ id })
  expect(await callsOf(words)).toHaveLength(1)
})

test('data is not taken together with another name for an image', async () => {
  const { id } = await make({ prompt: prompt() })
  const data = PNG.toBase64()
  const reference = { data, mimeType: 'image/png', generation: id }
  expect(await problemOf(await post({ prompt: prompt(), references: [reference] }))).toMatchObject({
    code: 'invalid_request',
    detail: 'references[0]: data takes its mimeType beside it, not generation',
  })
})
