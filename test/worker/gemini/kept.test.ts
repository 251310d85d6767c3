// The provider's answer as it is kept beside the ending: told in camelCase, verbatim, and without the pixels.
import { runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { readCommit, readKept, writeCommit } from '../../../worker/generation/commit.ts'
import { generationId } from '../../../worker/generation/name.ts'
import { prompt, stored } from '../setup/ask.ts'
import { env } from '../setup/bindings.ts'
import { plant, recordOf, stub, wake, wish } from '../setup/objects.ts'
import { PNG } from '../setup/pictures.ts'
import {
  answer,
  bytesOf,
  generationOf,
  kinds,
  type Native,
  partsOf,
  send,
  standIn,
  wanting,
} from './native.ts'

afterEach(() => vi.restoreAllMocks())

describe('what a provider says beside the picture', () => {
  const data = PNG.toBase64()
  const told = {
    candidates: [
      {
        content: {
          role: 'model',
          parts: [
            { text: 'Looked it up.', thought_signature: 'Zmlyc3Q=' },
            { functionCall: { name: 'note', args: { a_b: 1 } }, thoughtSignature: 'Y2FsbA==' },
            {
              inline_data: { mime_type: 'image/png', data },
              thought_signature: `c2Vjb25k${'A'.repeat(5_000_000)}`,
            },
          ],
        },
        finish_reason: 'STOP',
        grounding_metadata: { web_search_queries: ['lamps'] },
        safety_ratings: [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'NEGLIGIBLE' }],
      },
    ],
    usage_metadata: {
      prompt_token_count: 6,
      total_token_count: 1126,
      prompt_tokens_details: [{ modality: 'TEXT', token_count: 6 }],
    },
    model_version: 'gemini-3.1-flash-image',
    response_id: 'r-1',
  }

  test('comes in camelCase, signatures verbatim, and goes back as it came', async () => {
    const provider = standIn(() => told)
    const first = await answer({ body: wanting(prompt()) })
    expect(first).toEqual({
      candidates: [
        {
          content: {
            role: 'model',
            parts: [
              {
                inlineData: { mimeType: 'image/png', data },
                thoughtSignature: `c2Vjb25k${'A'.repeat(5_000_000)}`,
              },
              { text: 'Looked it up.', thoughtSignature: 'Zmlyc3Q=' },
              { functionCall: { name: 'note', args: { a_b: 1 } }, thoughtSignature: 'Y2FsbA==' },
            ],
          },
          finishReason: 'STOP',
          groundingMetadata: { webSearchQueries: ['lamps'] },
          safetyRatings: [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'NEGLIGIBLE' }],
        },
      ],
      usageMetadata: {
        promptTokenCount: 6,
        totalTokenCount: 1126,
        promptTokensDetails: [{ modality: 'TEXT', tokenCount: 6 }],
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 747 }],
      },
      modelVersion: 'gemini-3.1-flash-image',
      responseId: 'r-1',
    })
    const model = first.candidates![0]!.content
    const contents = [
      ...(wanting('draw').contents as unknown[]),
      model,
      ...(wanting(prompt()).contents as unknown[]),
    ]
    await answer({ body: { ...wanting(''), contents } })
    expect((provider.bodies[1] as { contents: unknown[] }).contents[1]).toEqual(model)
  })

  test('is kept without the pixels, for diagnosis', async () => {
    standIn(() => told)
    const response = await send({ body: wanting(prompt()) })
    await response.body!.cancel()
    const id = response.headers.get('x-proofsheet-generation')
    const keys = await stored(`commits/${id}/`)
    expect(keys).toEqual([`commits/${id}/1.json`])
    const record = await (await env.BUCKET.get(keys[0]!))!.text()
    expect(record).not.toContain(data)
    expect(JSON.parse(record)).toMatchObject({
      verdict: { outcome: 'succeeded' },
      answer: { parts: [{}, {}, { picture: { mimeType: 'image/png' } }], responseId: 'r-1' },
    })
  })

  test('is kept also where a refusal costs nothing', async () => {
    const id = generationId('default', crypto.randomUUID())
    await plant(wish(id, { prompt: `[[fault:refused]] ${prompt()}` }))
    await runInDurableObject(stub(id), (object) => {
      const PROVIDERS = JSON.stringify({ apiyi: { chargesOnRefusal: 'no' } })
      Object.assign(object, { env: { ...env, PROVIDERS } })
    })
    await wake(id)
    expect((await recordOf(id)).attempts).toMatchObject([{ ending: { verdict: { charged: 'no' } } }])
    expect(await readKept(env.BUCKET, id, 1)).toMatchObject({ candidate: { finishReason: 'IMAGE_SAFETY' } })
  })

  test('stays out of the record of a generation that adopts it after a crash', async () => {
    const made = await send({ body: wanting(prompt()) })
    await made.body!.cancel()
    const { ending } = (await recordOf(made.headers.get('x-proofsheet-generation')!)).attempts[0]!
    const id = generationId('default', crypto.randomUUID())
    const open = { number: 1, route: 0, startedAt: 0, pictureName: 'none' }
    await plant(wish(id, { prompt: prompt() }), [open])
    await writeCommit(env.BUCKET, id, 1, ending!, { parts: [{ part: { text: 'kept' } }] })
    await wake(id)
    expect((await recordOf(id)).attempts).toEqual([{ ...open, ending }])
    expect(await readKept(env.BUCKET, id, 1)).toEqual({ parts: [{ part: { text: 'kept' } }] })
  })

  test('is left out where it is longer than what is kept, and the ending is not', async () => {
    const id = generationId('default', crypto.randomUUID())
    const made = await send({ body: wanting(prompt()) })
    await made.body!.cancel()
    const { ending } = (await recordOf(made.headers.get('x-proofsheet-generation')!)).attempts[0]!
    await writeCommit(env.BUCKET, id, 1, ending!, {
      parts: [{ part: { text: 'x'.repeat(8 * 1024 * 1024) } }],
    })
    expect(await readKept(env.BUCKET, id, 1)).toBeUndefined()
    expect(await readCommit(env.BUCKET, id, 1)).toEqual(ending)
  })

  test('makes the cost unknown when it has searched: the price of a search is', async () => {
    standIn(() => told)
    const response = await send({ body: wanting(prompt()) })
    await response.body!.cancel()
    expect(response.headers.get('x-proofsheet-cost')).toBe('unknown')
    expect((await generationOf(response)).attempts).toMatchObject([{ charged: 'yes', cost: null }])
  })

  test('is made up for where it is missing: ids, the reason, the tokens of the picture', async () => {
    standIn(() => ({ candidates: [{ content: { parts: [{ inlineData: { data } }] } }] }))
    const response = await send({ body: wanting(prompt()) })
    expect(await response.json()).toEqual({
      candidates: [
        {
          content: { role: 'model', parts: [{ inlineData: { mimeType: 'image/png', data } }] },
          finishReason: 'STOP',
        },
      ],
      usageMetadata: { candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 747 }] },
      modelVersion: 'gemini-3.1-flash-image',
      responseId: response.headers.get('x-proofsheet-generation'),
    })
  })

  test('is told from the ending where the commit record is lost', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const body = wanting(`[[fault:storyboard]] ${prompt()}`)
    const response = await send({ body, headers })
    const before = (await response.json()) as Native
    await env.BUCKET.delete(`commits/${response.headers.get('x-proofsheet-generation')}/1.json`)
    const after = await answer({ body, headers })
    expect(kinds(after)).toEqual(['picture', 'Step 1.Step 2.Step 3.', 'picture', 'picture'])
    expect(bytesOf(partsOf(after)[0])).toEqual(bytesOf(partsOf(before)[0]))
    expect(after).toMatchObject({
      candidates: [{ finishReason: 'STOP' }],
      modelVersion: before.modelVersion!,
      responseId: before.responseId!,
    })
  })
})
