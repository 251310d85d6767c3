// What a picture is made from, in a form that people can read and the lock keeps: its fingerprint, and, when that has
// changed, what changed.
import { DEFAULT_SIZE } from '../../core/models.ts'
import { canonicalForm, type Pixels, type Sha256 } from '../../core/request.ts'
import type { Item, ItemReference } from '../manifest/item.ts'

/** One input image: what it is called in the manifest, and what stands for its bytes in the fingerprint. */
export type InputReference = { name: string; is: string }

/** Everything that changes pixels, as plain JSON. */
export type Inputs = Omit<Pixels, 'references'> & { references: InputReference[] }

/** What stands for the bytes of each reference: digests of files and addresses, keys of upstream items. */
export type ReferenceIdentities = {
  /** SHA-256 of what an address holds. */
  urls: ReadonlyMap<string, string>
  /** The key of an upstream item, by id. */
  keys: ReadonlyMap<string, string>
}

/** The inputs of an item. */
export function inputsOf(item: Item, identities: ReferenceIdentities): Inputs {
  return {
    ...item.parameters,
    model: item.model,
    prompt: item.prompt,
    size: item.size ?? DEFAULT_SIZE,
    ...(item.aspect ? { aspect: item.aspect } : {}),
    ...(item.sample > 1 ? { sample: item.sample } : {}),
    references: item.references.map((reference) => identify(reference, identities)),
  }
}

function identify(reference: ItemReference, { urls, keys }: ReferenceIdentities): InputReference {
  switch (reference.kind) {
    case 'file':
      return { name: reference.shown, is: `sha256:${reference.sha256}` }
    case 'url':
      return { name: reference.url, is: `sha256:${urls.get(reference.url)}` }
    case 'from':
      return { name: reference.item, is: `fingerprint:${keys.get(reference.item)}` }
  }
}

/** The fingerprint of inputs: the names of references are left out, their bytes count. */
export function fingerprintOf(inputs: Inputs, sha256: Sha256): string {
  return sha256(canonicalForm({ ...inputs, references: inputs.references.map((r) => r.is) }))
}

/** What differs between two inputs, in the words of the manifest: `prompt`, `size 1K → 2K`, `reference ./logo.png`. */
export function differences(before: Inputs, after: Inputs): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof Inputs)[])
  keys.delete('references')
  const fields = [...keys].flatMap((key) => {
    const [was, is] = [before[key], after[key]]
    if (JSON.stringify(was) === JSON.stringify(is)) return []
    const isProse = key === 'prompt' || key === 'system'
    return [!isProse && isShort(was) && isShort(is) ? `${key} ${shown(was)} → ${shown(is)}` : key]
  })
  return [...fields, ...referenceDifferences(before.references, after.references)]
}

function referenceDifferences(before: readonly InputReference[], after: readonly InputReference[]): string[] {
  return referenceChanges(before, after).map(({ was, is }) => {
    if (was && is) return was.name === is.name ? `reference ${is.name}` : `reference ${was.name} → ${is.name}`
    if (is) return `reference ${is.name} added`
    return was ? `reference ${was.name} removed` : 'order of the references'
  })
}

/** What became of the references: `was` and `is` another picture, only one of them where one came or went, neither where
 *  they have but changed places. A file with a new name and the same bytes is no change. */
export function referenceChanges(
  before: readonly InputReference[],
  after: readonly InputReference[],
): { was?: InputReference; is?: InputReference }[] {
  const old = new Map(before.map((r) => [r.name, r]))
  const names = new Set(after.map((r) => r.name))
  const bytes = new Set(before.map((r) => r.is))
  const kept = new Set(after.map((r) => r.is))
  const changed = after.flatMap((is) => {
    const was = old.get(is.name)
    return was && was.is !== is.is ? [{ was, is }] : []
  })
  const came = after.filter((r) => !old.has(r.name) && !bytes.has(r.is))
  const left = before.filter((r) => !names.has(r.name) && !kept.has(r.is))
  const replaced = Array.from({ length: Math.max(came.length, left.length) }, (_, index) => {
    const [was, is] = [left[index], came[index]]
    return { ...(was ? { was } : {}), ...(is ? { is } : {}) }
  })
  const found = [...changed, ...replaced]
  if (found.length > 0) return found
  const order = (list: readonly InputReference[]) => list.map((r) => r.is).join()
  return order(before) === order(after) ? [] : [{}]
}

function isShort(value: unknown): boolean {
  return value === undefined || typeof value === 'number' || (typeof value === 'string' && value.length <= 24)
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : String(value)
}

/** UTF-8 bytes of prompt and system text, for the quote. */
export function promptBytes(item: Item): number {
  return Buffer.byteLength(item.prompt + (item.parameters.system ?? ''))
}
