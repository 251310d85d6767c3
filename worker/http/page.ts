// Lists in pages, the newest first: how many entries a caller wants, and where its page begins.
import { fieldProblem, Problem } from './problem.ts'

const DEFAULT_LENGTH = 20
const MAX_LENGTH = 100

/** The entry after which a page begins. */
export type Position = { createdAt: number; id: string }

export type PageWish = { after: Position | undefined; limit: number }

/** What a caller wants of a list of generations, batches or tokens. A cursor that is none must not pass for the first page:
 *  its caller would walk for ever. Throws `invalid_request`. */
export function pageWishOf(
  query: { limit?: string | undefined; cursor?: string | undefined },
  of: 'gen' | 'bat' | 'tok',
): PageWish {
  const limit = Number(query.limit ?? DEFAULT_LENGTH)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LENGTH)
    throw fieldProblem('limit', `a whole number from 1 to ${MAX_LENGTH}`)
  const [, createdAt, id] = /^(\d{1,15})\.([a-z]{3}_[0-9a-z]{10,26})$/.exec(query.cursor ?? '') ?? []
  const isCursor = createdAt !== undefined && id?.startsWith(`${of}_`)
  if (query.cursor !== undefined && !isCursor)
    throw new Problem('invalid_request', 'cursor: give the one that came with the page before')
  return { after: isCursor ? { createdAt: Number(createdAt), id: id! } : undefined, limit }
}

/** A page of what was found, which was asked for one entry more than the page has, and the cursor of the next page. */
export function pageOf<T>(
  found: readonly T[],
  limit: number,
  positionOf: (entry: T) => Position,
): { page: T[]; cursor: string | null } {
  const page = found.slice(0, limit)
  const last = page.at(-1)
  if (!last || found.length <= limit) return { page, cursor: null }
  const { createdAt, id } = positionOf(last)
  return { page, cursor: `${createdAt}.${id}` }
}
