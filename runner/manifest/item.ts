// What a manifest comes down to: a list of wanted pictures, each with an id of its own and nothing left to resolve.
// Knows no YAML and no price; it says what is wanted, not whether it was made already.
import type { Aspect, ReferenceType, Size } from '../../core/models.ts'
import type { MicroUsd } from '../../core/money.ts'
import type { PriceRow } from '../../core/prices.ts'
import type { FallbackReason, Parameters } from '../../core/request.ts'

/** An input image. The order is the order in which the prompt counts them. `as` is its name in `${image.NAME}`. */
export type ItemReference = (
  | {
      kind: 'file'
      /** Absolute. */
      path: string
      /** As written in the manifest, after `${}`. */
      shown: string
      sha256: string
      mimeType: ReferenceType
      bytes: number
    }
  | { kind: 'url'; url: string }
  /** The result of another item: the id that all samples of a picture share, or `id#n` for that sample and no other, the
   *  first as `id#1`. Where none is named the picked one counts, else the first; `wait: 'pick'` takes none that was not
   *  picked. */
  | { kind: 'from'; item: string; wait?: 'pick' }
) & { as?: string }

/** What to try instead, and after which endings. `model` is a canonical id. */
export type ItemFallback = { model: string; provider?: string; on: FallbackReason[] }

/** One wanted picture. */
export type Item = {
  /** `item/axis value/axis value`; samples after the first end in `#2`, `#3`, … */
  id: string
  /** The id that all samples of one picture share. */
  base: string
  /** From 1. */
  sample: number
  /** Canonical id. */
  model: string
  /** Absent: whoever the market chooses. */
  provider?: string
  /** Rendered, without white space at its end. */
  prompt: string
  size?: Size
  aspect?: Aspect
  parameters: Parameters
  fallback: ItemFallback[]
  metadata?: Record<string, string>
  tags: readonly string[]
  /** Where the picture is saved: a path below the output folder, without extension; default: the id. */
  output?: string
  references: ItemReference[]
  /** Line of the item's key in the manifest, from 1. */
  line: number
}

/** What a run may spend, in micro-USD. */
export type Budget = {
  /** On one run. */
  max?: MicroUsd
  /** On one picture, all its attempts together. */
  perImage?: MicroUsd
  /** Up to here nobody is asked; default 0. */
  confirmAbove?: MicroUsd
}

/** Where a field of an item got its value: a key of the manifest, a row of a table, a flag. */
export type Origin = { field: string; value: unknown; file: string; line: number }

export type Manifest = {
  /** As it was given. */
  path: string
  name: string
  budget: Budget
  /** Prices that hold in place of the market's, by provider and canonical model id. */
  prices: Readonly<Record<string, Readonly<Record<string, PriceRow>>>>
  /** The profile that was laid over all items. */
  profile?: string
  /** The fields of an item in the order of the documentation, each with its origin. */
  originsOf(id: string): Origin[]
  /** In the order of the file, cells in the order of the axes, samples last. */
  items: Item[]
}
