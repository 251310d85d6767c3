// What a draft asks of the market: whether model, provider, size, aspect, references and fallbacks exist and go together.
// The limits are core's; this file says which line of the manifest they are about.

import type { Market } from '../../core/market.ts'
import {
  ASPECTS,
  type Aspect,
  findModel,
  MAX_PROMPT_CHARS,
  type Model,
  parseSize,
  SIZES,
  type Size,
} from '../../core/models.ts'
import { type FallbackReason, limitsOf, type Parameters, ParametersSchema } from '../../core/request.ts'
import { type NoRoute, type Route, routeOf } from '../../core/routes.ts'
import type { Draft } from './expand.ts'
import { DECIMAL } from './fields.ts'
import type { ItemFallback, ItemReference } from './item.ts'
import { metadataOf, tagsOf } from './labels.ts'
import { endOf } from './lifecycle.ts'
import { entriesOf, fieldsOf, placeIn, plain, type Sourced, textOf } from './merge.ts'
import { noModel, noProvider } from './nobody.ts'
import { outputOf } from './output.ts'
import type { Finding, Findings, Path } from './problems.ts'
import type { Wanted } from './references.ts'
import { report } from './shape.ts'
import { isMap } from './words.ts'

/** The resolved settings of a draft. */
type Settings = {
  model: string
  provider?: string
  size?: Size
  aspect?: Aspect
  parameters: Parameters
  fallback: ItemFallback[]
  metadata?: Record<string, string>
  tags: readonly string[]
  output?: string
}

/** What settings are judged by. `today`: an ISO date; models end. */
export type Judge = { market: Market; today: string; findings: Findings }

/** The references of a draft: where they were written, and what was found there; undefined where a file has a problem of its
 *  own. That one keeps its place: it counts for the limit, and the others keep their positions. */
type Found = { wanted: readonly Wanted[]; references: readonly (ItemReference | undefined)[] }

const SHAPES = Object.entries(ParametersSchema.shape)

/** The settings, or undefined after a problem that leaves them without sense. Others are only reported. */
export function settingsOf(draft: Draft, found: Found, judge: Judge): Settings | undefined {
  const { fields, id } = draft
  const { market, findings, today } = judge
  const add = (finding: Finding) => findings.add({ ...finding, item: id })
  const size = sizeOf(fields.get('size'), add)
  const aspect = aspectOf(fields.get('aspect'), add)
  const parameters = parametersOf(draft, findings)
  const metadata = metadataOf(fields.get('metadata'), add)
  const tags = tagsOf(fields.get('tags'), add)
  const output = outputOf(fields.get('output'), add)
  const named = fields.get('model')
  if (!named && (draft.unrendered.has('model') || draft.layered.partial)) return undefined
  if (!named) {
    const hint = 'say `model:` here or in `defaults`'
    findings.add({ at: draft.at, part: 'key', message: 'has no `model`', hint })
    return undefined
  }
  const model = modelOf(named, add)
  if (!model || draft.unrendered.has('provider')) return undefined
  const provider = textOf(fields.get('provider'))
  const route = routeOf(market, model, provider)
  if ('problem' in route) {
    const at = (fields.get('provider') ?? named).at
    add({ at, ...noRoute(route, provider, market) })
    return undefined
  }
  const end = endOf(model, today)
  if (end) add({ at: named.at, ...end })
  const wish: Wish = {
    parameters,
    references: found.references,
    ...(size ? { size } : {}),
    ...(aspect ? { aspect } : {}),
  }
  for (const { path, code, message } of limits(wish, route)) {
    const hint = code === 'payload_too_large' ? 'use fewer or smaller references' : undefined
    add({ at: placeOf(path, draft, found.wanted), message, hint })
  }
  return {
    model: model.id,
    ...(provider === undefined ? {} : { provider }),
    ...(size ? { size } : {}),
    ...(aspect ? { aspect } : {}),
    parameters,
    fallback: fallbackOf(draft, wish, { own: route, ownProvider: provider }, judge, add),
    ...(metadata ? { metadata } : {}),
    tags,
    ...(output === undefined ? {} : { output }),
  }
}

/** Reports a prompt that no model takes. */
export function checkPrompt(text: string, { prompt, at, id }: Draft, findings: Findings): void {
  const what = prompt && 'file' in prompt ? `\`${prompt.shown}\` ` : ''
  const add = (message: string, hint: string) =>
    findings.add({ at: prompt?.at ?? at, message: `${what}${message}`, hint, item: id })
  if (text === '') add('is empty', 'a prompt says what the picture shows')
  if (text.length > MAX_PROMPT_CHARS)
    add(`has ${text.length} characters; a prompt has at most ${MAX_PROMPT_CHARS}`, 'shorten it')
}

type Add = (finding: Finding) => void
type Wish = {
  parameters: Parameters
  references: readonly (ItemReference | undefined)[]
  size?: Size
  aspect?: Aspect
}

function modelOf(source: Sourced, add: Add): Model | undefined {
  const name = textOf(source) ?? ''
  const model = findModel(name)
  if (!model) add({ at: source.at, ...noModel(name) })
  return model
}

function sizeOf(source: Sourced | undefined, add: Add): Size | undefined {
  const text = textOf(source)
  if (!source || text === undefined) return undefined
  const size = parseSize(text)
  if (!size)
    add({ at: source.at, message: `there is no size \`${text}\``, hint: `sizes: ${SIZES.join(', ')}` })
  return size
}

function aspectOf(source: Sourced | undefined, add: Add): Aspect | undefined {
  const text = textOf(source)
  if (!source || text === undefined) return undefined
  const aspect = ASPECTS.find((a) => a === text)
  const hint = `aspects: ${ASPECTS.join(', ')}`
  if (!aspect) add({ at: source.at, message: `there is no aspect \`${text}\``, hint })
  return aspect
}

// Literal values were checked with the shape; what came out of a template is checked here.
function parametersOf({ fields, id }: Draft, findings: Findings): Parameters {
  const parameters: Record<string, unknown> = {}
  for (const [key, schema] of SHAPES) {
    const source = fields.get(key)
    if (!source) continue
    const value = withNumbers(key, plain(source))
    const parsed = schema.safeParse(value)
    if (parsed.success) parameters[key] = parsed.data
    else {
      const place = (path: Path) => placeIn(source, path)
      report(parsed.error.issues, value, findings, { place, keys: () => [], item: id })
    }
  }
  return parameters as Parameters
}

const NUMBERS = ['temperature', 'topP', 'topK', 'seed', 'maxOutputTokens']

// A cell of a spreadsheet is text; where a number belongs, text that reads as one counts as one.
function withNumbers(key: string, value: unknown): unknown {
  const number = (text: unknown) => (typeof text === 'string' && DECIMAL.test(text) ? Number(text) : text)
  if (NUMBERS.includes(key)) return number(value)
  return key === 'thinking' && isMap(value) && 'budget' in value
    ? { ...value, budget: number(value.budget) }
    : value
}

// A fallback without a provider stays with the item's own where that one sells the model, and says so in the request;
// else the market chooses.
function fallbackOf(
  draft: Draft,
  wish: Wish,
  { own, ownProvider }: { own: Route; ownProvider: string | undefined },
  { market, today }: Judge,
  add: Add,
): ItemFallback[] {
  return entriesOf(draft.fields.get('fallback')).flatMap((entry): ItemFallback[] => {
    const fields = fieldsOf(entry)
    const model = modelOf(fields.get('model')!, add)
    if (!model) return []
    const inherited = ownProvider !== undefined && !('problem' in routeOf(market, model, ownProvider))
    const provider = textOf(fields.get('provider')) ?? (inherited ? ownProvider : undefined)
    const route = routeOf(market, model, provider)
    const at = fields.get('model')!.at
    if ('problem' in route) {
      add({ at: fields.get('provider')?.at ?? at, ...noRoute(route, provider, market) })
      return []
    }
    if (route.seller.id === own.seller.id && model.id === own.model.id) return []
    const end = endOf(model, today)
    if (end) add({ at, ...end })
    for (const { message } of limits(wish, route)) add({ at, message: `cannot stand in: ${message}` })
    const on = plain(fields.get('on')!) as FallbackReason[]
    return [{ model: model.id, ...(provider === undefined ? {} : { provider }), on }]
  })
}

function limits({ parameters, references, ...shape }: Wish, { model, seller }: Route) {
  const known = references.map((reference) =>
    reference?.kind === 'file' ? { mimeType: reference.mimeType, bytes: reference.bytes } : {},
  )
  return limitsOf({ ...parameters, ...shape }, known, model, seller)
}

function noRoute({ problem, message }: NoRoute, provider: string | undefined, market: Market) {
  if (problem === 'unknown_provider' && provider !== undefined) return noProvider(provider, market)
  return { message }
}

// Core names request fields; where they were written is the draft's knowledge.
function placeOf(path: string, draft: Draft, wanted: readonly Wanted[]): Path {
  const index = /^references\[(\d+)\]/.exec(path)?.[1]
  if (index !== undefined) return wanted[Number(index)]?.at ?? draft.at
  if (path === 'references') return draft.refsAt
  const [field = path, ...rest] = path.split('.')
  const source = draft.fields.get(field)
  return source ? placeIn(source, rest) : draft.at
}
