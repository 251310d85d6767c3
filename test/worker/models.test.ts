// The catalogue of what can be made here, by whom and for how much.
import { expect, test } from 'vitest'
import { ModelsSchema } from '../../core/api.ts'
import { ask } from './setup/ask.ts'

test('the catalogue names every configured provider with its dated price', async () => {
  const response = await ask('/api/models')
  expect(response.status).toBe(200)
  const catalogue = ModelsSchema.parse(await response.json())
  expect(catalogue).toMatchObject({ emulated: false, defaultProvider: null })
  const pro = catalogue.models.find((model) => model.id === 'gemini-3-pro-image')!
  expect(pro).toMatchObject({
    short: 'nano-banana-pro',
    aliases: ['gemini-3-pro-image-preview'],
    sizes: ['1K', '2K', '4K'],
    references: { max: 14, maxBytes: 7_340_032 },
  })
  expect(pro.providers).toMatchObject([
    { id: 'google', wireId: 'gemini-3-pro-image', checkedOn: '2026-10-07' },
    {
      id: 'apiyi',
      wireId: 'gemini-3-pro-image-preview',
      price: { unit: 'request', usd: 0.09 },
      perPicture: { '1K': 0.09, '2K': 0.09, '4K': 0.09 },
    },
    { id: 'tokaify', price: null, perPicture: { '1K': null, '2K': null, '4K': null } },
  ])
})

test('a relay of the operator stands in the catalogue with its own price', async () => {
  const { models } = ModelsSchema.parse(await (await ask('/api/models')).json())
  const sellers = models.find((model) => model.short === 'nano-banana-2')!.providers
  expect(sellers.find(({ id }) => id === 'locked')).toMatchObject({
    wireId: 'gemini-3.1-flash-image',
    price: { unit: 'request', usd: 0.03 },
    source: 'PROVIDERS of this deployment',
  })
})

test('a provider without a key is listed as not configured', async () => {
  const response = await ask('/api/models', {}, { TOKAIFY_API_KEY: '' })
  const { providers } = ModelsSchema.parse(await response.json())
  const configured = Object.fromEntries(providers.map((each) => [each.id, each.configured]))
  expect(configured).toMatchObject({ google: true, apiyi: true, tokaify: false, locked: true, silent: true })
})

test('a worker without keys says that its pictures are emulated', async () => {
  const without = {
    GOOGLE_API_KEY: '',
    APIYI_API_KEY: '',
    TOKAIFY_API_KEY: '',
    PROVIDERS: '',
    EMULATOR_URL: 'http://127.0.0.1',
  }
  expect(await (await ask('/api/models', {}, without)).json()).toMatchObject({ emulated: true })
})
