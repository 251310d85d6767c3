// Streamed chats: the order of the chunks, the picture in one of them, usage where it is asked for, and errors that come
// when the status has long been sent.
import { describe, expect, test } from 'vitest'
import { callsOf, prompt } from '../setup/ask.ts'
import { recordOf } from '../setup/objects.ts'
import { chat, errorOf, pictureAt, user } from './talk.ts'

type Chunk = {
  id: string
  object: string
  choices: { delta: Record<string, unknown>; finish_reason: string | null }[]
  usage?: { total_tokens: number } | null
  error?: { code: string; message: string }
  proofsheet?: { generation: string; charged: string }
}

/** The events of a stream, parsed; the last is `[DONE]`. */
async function eventsOf(response: Response): Promise<Chunk[]> {
  const text = await response.text()
  const lines = text.split('\n\n').filter((event) => event.startsWith('data: '))
  expect(lines.at(-1)).toBe('data: [DONE]')
  return lines.slice(0, -1).map((line) => JSON.parse(line.slice(6)))
}

const deltas = (chunks: readonly Chunk[]) => chunks.map((chunk) => chunk.choices[0]?.delta)

describe('a stream', () => {
  test('begins with the role, holds the picture whole, and ends with the reason', async () => {
    const words = prompt()
    const response = await chat({ messages: [user(words)], modalities: ['image'], stream: true })
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ])
    const chunks = await eventsOf(response)
    const { images } = deltas(chunks)[1] as { images: { image_url: { url: string } }[] }
    expect(deltas(chunks)).toEqual([{ role: 'assistant', content: '' }, { images }, {}])
    expect(chunks.map((chunk) => chunk.choices[0]!.finish_reason)).toEqual([null, null, 'stop'])
    expect(new Set(chunks.map((chunk) => `${chunk.id} ${chunk.object}`)).size).toBe(1)
    const { attempts } = await recordOf(response.headers.get('x-proofsheet-generation')!)
    const { key } = attempts[0]!.ending!.picture!
    const { mimeType, base64 } = await pictureAt(key)
    expect(images[0]!.image_url.url).toBe(`data:${mimeType};base64,${base64}`)
    expect(await callsOf(words)).toHaveLength(1)
  })

  test('says at once that nobody should repeat it, and nothing of a cost that is not known yet', async () => {
    const response = await chat({ messages: [user(prompt())], stream: true })
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.get('x-proofsheet-generation')).toMatch(/^gen_/)
    expect(response.headers.has('x-proofsheet-cost')).toBe(false)
    expect(response.headers.has('x-proofsheet-charged')).toBe(false)
    await response.text()
  })

  test('for a client that only reads text has the address among the words', async () => {
    const chunks = await eventsOf(await chat({ messages: [user(prompt())], stream: true }))
    const { images } = deltas(chunks)[2] as { images: { image_url: { url: string } }[] }
    expect((deltas(chunks)[1] as { content: string }).content).toContain(
      `![image](${images[0]!.image_url.url})`,
    )
  })

  test('ends with its usage when that is asked for', async () => {
    const stream_options = { include_usage: true }
    const chunks = await eventsOf(await chat({ messages: [user(prompt())], stream: true, stream_options }))
    expect(chunks.at(-1)).toMatchObject({ choices: [], proofsheet: { charged: 'yes' } })
    expect(chunks.at(-1)!.usage!.total_tokens).toBeGreaterThan(0)
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe('stop')
  })

  test('of a refusal explains it and ends as filtered', async () => {
    const chunks = await eventsOf(
      await chat({ messages: [user(`[[fault:refused]]${prompt()}`)], stream: true }),
    )
    expect((deltas(chunks)[1] as { content: string }).content).toContain('it violated the safety policy')
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('content_filter')
  })

  test('tells what goes wrong after it began', async () => {
    const words = prompt()
    const response = await chat({ messages: [user(`[[fault:reset]]${words}`)], stream: true })
    const chunks = await eventsOf(response)
    expect([response.status, chunks.length]).toEqual([200, 2])
    expect(chunks[1]!.error).toMatchObject({ code: 'cut_off', type: 'server_error', param: null })
    expect(await callsOf(words)).toHaveLength(1)
  })

  test('is an ordinary error when it cannot begin', async () => {
    const response = await chat({ messages: [], stream: true })
    expect([response.status, (await errorOf(response)).param]).toEqual([400, 'messages'])
  })
})
