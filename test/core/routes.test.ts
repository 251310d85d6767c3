// Who is asked for a picture, who after that, and what people are told when nobody can be.
import { describe, expect, test } from 'vitest'
import type { Draft } from '../../core/cost.ts'
import { type MarketVariables, marketOf } from '../../core/market.ts'
import { findModel } from '../../core/models.ts'
import type { FallbackReason } from '../../core/request.ts'
import { basisOf, quoteRoutes, type Routes, routeOf, routesOf } from '../../core/routes.ts'

const ALL = { GOOGLE_API_KEY: 'k', APIYI_API_KEY: 'k', TOKAIFY_API_KEY: 'k' }
const draft: Draft = { size: '1K', promptBytes: 400, references: 0 }

const name = (route: ReturnType<typeof routeOf>) =>
  'problem' in route ? `${route.problem}: ${route.message}` : `${route.seller.id} ${route.model.short}`

describe('without fallbacks', () => {
  test.for<[string, MarketVariables, string, string | undefined, string]>([
    ['the named provider', ALL, 'nano-banana-2', 'apiyi', 'apiyi nano-banana-2'],
    ['the first configured one', ALL, 'nano-banana-2', undefined, 'google nano-banana-2'],
    [
      'the first configured one that sells it',
      { ...ALL, GOOGLE_API_KEY: '' },
      'nano-banana',
      undefined,
      'apiyi nano-banana',
    ],
    [
      'the default provider',
      { ...ALL, DEFAULT_PROVIDER: 'tokaify' },
      'nano-banana-pro',
      undefined,
      'tokaify nano-banana-pro',
    ],
    [
      'the named one over the default',
      { ...ALL, DEFAULT_PROVIDER: 'tokaify' },
      'nano-banana-pro',
      'apiyi',
      'apiyi nano-banana-pro',
    ],
    [
      'no such provider',
      ALL,
      'nano-banana-2',
      'apyi',
      'unknown_provider: unknown provider apyi; known: google, apiyi, tokaify',
    ],
    [
      'not sold there',
      ALL,
      'nano-banana-2',
      'tokaify',
      'not_sold: tokaify does not sell nano-banana-2; it is sold by google, apiyi',
    ],
    [
      'the default does not sell it',
      { ...ALL, DEFAULT_PROVIDER: 'tokaify' },
      'nano-banana-2',
      undefined,
      'google nano-banana-2',
    ],
    [
      'no key for it',
      { APIYI_API_KEY: 'k' },
      'nano-banana-2',
      'google',
      'not_configured: there is no key for provider google; configured: apiyi',
    ],
    [
      'no key at all',
      {},
      'nano-banana-2',
      undefined,
      'not_configured: no configured provider sells nano-banana-2; it is sold by google, apiyi, configured: none',
    ],
    [
      'keys, and none of a seller',
      { TOKAIFY_API_KEY: 'k' },
      'nano-banana',
      undefined,
      'not_configured: no configured provider sells nano-banana; it is sold by google, apiyi, configured: tokaify',
    ],
  ])('%s', ([, variables, model, provider, expected]) => {
    expect(name(routeOf(marketOf(variables), findModel(model)!, provider))).toBe(expected)
  })
})

describe('with fallbacks', () => {
  const on: FallbackReason[] = ['unavailable']

  test('they follow in the order of the request, with their reasons', () => {
    const routes = routesOf(marketOf(ALL), {
      model: 'gemini-3.1-flash-image-preview',
      provider: 'apiyi',
      fallback: [
        { model: 'nano-banana-pro', provider: 'tokaify', on: ['no_image', 'refused'] },
        { model: 'nano-banana-2', provider: 'google', on },
      ],
    }) as Routes
    expect(name(routes.first)).toBe('apiyi nano-banana-2')
    expect(routes.fallbacks.map((f) => [name(f), f.on])).toEqual([
      ['tokaify nano-banana-pro', ['no_image', 'refused']],
      ['google nano-banana-2', on],
    ])
  })

  test.for([
    ['the provider of the request', ALL, 'nano-banana-pro', 'apiyi nano-banana-pro'],
    ['the first that sells it, where that one does not', ALL, 'nano-banana-2.1', 'google nano-banana-2.1'],
    [
      'the provider of the request, before the default one',
      { ...ALL, DEFAULT_PROVIDER: 'google' },
      'nano-banana-pro',
      'apiyi nano-banana-pro',
    ],
  ] as const)('one that names no provider goes to %s', ([, variables, model, expected]) => {
    const wish = { model: 'nano-banana-2', provider: 'apiyi', fallback: [{ model, on }] }
    expect((routesOf(marketOf(variables), wish) as Routes).fallbacks.map(name)).toEqual([expected])
  })

  test('one that equals the first route is dropped, whatever it is called', () => {
    const routes = routesOf(marketOf(ALL), {
      model: 'nano-banana-pro',
      fallback: [
        { model: 'gemini-3-pro-image-preview', provider: 'google', on },
        { model: 'models/gemini-3-pro-image', on },
        { model: 'nano-banana-pro', provider: 'tokaify', on },
      ],
    }) as Routes
    expect(routes.fallbacks.map(name)).toEqual(['tokaify nano-banana-pro'])
  })

  test.for<[string, Parameters<typeof routesOf>[1], object]>([
    [
      'the model',
      { model: 'dall-e-3' },
      {
        path: 'model',
        problem: 'unknown_model',
        message:
          'unknown model dall-e-3; known: nano-banana-pro, nano-banana-2, nano-banana-2.1, nano-banana-2-lite, nano-banana',
      },
    ],
    [
      'the provider',
      { model: 'nano-banana-2', provider: 'tokaify' },
      { path: 'provider', problem: 'not_sold' },
    ],
    [
      'the model of a fallback',
      {
        model: 'nano-banana-2',
        fallback: [
          { model: 'nano-banana-pro', on },
          { model: 'x', on },
        ],
      },
      { path: 'fallback[1].model', problem: 'unknown_model' },
    ],
    [
      'the provider of a fallback',
      { model: 'nano-banana-2', fallback: [{ model: 'nano-banana', provider: 'tokaify', on }] },
      { path: 'fallback[0].provider', problem: 'not_sold' },
    ],
  ])('what is wrong is found in the request: %s', ([, wish, problem]) => {
    expect(routesOf(marketOf(ALL), wish)).toMatchObject(problem)
  })

  test('the field at fault is the model where no provider was named', () => {
    expect(routesOf(marketOf({}), { model: 'nano-banana-2' })).toMatchObject({
      path: 'model',
      problem: 'not_configured',
    })
  })
})

describe('what the routes cost', () => {
  const quoted = (on: FallbackReason[]) => {
    const fallback = [{ model: 'nano-banana-pro', provider: 'apiyi', on }]
    const routes = routesOf(marketOf(ALL), { model: 'nano-banana-2', provider: 'apiyi', fallback }) as Routes
    return quoteRoutes(routes, draft)
  }

  test.for<[FallbackReason[], number]>([
    [['unavailable'], 90_000],
    [['failed'], 90_000],
    [['no_image'], 145_000],
    [['refused'], 145_000],
    [['unavailable', 'no_image'], 145_000],
    [['unavailable', 'failed'], 90_000],
  ])('a fallback on %s', ([on, atMost]) => {
    expect(quoted(on)).toEqual({ expected: 55_000, atMost, unknown: [] })
  })

  test('an unpriced fallback is named', () => {
    const fallback = [{ model: 'nano-banana-pro', provider: 'tokaify', on: ['failed' as const] }]
    const routes = routesOf(marketOf(ALL), { model: 'nano-banana-2', provider: 'apiyi', fallback }) as Routes
    expect(quoteRoutes(routes, draft).unknown).toEqual(['the price of nano-banana-pro at tokaify'])
  })

  test.for([
    ['google', /^google per token: .+, checked 2026-10-07$/],
    ['apiyi', /^apiyi per request: APIYI Nano Banana overview, undated$/],
    ['tokaify', /^no price of nano-banana-pro at tokaify is known$/],
  ] as const)('what a price of %s is based on is said', ([provider, basis]) => {
    const route = routeOf(marketOf(ALL), findModel('nano-banana-pro')!, provider)
    if ('problem' in route) throw new Error(route.message)
    expect(basisOf(route)).toMatch(basis)
  })
})
