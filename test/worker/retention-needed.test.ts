// Pictures that something is still to be made from stay, however old they are, and go once that has ended.
import { expect, test, vi } from 'vitest'
import type { Env } from '../../worker/env.ts'
import { indexStatement } from '../../worker/generation/listing.ts'
import { generationId } from '../../worker/generation/name.ts'
import { sweep } from '../../worker/retention/sweep.ts'
import { ask, make, picturesOf, prompt } from './setup/ask.ts'
import { deliver, held, resultsOf, sentLines } from './setup/batch.ts'
import { env } from './setup/bindings.ts'
import { plant, recordOf, wish } from './setup/objects.ts'

vi.setConfig({ testTimeout: 30_000 })

const YEAR_MS = 365 * 86_400_000

const sweepLater = () =>
  sweep({ ...env, RETAIN_PICTURES_DAYS: '30' } as Env, { now: () => Date.now() + YEAR_MS, log: () => {} })

/** A picture, once the index knows of it. */
async function made() {
  const view = await make({ prompt: prompt() })
  const status = () =>
    env.DB.prepare('SELECT status FROM generations WHERE id = ?1').bind(view.id).first('status')
  await expect.poll(status).toBe('succeeded')
  return { id: view.id, url: view.image!.url }
}

const isThere = async (id: string) => (await picturesOf(id)).length > 0

test('of a batch: by generation, by address, and those of earlier lines', async () => {
  const [byId, byUrl, free] = [await made(), await made(), await made()]
  const key = crypto.randomUUID()
  const { id, sent } = await held([
    { prompt: prompt(), key },
    { prompt: prompt(), references: [{ key }] },
    { prompt: prompt(), references: [{ generation: byId.id }] },
    { prompt: prompt(), references: [{ url: byUrl.url }] },
  ])
  await sentLines(sent, 3)
  await deliver([{ batch: id, lines: [1] }])
  await expect.poll(async () => (await resultsOf(id, 0)).length).toBe(1)
  const earlier = generationId('default', key)

  await sweepLater()
  expect(await Promise.all([byId.id, byUrl.id, earlier, free.id].map(isThere))).toEqual([
    true,
    true,
    true,
    false,
  ])

  await ask(`/api/batches/${id}/cancel`, { method: 'POST' })
  await deliver(sent)
  await expect.poll(async () => (await resultsOf(id, 0)).length).toBe(4)
  await sweepLater()
  expect(await Promise.all([byId.id, byUrl.id, earlier].map(isThere))).toEqual([false, false, false])
})

test('of a generation that waits for its turn', async () => {
  const { id } = await made()
  const { key, mimeType, bytes, sha256 } = (await recordOf(id)).attempts[0]!.ending!.picture!
  const waiting = {
    ...wish(generationId('default', crypto.randomUUID()), { prompt: prompt() }),
    inputs: [{ key, mimeType: mimeType as 'image/png', bytes, sha256 }],
  }
  await plant(waiting)
  await indexStatement(env.DB, await recordOf(waiting.id)).run()
  await sweepLater()
  expect(await isThere(id)).toBe(true)
})
