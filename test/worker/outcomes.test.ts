// What a generation says of every way in which a provider gives no picture: its status, the money, and that nothing is left in
// the bucket. Calls are counted at the emulator.
import { describe, expect, test, vi } from 'vitest'
import type { GenerationView } from '../../core/api.ts'
import { generationId } from '../../worker/generation/name.ts'
import { callsOf, make, picturesOf, prompt } from './setup/ask.ts'
import { plant, recordOf, wake, wish } from './setup/objects.ts'

const NO_PICTURE = { image: null, moreImages: [] }

type Expected = {
  status: GenerationView['status']
  code: NonNullable<GenerationView['error']>['code']
  charged: 'no' | 'yes' | 'unknown'
  actual: number | null
  message: RegExp
}
const paid = { charged: 'yes', actual: 0.055 } as const
const unknown = { status: 'uncertain', charged: 'unknown', actual: null } as const

describe('an answer without a picture ends the generation after one call, and says what became of the money', () => {
  const rows: [string, string, object, Expected][] = [
    [
      'refused',
      '[[fault:refused]]',
      {},
      { status: 'refused', code: 'refused', ...paid, message: /^IMAGE_SAFETY: Unable to show/ },
    ],
    [
      'blocked',
      '[[fault:blocked-prompt]]',
      {},
      { status: 'refused', code: 'refused', ...paid, message: /^PROHIBITED_CONTENT: / },
    ],
    [
      'nothing drawn',
      '[[fault:no-image]]',
      {},
      { status: 'failed', code: 'no_image', ...paid, message: /^NO_IMAGE: Unable to show/ },
    ],
    [
      'words',
      '[[fault:text-only]]',
      {},
      { status: 'failed', code: 'no_image', ...paid, message: /^I cannot draw that/ },
    ],
    [
      'refused by a provider that does not say whether it charges',
      '[[fault:refused]]',
      { provider: 'google' },
      { status: 'refused', code: 'refused', charged: 'unknown', actual: null, message: /^IMAGE_SAFETY/ },
    ],
    ['cut off', '[[fault:cut]]', {}, { ...unknown, code: 'cut_off', message: /broke off|ended after/ }],
    [
      'connection lost',
      '[[fault:reset]]',
      {},
      { ...unknown, code: 'cut_off', message: /^the connection to apiyi broke/ },
    ],
    [
      'an error page',
      '[[fault:html]]',
      {},
      { ...unknown, code: 'provider_error', message: /^apiyi answered 502: 502 Bad Gateway/ },
    ],
    [
      'a 500 of a relay',
      '[[fault:internal]]',
      {},
      { ...unknown, code: 'provider_error', message: /^An internal error/ },
    ],
    [
      'an error inside a 200',
      '[[fault:error-in-200]]',
      {},
      { ...unknown, code: 'provider_error', message: /overloaded/ },
    ],
    [
      'a quota of the day',
      '[[fault:daily-quota]]',
      {},
      {
        status: 'failed',
        code: 'quota_exhausted',
        charged: 'no',
        actual: 0,
        message: /^You exceeded your current quota/,
      },
    ],
    [
      'a key that is refused',
      '',
      { provider: 'locked' },
      { status: 'failed', code: 'unauthorised', charged: 'no', actual: 0, message: /^API key not valid/ },
    ],
  ]
  test.concurrent.for(rows)('%s', async ([, fault, asked, expected]) => {
    const words = prompt()
    const view = await make({ prompt: `${fault} ${words}`, ...asked })
    const { status, code, charged, actual, message } = expected
    expect(view).toMatchObject({ status, ...NO_PICTURE, cost: { actual } })
    expect(view.error).toEqual({ code, message: expect.stringMatching(message) })
    expect(view.attempts).toMatchObject([{ outcome: code, charged, cost: actual }])
    expect(view.finishedAt).not.toBeNull()
    expect(await picturesOf(view.id)).toEqual([])
    // A key that is refused is refused before the prompt is read.
    if (code !== 'unauthorised') expect(await callsOf(words)).toHaveLength(1)
  })

  test('three bytes are no picture, though the provider will hardly take them back', async () => {
    const view = await make({ prompt: `[[fault:tiny]] ${prompt()}` })
    expect(view).toMatchObject({ status: 'uncertain', ...NO_PICTURE, error: { code: 'malformed' } })
    expect(view.attempts).toMatchObject([{ charged: 'unknown', cost: null }])
    expect(await picturesOf(view.id)).toEqual([])
  })

  test('cut off after a picture that arrived whole it keeps that picture, and is uncertain all the same', async () => {
    const words = prompt()
    const view = await make({ prompt: `[[fault:drafts]] [[fault:cut at=0.8]] ${words}` })
    expect(view).toMatchObject({ status: 'uncertain', error: { code: 'cut_off' }, cost: { actual: null } })
    expect(view.image).toMatchObject({ width: 512, height: 512 })
    expect(view.moreImages).toHaveLength(1)
    expect(await picturesOf(view.id)).toHaveLength(2)
    expect(await callsOf(words)).toHaveLength(1)
  })

  test('no answer in time may have been charged, and is not asked for again', async () => {
    const { timeout } = AbortSignal
    const asked = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout.call(AbortSignal, 300))
    try {
      const words = prompt()
      const view = await make({ prompt: `[[fault:hang]] ${words}` })
      expect(view).toMatchObject({ status: 'uncertain', ...NO_PICTURE, error: { code: 'timed_out' } })
      expect(view.attempts).toMatchObject([{ charged: 'unknown', cost: null }])
      expect(asked).toHaveBeenCalledWith(300_000)
      expect(await callsOf(words)).toHaveLength(1)
    } finally {
      asked.mockRestore()
    }
  })
})

describe('what has changed since the request was accepted is found before anything is sent', () => {
  const gone = '0'.repeat(64)
  const input = { sha256: gone, mimeType: 'image/png', bytes: 9, key: `references/default/${gone}` } as const
  test.for([
    [
      'a reference that was deleted',
      { inputs: [input] },
      `reference ${gone} is not stored any more; upload it again`,
    ],
    [
      'a provider that was taken away',
      { routes: [{ provider: 'acme', model: 'gemini-3.1-flash-image' }] },
      'acme does not sell gemini-3.1-flash-image here any more',
    ],
  ] as const)('%s', async ([, changes, message]) => {
    const id = generationId('default', crypto.randomUUID())
    const words = prompt()
    await plant({ ...wish(id, { prompt: words }), ...changes })
    await wake(id)
    const record = await recordOf(id)
    expect(record.status).toBe('failed')
    expect(record.attempts).toMatchObject([
      { ending: { verdict: { outcome: 'rejected', charged: 'no', message }, costMicroUsd: 0 } },
    ])
    expect(await callsOf(words)).toEqual([])
  })
})
