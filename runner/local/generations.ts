// What a local worker is making, asked over its API. Its list comes from the index, which may call a generation queued
// that its object already bought: the object is asked before anything is taken for idle.
import type { GenerationView } from '../../core/api.ts'
import { ask } from './loopback.ts'

export type Makes = {
  /** Whether generations are queued or running. A worker that does not answer is taken to be busy. */
  hasUnfinished(): Promise<boolean>
  /** Whether a provider call is under way. A worker that does not answer has none any more. */
  isCalling(): Promise<boolean>
}

type Page = { generations: Pick<GenerationView, 'id' | 'status'>[]; cursor: string | null }

/** Asks the worker at this address. */
export function makes({ url, token }: { url: string; token: string }): Makes {
  const read = async <T>(path: string): Promise<T | undefined> => {
    const answer = await ask('GET', `${url}/api/generations${path}`, token)
    return answer?.status === 200 ? (JSON.parse(answer.body) as T) : undefined
  }
  const page = (cursor?: string) =>
    read<Page>(`?status=queued,running&limit=100${cursor ? `&cursor=${cursor}` : ''}`)
  return {
    async hasUnfinished() {
      return (await page())?.generations.length !== 0
    },
    async isCalling() {
      const ids: string[] = []
      for (let next = await page(); next; next = next.cursor ? await page(next.cursor) : undefined)
        ids.push(...next.generations.map(({ id }) => id))
      // The oldest are the first to be made.
      for (const id of ids.reverse())
        if ((await read<GenerationView>(`/${id}`))?.status === 'running') return true
      return false
    },
  }
}
