// One picture with all that is known of it, as lines for a person and as JSON for a program.
import { findModel } from '../../core/models.ts'
import { toUsd } from '../../core/money.ts'
import type { ItemReference, Origin } from '../manifest/item.ts'
import type { PlanItem } from '../plan/plan.ts'
import type { LockEntry, Past } from '../state/lock.ts'
import { fileSize, usdOf } from './format.ts'
import { alignRows } from './table.ts'

export type ShownItem = {
  planned: PlanItem
  origins: readonly Origin[]
  references: readonly ShownReference[]
  /** As the worker would get it. */
  request: object
  /** The lines of `plan --why`. */
  why: readonly string[]
  /** Where the picture lies, when it does. */
  file?: string
}

export type ShownReference = {
  name: string
  /** `${image.NAME}` in the prompt. */
  as?: string
  /** What stands for its bytes in the fingerprint. */
  is: string
  /** What it is: type and size, or the state of the picture it is. */
  facts: string
  /** As the request names it. */
  sent: { sha256: string } | { generation: string }
}

/** An input image. `upstream` is the item whose picture it is. */
export function shownReference(
  reference: ItemReference,
  is: string,
  upstream: PlanItem | undefined,
): ShownReference {
  const as = reference.as === undefined ? {} : { as: reference.as }
  const sha256 = is.replace(/^sha256:/, '')
  switch (reference.kind) {
    case 'file': {
      const facts = `${reference.mimeType}, ${fileSize(reference.bytes)}`
      return { name: reference.shown, ...as, is, facts, sent: { sha256 } }
    }
    case 'url':
      return { name: reference.url, ...as, is, facts: 'fetched', sent: { sha256 } }
    case 'from': {
      const generation = upstream?.entry?.image ? upstream.entry.generation : undefined
      return {
        name: reference.item,
        ...as,
        is,
        facts: `picture of an item, ${upstream?.state ?? 'unknown'}`,
        sent: { generation: generation ?? `(of ${reference.item}, once it is made)` },
      }
    }
  }
}

/** A value up to this length stands beside its name; a longer one below it. */
const SHORT = 56

/** Digits of a digest that are shown. */
const DIGITS = 12

export function showLines({ planned, origins, references, request, why, file }: ShownItem): string[] {
  const { entry, key } = planned
  return [
    ...why,
    ...section('picture', pictureLines(entry, file)),
    ...section('fields', fieldLines(origins)),
    ...section('references', referenceLines(references)),
    ...section('history', historyLines(planned)),
    ...section(
      `request (POST /api/generations, Idempotency-Key: ${key})`,
      JSON.stringify(request, null, 2).split('\n'),
    ),
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)]
}

function pictureLines(entry: LockEntry | undefined, file: string | undefined): string[] {
  if (!entry?.image) return []
  const { image, emulated, review } = entry
  const pixels = image.width === null || image.height === null ? [] : [`${image.width} × ${image.height}`]
  return [
    image.url,
    file ?? 'not on disk',
    [
      ...pixels,
      image.mimeType,
      fileSize(image.bytes),
      usdOf(entry.cost),
      ...(emulated ? ['emulated'] : []),
      ...(review ? [review] : []),
    ].join(', '),
  ]
}

function fieldLines(origins: readonly Origin[]): string[] {
  const texts = origins.map(({ value }) => (typeof value === 'string' ? value : JSON.stringify(value)))
  const isShort = (text: string) => text.length <= SHORT && !text.includes('\n')
  const rows = alignRows(
    origins.map(({ field, file, line }, index) => [
      field,
      isShort(texts[index]!) ? texts[index]! : '',
      line > 0 ? `${file}:${line}` : file,
    ]),
    ['left', 'left', 'left'],
  )
  return rows.flatMap((row, index) => {
    const text = texts[index]!
    return isShort(text)
      ? [row]
      : [
          row,
          ...text
            .trimEnd()
            .split('\n')
            .map((line) => `  ${line}`),
        ]
  })
}

function referenceLines(references: readonly ShownReference[]): string[] {
  const rows = references.map(({ name, as, is, facts }, index) => [
    `image ${index + 1}`,
    as ?? '',
    name,
    is.replace(/^\w+:/, '').slice(0, DIGITS),
    facts,
  ])
  return alignRows(rows, ['left', 'left', 'left', 'left', 'left'])
}

function historyLines(planned: PlanItem): string[] {
  const rows = historyOf(planned).map(({ recordedAt, status, model, cost, url, generation }) => [
    `${new Date(recordedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    status,
    findModel(model)?.short ?? model,
    usdOf(cost),
    url ?? generation,
  ])
  return alignRows(rows, ['left', 'left', 'left', 'right', 'left'])
}

/** Every try that the lock remembers, newest first. */
function historyOf({ entry, previous }: PlanItem): Past[] {
  const all = [entry, previous].flatMap((known) => (known ? [known, ...(known.before ?? [])] : []))
  const pasts = all.map((past: LockEntry | Past) => {
    const { key, generation, status, model, cost, recordedAt } = past
    const url = past.image?.url ?? ('url' in past ? past.url : undefined)
    return { key, generation, status, model, cost, ...(url === undefined ? {} : { url }), recordedAt }
  })
  return [...new Map(pasts.reverse().map((past) => [past.key, past])).values()].sort(
    (a, b) => b.recordedAt - a.recordedAt,
  )
}

/** All of it for a program. Money is decimal USD, null where it is not known; instants are epoch ms. */
export function showJson({ planned, origins, references, request, why, file }: ShownItem) {
  const { item, state, reasons, provider, key, fingerprint, edition, quote, basis, entry } = planned
  const known = quote.unknown.length === 0
  return {
    format: 'proofsheet-item',
    version: 1,
    id: item.id,
    state,
    reasons,
    why,
    fields: origins,
    references: references.map(({ name, as = null, is, facts }) => ({ name, as, is, facts })),
    tags: item.tags,
    provider,
    key,
    fingerprint,
    edition,
    expected: known ? toUsd(quote.expected) : null,
    atMost: known ? toUsd(quote.atMost) : null,
    basis: basis ?? null,
    request,
    picture: entry?.image ? { ...entry.image, file: file ?? null, emulated: entry.emulated } : null,
    review: entry?.review ?? null,
    history: historyOf(planned),
  }
}
