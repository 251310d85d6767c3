// Why one picture is made again, or is not: its state, every input that changed, what it is made from, what it costs. The
// answer to `plan --why <id>`, as lines.
import { findModel } from '../../core/models.ts'
import { formatUsd } from '../../core/money.ts'
import { stableJson } from '../../core/request.ts'
import type { LockEntry } from '../state/lock.ts'
import { type InputReference, type Inputs, referenceChanges } from './inputs.ts'
import { isToMake, lacksPicture, type Plan, type PlanItem } from './plan.ts'
import { upstreamOf } from './upstream.ts'
import { chargeOf } from './verdict.ts'
import { wordDiff } from './words.ts'

/** Digits of a digest that are shown. */
const DIGITS = 8

/** What people look for first. */
const FIRST: readonly (keyof Inputs)[] = ['prompt', 'model', 'size', 'aspect', 'sample', 'system']

/** The lines about one item of a plan. */
export function why(plan: Plan, planned: PlanItem): string[] {
  const byId = new Map(plan.items.map((p) => [p.item.id, p]))
  const upstream = upstreamOf(planned.item).map((id) => byId.get(id)!)
  return [
    `${planned.item.id}  ${stateOf(planned)}`,
    ...changesOf(planned).map(indent),
    ...upstream
      .filter(isNews)
      .flatMap((p) => [
        indent(`made from ${p.item.id}  ${stateOf(p)}`),
        ...changesOf(p).map(indent).map(indent),
      ]),
    ...lastTry(planned).map(indent),
    ...(isToMake(planned) ? [indent(priceOf(planned))] : []),
  ]
}

/** What has changed since the lock was written. */
function isNews({ state }: PlanItem): boolean {
  return state !== 'done'
}

function indent(line: string): string {
  return `  ${line}`
}

function stateOf({ state, reasons, selected, entry, previous }: PlanItem): string {
  const because = reasons.length > 0 ? `: ${reasons.join(', ')}` : ''
  const note = selected || !lacksPicture(state) ? '' : ' (not selected)'
  switch (state) {
    case 'new':
      return `new${because || ': it was never made'}${note}`
    case 'changed':
      return `changed since ${instant(previous!.recordedAt)}${note}`
    case 'done':
      return `done${entry?.review ? `, ${entry.review}` : ''}${because}`
    case 'same':
      return `the same picture as ${reasons[0]}, bought once`
    case 'refused':
      return `refused${because}; --refused asks again`
    case 'uncertain':
      return `uncertain${because}; --uncertain asks again`
    default:
      return `${state}${because}${note}`
  }
}

// A blocked item may have changed too.
function changesOf({ entry, previous, inputs }: PlanItem): string[] {
  return previous && !entry ? inputChanges(previous.inputs, inputs) : []
}

/** Every input that differs, one a line; texts as a word diff. */
function inputChanges(before: Inputs, after: Inputs): string[] {
  const names = new Set([...FIRST, ...Object.keys(before), ...Object.keys(after)] as (keyof Inputs)[])
  names.delete('references')
  const fields = [...names].flatMap((name) => {
    const [was, is] = [before[name], after[name]]
    if (stableJson(was ?? null) === stableJson(is ?? null)) return []
    if (typeof was === 'string' && typeof is === 'string' && (name === 'prompt' || name === 'system'))
      return [`${name}: ${wordDiff(was, is)}`]
    return [`${name}: ${shown(was)} → ${shown(is)}`]
  })
  return [...fields, ...referenceChanges(before.references, after.references).map(referenceLine)]
}

function referenceLine({ was, is }: { was?: InputReference; is?: InputReference }): string {
  if (was && is)
    return was.name === is.name
      ? `reference ${is.name}: ${digest(was)} → ${digest(is)}`
      : `reference ${was.name} (${digest(was)}) → ${is.name} (${digest(is)})`
  if (is) return `reference ${is.name} (${digest(is)}) added`
  return was ? `reference ${was.name} (${digest(was)}) removed` : 'the references are in another order'
}

function digest({ is }: InputReference): string {
  return is.replace(/^\w+:/, '').slice(0, DIGITS)
}

function shown(value: unknown): string {
  if (value === undefined) return 'none'
  return typeof value === 'string' ? value : stableJson(value)
}

function lastTry({ entry, previous }: PlanItem): string[] {
  const last = entry ?? previous
  if (!last || last.foreign !== undefined) return []
  const words = last.error ? [`it was told: ${last.error.message.replace(/\s*\n\s*/g, ' ')}`] : []
  return [`${madeBy(last)}, ${chargeOf(last)}, ${instant(last.recordedAt)}`, ...words]
}

function madeBy({ status, emulated, provider, model, edition }: LockEntry): string {
  const who = emulated ? `the emulator, in the place of ${provider}` : provider
  const verb = status === 'succeeded' ? 'made' : status
  const nth = edition > 1 ? ` (edition ${edition})` : ''
  return `${verb} by ${who} with ${findModel(model)?.short ?? model}${nth}`
}

function priceOf({ quote, basis, provider, item }: PlanItem): string {
  if (!basis)
    return `price: ? (no price of ${findModel(item.model)?.short ?? item.model} at ${provider} is known)`
  const known = quote.unknown.length === 0
  const more = known ? '' : `; not known: ${quote.unknown.join(', ')}`
  return `price: ${formatUsd(quote.expected)} expected, ${formatUsd(quote.atMost)} at most (${basis})${more}`
}

/** `2026-11-20 14:03 UTC` */
function instant(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
