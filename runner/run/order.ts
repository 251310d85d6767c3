// What can be started when. Each ending touches only the items that hang on it, so that a run of 100,000 is no slower per
// picture than one of ten.

/** An item and the ids of what it needs. */
export type Need = { id: string; needs: readonly string[] }

export type Order = {
  /** What can be started at once, in the order given. */
  ready: string[]
  /** What never can, because something it needs has no picture and gets none. */
  blocked: Blocked[]
  /** An item got its picture: what can be started now. */
  made(id: string): string[]
  /** An item gets no picture: everything that hangs on it, however far down. */
  lost(id: string): Blocked[]
}

export type Blocked = { id: string; by: string }

/** The order of a run. `isThere`: it has a picture already. A need that is neither there nor wanted is lost. */
export function orderOf(wanted: readonly Need[], isThere: (id: string) => boolean): Order {
  const waiting = new Map<string, number>()
  const dependents = new Map<string, string[]>()
  const ready: string[] = []
  const ids = new Set(wanted.map(({ id }) => id))
  for (const { id, needs } of wanted) {
    const open = new Set(needs.filter((need) => !isThere(need)))
    for (const need of open) {
      const hanging = dependents.get(need)
      if (hanging) hanging.push(id)
      else dependents.set(need, [id])
    }
    if (open.size === 0) ready.push(id)
    else waiting.set(id, open.size)
  }

  const lost = (first: string): Blocked[] => {
    const blocked: Blocked[] = []
    const gone = [first]
    for (let next = 0; next < gone.length; next++) {
      const by = gone[next]!
      for (const id of dependents.get(by) ?? []) {
        // It may hang on several that are lost.
        if (!waiting.delete(id)) continue
        blocked.push({ id, by })
        gone.push(id)
      }
      dependents.delete(by)
    }
    return blocked
  }

  const never = [...dependents.keys()].filter((need) => !ids.has(need))
  return {
    blocked: never.flatMap(lost),
    ready,
    lost,
    made(id) {
      const hanging = dependents.get(id) ?? []
      dependents.delete(id)
      return hanging.filter((dependent) => {
        const open = waiting.get(dependent)
        if (open === undefined) return false
        if (open > 1) waiting.set(dependent, open - 1)
        else waiting.delete(dependent)
        return open === 1
      })
    },
  }
}
