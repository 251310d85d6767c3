// The fingerprint changes when pixels would, and only then. Each property is tried on requests made from a seed.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ASPECTS, MODELS, SIZES } from '../../core/models.ts'
import { canonicalForm, fingerprint, type Pixels, RequestSchema, stableJson } from '../../core/request.ts'
import { type Random, randomOf } from '../../emulator/random.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const of = (pixels: object) => fingerprint(pixels as Pixels, sha256)

/** A request with about half of the possible members. */
function wishOf(random: Random): Pixels {
  const maybe = <T>(make: () => T) => (random.next() < 0.5 ? make() : undefined)
  const digest = () => `sha256:${sha256(String(random.next()))}`
  const wish = {
    model: random.pick(MODELS).id,
    prompt: `a fern ${random.whole(0, 999)} — « ${random.pick(['ü', '\u2028', '"', '🌿'])} »`,
    references: Array.from({ length: random.whole(0, 4) }, digest),
    size: maybe(() => random.pick(SIZES)),
    aspect: maybe(() => random.pick(ASPECTS)),
    system: maybe(() => `calm ${random.whole(0, 9)}`),
    temperature: maybe(() => random.whole(0, 20) / 10),
    topP: maybe(() => random.next()),
    topK: maybe(() => random.whole(1, 64)),
    seed: maybe(() => random.whole(-9, 9)),
    maxOutputTokens: maybe(() => random.whole(1, 9999)),
    safetySettings: maybe(() => [
      { category: 'HARM_CATEGORY_HARASSMENT', threshold: random.pick(['OFF', 'BLOCK_NONE'] as const) },
    ]),
    thinking: maybe(() => ({ level: random.pick(['minimal', 'high'] as const), budget: random.whole(0, 9) })),
    modalities: maybe((): ('IMAGE' | 'TEXT')[] => ['IMAGE', 'TEXT']),
    sample: maybe(() => random.whole(1, 4)),
  }
  return Object.fromEntries(Object.entries(wish).filter(([, v]) => v !== undefined)) as unknown as Pixels
}

const WISHES = Array.from({ length: 200 }, (_, seed) => wishOf(randomOf(`wish ${seed}`)))

/** The same value with the keys of every object in another order. */
function shuffled<T>(value: T, random: Random): T {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, random)) as T
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([k, v]) => ({ k, v: shuffled(v, random), at: random.next() }))
  return Object.fromEntries(members.sort((a, b) => a.at - b.at).map(({ k, v }) => [k, v])) as T
}

describe('stays the same', () => {
  test.for<[string, (wish: Pixels, random: Random) => object]>([
    ['in another order of keys', shuffled],
    ['with an alias of the model', (w) => ({ ...w, model: MODELS.find((m) => m.id === w.model)!.short })],
    ['with the name of the model in capitals', (w) => ({ ...w, model: `models/${w.model.toUpperCase()}` })],
    ['with the default size written down', (w) => ({ ...w, size: w.size ?? '1K' })],
    ['with the default modality written down', (w) => ({ ...w, modalities: w.modalities ?? ['IMAGE'] })],
    ['with the modalities turned round', (w) => ({ ...w, modalities: w.modalities?.toReversed() })],
    [
      'with empty settings',
      (w) => ({ ...w, safetySettings: w.safetySettings ?? [], thinking: w.thinking ?? {} }),
    ],
    ['with sample 1 written down', (w) => ({ ...w, sample: w.sample ?? 1 })],
    ['with members that are undefined', (w) => ({ seed: undefined, system: undefined, ...w })],
    ['whoever sells it', (w) => ({ ...w, provider: 'apiyi' })],
    ['whatever comes after it', (w) => ({ ...w, fallback: [{ model: 'nano-banana', on: ['failed'] }] })],
    ['whatever it may cost', (w) => ({ ...w, maxCost: 0.5 })],
    ['however long it may wait', (w) => ({ ...w, deadline: 60 })],
    ['whatever is written beside it', (w) => ({ ...w, metadata: { sku: 'ff-201' } })],
  ])('%s', ([, change]) => {
    for (const [seed, wish] of WISHES.entries())
      expect(of(change(wish, randomOf(`change ${seed}`)))).toBe(of(wish))
  })
})

describe('changes', () => {
  const other = <T>(list: readonly T[], value: T | undefined) => list.find((item) => item !== value)

  test.for<[string, (wish: Pixels) => object | undefined]>([
    [
      'with the model',
      (w) => ({
        ...w,
        model: other(
          MODELS,
          MODELS.find((m) => m.id === w.model),
        )!.id,
      }),
    ],
    ['with the prompt', (w) => ({ ...w, prompt: `${w.prompt} ` })],
    ['with the size', (w) => ({ ...w, size: other(SIZES, w.size ?? '1K') })],
    ['with the ratio', (w) => ({ ...w, aspect: other(ASPECTS, w.aspect as (typeof ASPECTS)[number]) })],
    ['with the system text', (w) => ({ ...w, system: `${w.system ?? ''}!` })],
    ['with the temperature', (w) => ({ ...w, temperature: (w.temperature ?? 0) + 0.01 })],
    ['with topP', (w) => ({ ...w, topP: (w.topP ?? 0) / 2 + 0.6 })],
    ['with topK', (w) => ({ ...w, topK: (w.topK ?? 0) + 1 })],
    ['with the seed', (w) => ({ ...w, seed: (w.seed ?? 0) + 1 })],
    ['with the longest answer', (w) => ({ ...w, maxOutputTokens: (w.maxOutputTokens ?? 0) + 1 })],
    [
      'with the safety settings',
      (w) => ({
        ...w,
        safetySettings: w.safetySettings
          ? undefined
          : [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' as const }],
      }),
    ],
    [
      'with the thinking',
      (w) => ({ ...w, thinking: { ...w.thinking, budget: (w.thinking?.budget ?? 0) + 1 } }),
    ],
    ['with the modalities', (w) => ({ ...w, modalities: w.modalities ? undefined : ['IMAGE', 'TEXT'] })],
    ['with one more reference', (w) => ({ ...w, references: [...w.references, `sha256:${'0'.repeat(64)}`] })],
    [
      'with one reference less',
      (w) => (w.references.length > 0 ? { ...w, references: w.references.slice(1) } : undefined),
    ],
    [
      'with the order of references',
      (w) => (w.references.length > 1 ? { ...w, references: w.references.toReversed() } : undefined),
    ],
    [
      'with the way a reference is named',
      (w) =>
        w.references.length > 0
          ? { ...w, references: w.references.map((r) => r.replace('sha256:', 'fingerprint:')) }
          : undefined,
    ],
    ['with the sample', (w) => ({ ...w, sample: (w.sample ?? 1) + 1 })],
  ])('%s', ([, change]) => {
    let tried = 0
    for (const wish of WISHES) {
      const changed = change(wish)
      if (!changed) continue
      tried++
      expect(of(changed), JSON.stringify(wish)).not.toBe(of(wish))
    }
    expect(tried).toBeGreaterThan(20)
  })

  test('between any two of the requests made here', () => {
    expect(new Set(WISHES.map(of)).size).toBe(WISHES.length)
  })

  test('with every parameter that the schema takes', () => {
    const asides = ['provider', 'fallback', 'maxCost', 'deadline', 'metadata', 'webhook']
    const members = Object.keys(RequestSchema.shape).filter((name) => !asides.includes(name))
    for (const name of members)
      expect(
        Object.keys(JSON.parse(canonicalForm({ ...WISHES[0]!, [name]: 'changed' } as Pixels))),
      ).toContain(name)
  })
})

test('the canonical form is kept: every stored fingerprint depends on it', () => {
  const form = canonicalForm({
    sample: 2,
    prompt: 'a fern',
    model: 'nano-banana-2',
    thinking: { level: 'high' },
    references: ['sha256:b', 'sha256:a'],
    aspect: '4:5',
    seed: 7,
  })
  expect(form).toBe(
    '{"aspect":"4:5","modalities":["IMAGE"],"model":"gemini-3.1-flash-image","prompt":"a fern","references":["sha256:b","sha256:a"],"sample":2,"seed":7,"size":"1K","thinking":{"level":"high"}}',
  )
  expect(fingerprint({ model: 'nano-banana', prompt: 'a fern', references: [] }, (text) => text)).toBe(
    '{"modalities":["IMAGE"],"model":"gemini-2.5-flash-image","prompt":"a fern","references":[],"size":"1K"}',
  )
})

test('stable JSON reads back as the same value, keys sorted at every depth', () => {
  const value = { b: [1, { d: null, c: 'x' }], a: { z: true, y: 0.1 }, gone: undefined }
  expect(stableJson(value)).toBe('{"a":{"y":0.1,"z":true},"b":[1,{"c":"x","d":null}]}')
  for (const wish of WISHES) expect(JSON.parse(stableJson(wish))).toEqual(wish)
})
