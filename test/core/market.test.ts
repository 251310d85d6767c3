// What a deployment sells, from the variables it is given.
import { describe, expect, test } from 'vitest'
import {
  ConfigurationError,
  keyVariableOf,
  type MarketVariables,
  marketOf,
  withPrices,
} from '../../core/market.ts'
import { findModel } from '../../core/models.ts'

const PRO = findModel('nano-banana-pro')!.id
const NB2 = findModel('nano-banana-2')!.id
const EMULATOR = 'http://127.0.0.1:4000'

const sellerOf = (variables: MarketVariables, id: string) =>
  marketOf(variables).sellers.find((seller) => seller.id === id)!

const providers = (value: unknown) => ({ PROVIDERS: JSON.stringify(value) })

describe('keys and the emulator', () => {
  test.for<[string, MarketVariables, string[], boolean]>([
    ['nothing is configured without a key', {}, [], false],
    ['one key is one seller', { APIYI_API_KEY: 'k' }, ['apiyi'], false],
    ['an empty key is none', { APIYI_API_KEY: '' }, [], false],
    ['a key that is no text is none', { APIYI_API_KEY: 7 }, [], false],
    [
      'several keys are several sellers, in the order of the table',
      { TOKAIFY_API_KEY: 'k', GOOGLE_API_KEY: 'k' },
      ['google', 'tokaify'],
      false,
    ],
    [
      'the emulator stands in for all where no key is',
      { EMULATOR_URL: EMULATOR },
      ['google', 'apiyi', 'tokaify'],
      true,
    ],
    ['one key, and the emulator is out', { EMULATOR_URL: EMULATOR, APIYI_API_KEY: 'k' }, ['apiyi'], false],
  ])('%s', ([, variables, configured, emulated]) => {
    const market = marketOf(variables)
    expect(market.sellers.map((s) => s.id)).toEqual(['google', 'apiyi', 'tokaify'])
    expect(market.sellers.filter((s) => s.configured).map((s) => s.id)).toEqual(configured)
    expect(market.emulated).toBe(emulated)
  })

  test.for([
    ['google', 'https://generativelanguage.googleapis.com', 'x-goog-api-key', 'systemInstruction'],
    ['apiyi', 'https://api.apiyi.com', 'bearer', 'model-turn'],
    ['tokaify', 'https://api.tokaify.com', 'bearer', 'systemInstruction'],
  ] as const)('%s is reached at %s with %s', ([id, baseUrl, auth, system]) => {
    expect(sellerOf({}, id)).toMatchObject({ baseUrl, auth, system })
    expect(sellerOf({ EMULATOR_URL: EMULATOR }, id)).toMatchObject({
      baseUrl: `${EMULATOR}/${id}`,
      auth,
      system,
    })
  })

  test.for([
    ['google', { [PRO]: 'gemini-3-pro-image', [NB2]: 'gemini-3.1-flash-image' }, 5, 'unknown'],
    ['apiyi', { [PRO]: 'gemini-3-pro-image-preview', [NB2]: 'gemini-3.1-flash-image-preview' }, 4, 'yes'],
    ['tokaify', { [PRO]: 'gemini-3-pro-image-preview' }, 1, 'unknown'],
  ] as const)(
    '%s has wire ids of its own and its habit of billing refusals',
    ([id, wire, count, chargesOnRefusal]) => {
      const seller = sellerOf({}, id)
      expect(seller).toMatchObject({ wire, chargesOnRefusal })
      expect(Object.keys(seller.wire)).toHaveLength(count)
    },
  )

  test('the emulator asks list prices, and its address may end in a slash', () => {
    const seller = sellerOf({ EMULATOR_URL: `${EMULATOR}/` }, 'apiyi')
    expect(seller.baseUrl).toBe(`${EMULATOR}/apiyi`)
    expect(seller.prices[PRO]).toMatchObject({ unit: 'request', microUsd: 90_000 })
  })

  test('<ID>_BASE_URL says where a provider is reached, without its last slash', () => {
    const variables = { GOOGLE_API_KEY: 'k', GOOGLE_BASE_URL: 'https://proxy.example/google/' }
    expect(sellerOf(variables, 'google').baseUrl).toBe('https://proxy.example/google')
    expect(sellerOf(variables, 'apiyi').baseUrl).toBe('https://api.apiyi.com')
  })
})

describe('PROVIDERS adds', () => {
  const third = {
    baseUrl: 'https://relay.example/',
    wire: { 'gemini-3-pro-image-preview': 'g3-pro', 'nano-banana-2': 'g31-flash' },
    prices: { 'nano-banana-pro': { perRequest: 0.08 } },
    maxTemperature: 1,
    keyVariable: 'THIRD_SECRET',
  }

  test('a relay with its address, wire ids, prices and key, under canonical model ids', () => {
    const variables = { ...providers({ third }), THIRD_SECRET: 'k', APIYI_API_KEY: 'k' }
    const market = marketOf(variables)
    expect(market.sellers.map((s) => s.id)).toEqual(['google', 'apiyi', 'tokaify', 'third'])
    expect(sellerOf(variables, 'third')).toEqual({
      id: 'third',
      name: 'third',
      baseUrl: 'https://relay.example',
      auth: 'bearer',
      system: 'systemInstruction',
      wire: { [PRO]: 'g3-pro', [NB2]: 'g31-flash' },
      prices: {
        [PRO]: {
          provider: 'third',
          model: PRO,
          source: 'PROVIDERS of this deployment',
          unit: 'request',
          microUsd: 80_000,
        },
      },
      chargesOnRefusal: 'unknown',
      freeStatuses: [429, 503],
      maxRequestBytes: 100 * 1024 * 1024,
      fileUri: false,
      concurrency: 64,
      maxTemperature: 1,
      configured: true,
    })
  })

  test('a relay whose key is <ID>_API_KEY when it names none', () => {
    const variables = {
      ...providers({ 'my-relay': { baseUrl: 'https://r.example' } }),
      MY_RELAY_API_KEY: 'k',
    }
    expect(sellerOf(variables, 'my-relay').configured).toBe(true)
    expect(keyVariableOf('my-relay', variables)).toBe('MY_RELAY_API_KEY')
    expect(keyVariableOf('google', variables)).toBe('GOOGLE_API_KEY')
    expect(keyVariableOf('third', providers({ third }))).toBe('THIRD_SECRET')
  })

  test('the same relay twice, with different keys and prices', () => {
    const relay = { baseUrl: 'https://api.apiyi.com', wire: { [NB2]: 'gemini-3.1-flash-image-preview' } }
    const tokens = { inputPerMillion: 0.18, textPerMillion: 21.6, imagePerMillion: 21.6 }
    const variables = {
      ...providers({
        'apiyi-tokens': { ...relay, prices: { [NB2]: tokens } },
        'apiyi-oss': { ...relay, prices: { [NB2]: { perRequest: 0.044 } }, pictureUrlHost: 'aliyuncs.com' },
      }),
      APIYI_TOKENS_API_KEY: 'a',
      APIYI_OSS_API_KEY: 'b',
    }
    const [byTokens, oss] = ['apiyi-tokens', 'apiyi-oss'].map((id) => sellerOf(variables, id))
    expect([byTokens!.baseUrl, byTokens!.wire]).toEqual([oss!.baseUrl, oss!.wire])
    expect([byTokens!.configured, oss!.configured]).toEqual([true, true])
    expect(byTokens!.prices[NB2]).toMatchObject({ unit: 'token', imagePerMillion: 21_600_000 })
    expect(oss!.prices[NB2]).toMatchObject({ unit: 'request', microUsd: 44_000 })
    expect(keyVariableOf('apiyi-tokens', variables)).not.toBe(keyVariableOf('apiyi-oss', variables))
  })

  test('a relay that only the environment gives an address', () => {
    const variables = { ...providers({ third: {} }), THIRD_BASE_URL: 'https://there.example' }
    expect(sellerOf(variables, 'third').baseUrl).toBe('https://there.example')
  })

  test('a relay without an address where the emulator stands in', () => {
    const variables = { ...providers({ third: {} }), EMULATOR_URL: EMULATOR }
    expect(sellerOf(variables, 'third')).toMatchObject({ baseUrl: `${EMULATOR}/third`, configured: true })
  })
})

describe('PROVIDERS changes', () => {
  test('only what it names of a built-in row', () => {
    const change = {
      chargesOnRefusal: 'no',
      freeStatuses: [429],
      wire: { 'nano-banana-2.1': 'gemini-nano-banana-2.1' },
      prices: { 'nano-banana-pro': { perRequest: 0.126 } },
    }
    const before = sellerOf({}, 'apiyi')
    expect(sellerOf(providers({ apiyi: change }), 'apiyi')).toEqual({
      ...before,
      chargesOnRefusal: 'no',
      freeStatuses: [429],
      wire: { ...before.wire, 'gemini-nano-banana-2.1': 'gemini-nano-banana-2.1' },
      prices: {
        ...before.prices,
        [PRO]: {
          provider: 'apiyi',
          model: PRO,
          source: 'PROVIDERS of this deployment',
          unit: 'request',
          microUsd: 126_000,
        },
      },
    })
    expect(sellerOf({}, 'apiyi')).toEqual(before)
  })

  test('a price that nobody printed', () => {
    const variables = providers({ tokaify: { prices: { [PRO]: { perRequest: 0 } } } })
    expect(sellerOf({}, 'tokaify').prices).toEqual({})
    expect(sellerOf(variables, 'tokaify').prices[PRO]).toMatchObject({ microUsd: 0 })
  })

  test('which models think, by any of their names', () => {
    const variables = providers({
      apiyi: { thinkingModels: ['nano-banana-2', 'gemini-3-pro-image-preview'] },
    })
    expect(sellerOf(variables, 'apiyi').thinkingModels).toEqual([NB2, PRO])
  })
})

describe('what cannot be used is refused in words that name it', () => {
  test.for<[string, MarketVariables, RegExp]>([
    ['no JSON', { PROVIDERS: '{third:' }, /^PROVIDERS is not JSON: /],
    ['a list', providers([]), /^PROVIDERS: .*expected record/],
    ['a relay without an address', providers({ third: {} }), /^PROVIDERS\.third has no baseUrl$/],
    ['an unknown field', providers({ third: { base_url: 'https://x.example' } }), /"base_url".*\n.*third/],
    [
      'an address that is none',
      providers({ third: { baseUrl: 'relay.example' } }),
      /Invalid URL.*\n.*third\.baseUrl/,
    ],
    ['an address of another kind', providers({ third: { baseUrl: 'ftp://x.example' } }), /third\.baseUrl/],
    [
      'an unknown model',
      providers({ third: { wire: { 'dall-e': 'x' } } }),
      /unknown model\n.*third\.wire\["dall-e"\]/,
    ],
    ['an empty wire id', providers({ third: { wire: { [PRO]: '' } } }), /third\.wire/],
    [
      'a negative price',
      providers({ third: { prices: { [PRO]: { perRequest: -1 } } } }),
      /not negative.*\n.*third\.prices/,
    ],
    ['a status that is a success', providers({ third: { freeStatuses: [200] } }), /third\.freeStatuses/],
    [
      'a provider id that cannot be a variable',
      providers({ 'Third Relay': {} }),
      /lower-case letters, digits and dashes/,
    ],
    [
      'an unknown default',
      { DEFAULT_PROVIDER: 'apyi' },
      /^DEFAULT_PROVIDER is apyi; known are google, apiyi, tokaify$/,
    ],
  ])('%s', ([, variables, message]) => {
    expect(() => marketOf(variables)).toThrow(ConfigurationError)
    expect(() => marketOf(variables)).toThrow(message)
  })

  test('DEFAULT_PROVIDER may name a relay that PROVIDERS adds', () => {
    const variables = { ...providers({ third: { baseUrl: 'https://x.example' } }), DEFAULT_PROVIDER: 'third' }
    expect(marketOf(variables).defaultProvider).toBe('third')
    expect(marketOf({})).not.toHaveProperty('defaultProvider')
  })
})

test('an address of a provider that is no http(s) URL is an error that names it', () => {
  for (const address of ['api.apiyi.com', 'ftp://api.apiyi.com', 'http://'])
    expect(() => marketOf({ APIYI_API_KEY: 'k', APIYI_BASE_URL: address })).toThrow(
      `the address of provider apiyi, "${address}", is no http(s) URL`,
    )
})

test('prices that are given replace those of their provider and model, and no others', () => {
  const market = marketOf({ GOOGLE_API_KEY: 'k', APIYI_API_KEY: 'k' })
  const row = {
    provider: 'apiyi',
    model: NB2,
    source: 'the manifest',
    unit: 'request',
    microUsd: 40_000,
  } as const
  const pricesAt = (of: typeof market, id: string) => of.sellers.find((seller) => seller.id === id)!.prices
  const repriced = withPrices(market, { apiyi: { [NB2]: row } })
  expect(pricesAt(repriced, 'apiyi')).toEqual({ ...pricesAt(market, 'apiyi'), [NB2]: row })
  expect(pricesAt(repriced, 'google')).toEqual(pricesAt(market, 'google'))
})
