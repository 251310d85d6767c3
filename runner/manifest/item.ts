// What a manifest comes down to: a list of wanted pictures, each with an id of its own and nothing left to resolve.
// Knows no YAML and no price; it says what is wanted, not whether it was made already.
import type { Aspect, ReferenceType, Size } from '../../core/models.ts'
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
  /** The result of another item; the id is one of the manifest's. */
  | { kind: 'from'; item: string }
) & { as?: string }

/** What to try instead, and after which endings. `model` is a canonical id. */
export type ItemFallback = { model: string; provider?: string; on: FallbackReason[] }

/** One wanted picture. */
export type Item = {
  /** `item/axis value/axis value`; samples after the first end in `#2`, `#3`, … */
  id: string
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
  references: ItemReference[]
  /** Line of the item's key in the manifest, from 1. */
  line: number
}

export type Manifest = {
  /** As it was given. */
  path: string
  name: string
  /** In the order of the file, cells in the order of the axes, samples last. */
  items: Item[]
}
