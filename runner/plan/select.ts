// Which items a command is about: terms of `-s` and `-x`, read against a plan. Terms add up, exclusions take away; a term
// that finds nothing is an error, because it is a typo far more often than an empty wish.
import picomatch from 'picomatch'
import { findModel } from '../../core/models.ts'
import { idMatcher } from '../manifest/ids.ts'
import { didYouMean } from '../manifest/near.ts'
import { isToMake, PLAN_STATES, type Plan, type PlanItem } from './plan.ts'
import { familiesOf, upstreamFirst, upstreamOf } from './upstream.ts'

export type Terms = { include: readonly string[]; exclude: readonly string[] }

/** A term that finds nothing, or a selection that is empty. The message says where and what was perhaps meant. */
export class SelectionError extends Error {
  override name = 'SelectionError'
}

/** The ids of the selected items; all of them where nothing is included by name. Throws SelectionError. */
export function select(plan: Plan, { include, exclude }: Terms): Set<string> {
  const found = new Set<string>()
  if (include.length === 0) for (const { item } of plan.items) found.add(item.id)
  for (const term of include) for (const id of idsOf(plan, term, '-s')) found.add(id)
  for (const term of exclude) for (const id of idsOf(plan, term, '-x')) found.delete(id)
  if (found.size === 0) {
    const flags = [...include.map((term) => `-s ${term}`), ...exclude.map((term) => `-x ${term}`)].join(' ')
    throw new SelectionError(`nothing is left of the selection ${flags}: -x takes away all that -s finds`)
  }
  return found
}

/** The items that one term finds; `flag` is what it was written after. Throws SelectionError. */
export function find(plan: Plan, term: string, flag: string): PlanItem[] {
  const ids = new Set(idsOf(plan, term, flag))
  return plan.items.filter((p) => ids.has(p.item.id))
}

/** What is left of a plan when at most `n` pictures are made, those first that others are made from: ids to plan with
 *  again. What is made already, or is made along with one of them, costs nothing and stays. */
export function firstOf(plan: Plan, n: number): Set<string> {
  const byItem = new Map(plan.items.map((p) => [p.item, p]))
  const items = plan.items.map((p) => p.item)
  const inOrder = upstreamFirst(items, familiesOf(items)).map((item) => byItem.get(item)!)
  const first = new Set(
    inOrder
      .filter(isToMake)
      .slice(0, n)
      .map((p) => p.item.id),
  )
  const stays = (p: PlanItem) => (p.state === 'same' ? first.has(p.reasons[0]!) : !isToMake(p))
  for (const p of plan.items) if (p.selected && p.state !== 'blocked' && stays(p)) first.add(p.item.id)
  return first
}

function idsOf(plan: Plan, term: string, flag: string): Iterable<string> {
  const [, before, core, after] = /^(\+?)(.*?)(\+?)$/s.exec(term) as unknown as [
    string,
    string,
    string,
    string,
  ]
  const found = plan.items.filter(testOf(core)).map((p) => p.item.id)
  if (found.length === 0) throw new SelectionError(nothingFound(plan, core, `${flag} ${term}`))
  if (!before && !after) return found
  const ids = new Set(found)
  if (before) for (const id of reach(found, upstreams(plan))) ids.add(id)
  if (after) for (const id of reach(found, downstreams(plan))) ids.add(id)
  return ids
}

const KINDS = ['status', 'tag', 'model'] as const
type Kind = (typeof KINDS)[number]

/** What else than a state of the plan `status:` knows. */
const MARKS = ['made', 'picked', 'rejected'] as const

/** `tag:hero` in two; undefined where the term is a pattern of ids. */
function kindOf(core: string): { kind: Kind; word: string } | undefined {
  const colon = core.indexOf(':')
  const kind = KINDS.find((known) => known === core.slice(0, Math.max(0, colon)))
  return kind && { kind, word: core.slice(colon + 1) }
}

function testOf(core: string): (p: PlanItem) => boolean {
  const term = kindOf(core)
  if (!term) {
    const matches = idMatcher(core)
    return (p) => matches(p.item.id)
  }
  const matches = picomatch(term.word, {
    nocase: true,
    nonegate: true,
    noextglob: true,
    dot: true,
    windows: false,
  })
  return (p) => wordsOf(p, term.kind).some((word) => matches(word))
}

function wordsOf({ item, state, entry }: PlanItem, kind: Kind): readonly string[] {
  switch (kind) {
    case 'status':
      return [state, ...(state === 'done' ? ['made', ...(entry?.review ? [entry.review] : [])] : [])]
    case 'tag':
      return item.tags
    case 'model': {
      const model = findModel(item.model)
      return model ? [model.id, model.short, ...model.aliases] : [item.model]
    }
  }
}

// Where a pick is waited for, all samples are what it is made from: one has to see them to pick.
function upstreams({ items }: Plan): ReadonlyMap<string, readonly string[]> {
  const byId = new Map(items.map((p) => [p.item.id, p]))
  const families = familiesOf(items.map((p) => p.item))
  return new Map(
    items.map(({ item }) => [
      item.id,
      item.references.flatMap((reference) => {
        if (reference.kind !== 'from') return []
        const { item: upstream, entry } = byId.get(reference.item)!
        if (!reference.wait || entry?.review === 'picked') return [upstream.id]
        return families.get(upstream.base)!.map(({ id }) => id)
      }),
    ]),
  )
}

function downstreams(plan: Plan): ReadonlyMap<string, readonly string[]> {
  const edges = plan.items.flatMap(({ item }) => upstreamOf(item).map((id) => ({ id, by: item.id })))
  const byUpstream = Map.groupBy(edges, ({ id }) => id)
  return new Map([...byUpstream].map(([id, list]) => [id, list.map(({ by }) => by)]))
}

/** Everything that can be reached from these ids, themselves included. */
function reach(from: readonly string[], edges: ReadonlyMap<string, readonly string[]>): Set<string> {
  const seen = new Set(from)
  // A set that grows while it is walked is walked to its end.
  for (const id of seen) for (const next of edges.get(id) ?? []) seen.add(next)
  return seen
}

function nothingFound(plan: Plan, core: string, flag: string): string {
  const term = kindOf(core)
  if (!term) {
    const [kind, word] = core.split(':')
    if (word !== undefined)
      return `${flag} finds nothing; there is no \`${kind}:\`, only ${KINDS.map((known) => `${known}:`).join(', ')} and ids`
    const tops = [...new Set(plan.items.map(({ item }) => item.id.split(/[/#]/)[0]!))]
    const hint = didYouMean(core, namesOf(plan)) ?? `items: ${some(tops)}`
    return `${flag} finds nothing; ${hint}`
  }
  const words = [...new Set(plan.items.flatMap((p) => wordsOf(p, term.kind)))]
  const known: readonly string[] = term.kind === 'status' ? [...PLAN_STATES, ...MARKS] : words
  const isKnown = known.some((word) => word === term.word)
  const hint = isKnown ? undefined : didYouMean(term.word, known)
  const have = { status: 'there are', tag: 'tags', model: 'models' }[term.kind]
  return `${flag} finds nothing; ${hint ?? `${have}: ${some(words)}`}`
}

/** Ids, the ids that samples share, and the folders above them: what a term may have meant. */
function namesOf({ items }: Plan): Set<string> {
  const names = new Set<string>()
  for (const { item } of items) {
    const parts = item.base.split('/')
    for (let n = 1; n <= parts.length; n++) names.add(parts.slice(0, n).join('/'))
    names.add(item.id)
  }
  return names
}

function some(words: readonly string[]): string {
  if (words.length === 0) return 'none'
  const shown = words.slice(0, 8).join(', ')
  return words.length > 8 ? `${shown} and ${words.length - 8} more` : shown
}
