// A bound to waiting for somebody else.

/** For how long one whom a generation has to ask or tell may keep it waiting, in ms. */
export const PATIENCE_MS = 10_000

/** What `work` gives, if it does so within `ms`; else rejects, and what becomes of it is not heard. */
export async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}
