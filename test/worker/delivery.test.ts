// Which picture of an answer is delivered, under what type and at what cost, and that it alone is left in the bucket.
import { describe, expect, test, vi } from 'vitest'
import { askAs, callsOf, make, picturesOf, prompt } from './setup/ask.ts'
import { env } from './setup/bindings.ts'
import { sha256 } from './setup/pictures.ts'

const keyOf = (image: { url: string }) => `pictures/${new URL(image.url).pathname.split('/').at(-1)}`

describe('a paid answer with a picture succeeds, and leaves nothing but what it delivers', () => {
  test.concurrent.for([
    ['as documented', '', 'image/jpeg'],
    ['with the type first', '[[fault:mime-first]]', 'image/jpeg'],
    ['with the data first', '[[fault:data-first]]', 'image/jpeg'],
    ['with escapes and line breaks in its Base64', '[[fault:escaped]]', 'image/jpeg'],
    ['with escapes and the data first', '[[fault:escaped]] [[fault:data-first]]', 'image/jpeg'],
    ['called by the type of another', '[[fault:mislabelled]]', 'image/png'],
    ['after flagged thoughts', '[[fault:thoughts]]', 'image/jpeg'],
    ['after drafts that are not flagged', '[[fault:drafts]]', 'image/jpeg'],
    ['above one part', '[[fault:big bytes=5500000]]', 'image/png'],
    ['of 20 MB', '[[fault:big bytes=20000000]]', 'image/png'],
  ] as const)('%s', async ([, fault, mimeType]) => {
    const words = prompt()
    const view = await make({ prompt: `${fault} ${words}` })
    expect(view).toMatchObject({ status: 'succeeded', error: null, moreImages: [] })
    expect(view.image).toMatchObject({ mimeType, width: 512, height: 512 })
    expect(view.cost).toMatchObject({ estimated: 0.055, actual: 0.055, difference: 0 })
    expect(view.attempts).toMatchObject([
      { outcome: 'succeeded', charged: 'yes', cost: 0.055, message: null },
    ])
    expect(await picturesOf(view.id)).toEqual([keyOf(view.image!)])
    const served = await askAs(new URL(view.image!.url).pathname)
    expect(served.headers.get('content-type')).toBe(mimeType)
    expect(sha256(new Uint8Array(await served.arrayBuffer()))).toBe(view.image!.sha256)
    expect(await callsOf(words)).toHaveLength(1)
  })

  test.concurrent('the last picture is the result, not a draft', async () => {
    const words = prompt()
    const plain = await make({ prompt: words, seed: 7 })
    for (const fault of ['thoughts', 'drafts'])
      expect((await make({ prompt: `[[fault:${fault}]] ${words}`, seed: 7 })).image!.sha256).toBe(
        plain.image!.sha256,
      )
  })

  test.concurrent('pictures with text between them are all delivered', async () => {
    const words = prompt()
    const view = await make({ prompt: `[[fault:storyboard]] ${words}` })
    expect(view).toMatchObject({
      status: 'succeeded',
      cost: { actual: 0.055 },
      text: 'Step 1.Step 2.Step 3.',
    })
    expect(view.moreImages).toHaveLength(2)
    const all = [view.image!, ...view.moreImages]
    expect(new Set(all.map((image) => image.sha256)).size).toBe(3)
    expect((await picturesOf(view.id)).sort()).toEqual(all.map(keyOf).sort())
    for (const { url } of all) expect((await askAs(new URL(url).pathname)).status).toBe(200)
  })

  test.concurrent('by tokens each draft is paid', async () => {
    const words = prompt()
    const view = await make({ prompt: `[[fault:drafts]] ${words}`, provider: 'google' })
    expect(view.usage).toMatchObject({
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 3 * 747 }],
    })
    expect(view.cost.actual).toBeGreaterThan((3 * 747 * 60) / 1e6)
    // Two more than were expected, at $60 a million; the words beside them were estimated at 250 tokens, at $3.
    expect(view.cost.difference).toBeGreaterThan((2 * 747 * 60 - 250 * 3) / 1e6)
  })

  test.concurrent('words beside the picture are kept', async () => {
    const view = await make({ prompt: prompt(), modalities: ['TEXT', 'IMAGE'] })
    expect(view).toMatchObject({ status: 'succeeded', text: 'Here is the picture you asked for.' })
  })
})

test('a picture that is answered as an address is fetched and stored; the link is not handed on', async () => {
  const platformFetch = globalThis.fetch
  const host = 'https://proofs.oss-us-west-1.aliyuncs.com'
  const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = String(input)
    if (url.startsWith(host)) return platformFetch(url.replace(host, env.EMULATOR))
    const response = await platformFetch(input, init)
    if (!url.includes(':generateContent')) return response
    return new Response((await response.text()).replaceAll(env.EMULATOR, host))
  })
  try {
    const words = prompt()
    const view = await make({ prompt: `[[fault:url-answer]] ${words}` })
    expect(view).toMatchObject({
      status: 'succeeded',
      text: null,
      image: { mimeType: 'image/jpeg', width: 512 },
    })
    expect(view.cost.actual).toBe(0.055)
    expect(JSON.stringify(view)).not.toContain('aliyuncs')
    expect(await picturesOf(view.id)).toEqual([keyOf(view.image!)])
    expect(await callsOf(words)).toHaveLength(1)
  } finally {
    fetched.mockRestore()
  }
})
