// Keys in the order of the file. An object puts keys that are whole numbers before all others and sorts them: sizes, years
// and article numbers would change places.

const orders = new WeakMap<object, readonly string[]>()

/** An object of these entries, whose order `entriesInOrder` knows. Of equal keys the last one counts. */
export function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const object = Object.fromEntries(entries)
  if (entries.some(([key]) => /^\d+$/.test(key)))
    orders.set(object, [...new Set(entries.map(([key]) => key))])
  return object
}

/** The entries of an object in the order of the file that it is from, else in its own. */
export function entriesInOrder(object: object): [string, unknown][] {
  const order = orders.get(object)
  if (!order) return Object.entries(object)
  return order.map((key) => [key, (object as Record<string, unknown>)[key]])
}
