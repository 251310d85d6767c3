// From the ways a caller may name a reference to bytes under a digest.
import type { ReferenceInput, ResolvedReference } from '../../core/request.ts'
import { type GenerationRecord, type Input, resultOf } from '../generation/record.ts'
import { Problem } from '../http/problem.ts'
import { goneWords } from '../retention/deleted.ts'
import { downloadReference, type Fetch } from './download.ts'
import { findReference, referenceKey } from './store.ts'

export type ResolveEffects = {
  bucket: Pick<R2Bucket, 'head' | 'put'>
  fetch: Fetch
  /** The record of a generation of this workspace, or undefined. */
  generation: (id: string) => Promise<GenerationRecord | undefined>
}

/** The inputs of a request, in order. Throws `reference_not_found`, `reference_unreachable` and what the checks of a
 *  download throw, naming the reference at fault. */
export async function resolveReferences(
  references: readonly (ReferenceInput | Input)[],
  workspace: string,
  fx: ResolveEffects,
): Promise<Input[]> {
  const inputs: Input[] = []
  // One after the other: an image that is fetched from its address is held whole until it is stored.
  for (const [index, reference] of references.entries()) {
    try {
      inputs.push(await resolve(reference, workspace, fx))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const path = `references[${index}]`
      throw new Problem(error.code, `${path}: ${error.message}`, {
        errors: [{ path, message: error.message }],
      })
    }
  }
  return inputs
}

async function resolve(
  reference: ReferenceInput | Input,
  workspace: string,
  fx: ResolveEffects,
): Promise<Input> {
  if ('fileUri' in reference || 'key' in reference) return reference
  if ('data' in reference) throw new Error('inline data is stored while the body is read')
  if ('generation' in reference) return pictureOf(reference.generation, fx)
  const stored =
    'url' in reference
      ? await downloadReference(reference.url, fx.bucket, workspace, fx.fetch)
      : await findReference(fx.bucket, workspace, reference.sha256)
  if (!stored)
    throw new Problem(
      'reference_not_found',
      `no reference with this SHA-256 is stored; PUT its bytes to /api/references/${(reference as { sha256: string }).sha256} first`,
    )
  return { ...stored, key: referenceKey(workspace, stored.sha256) }
}

async function pictureOf(id: string, fx: ResolveEffects): Promise<Input> {
  const record = await fx.generation(id)
  const picture = record && resultOf(record)?.ending?.picture
  if (!record) throw new Problem('reference_not_found', `there is no generation ${id}`)
  if (!picture)
    throw new Problem('reference_not_found', `generation ${id} has no picture (it is ${record.status})`)
  if (record.deletedAt !== undefined || !(await fx.bucket.head(picture.key)))
    throw new Problem('reference_not_found', goneWords('its picture', record.deletedAt, id))
  const { sha256, mimeType, bytes, key } = picture
  return { sha256, mimeType, bytes, generation: id, key }
}

/** A resolved reference as it is echoed and fingerprinted: without the place where its bytes lie. */
export function publicReference(input: Input): ResolvedReference {
  if ('fileUri' in input) return { fileUri: input.fileUri, mimeType: input.mimeType }
  const { sha256, mimeType, bytes, generation } = input
  return { sha256, mimeType, bytes, ...(generation ? { generation } : {}) }
}
