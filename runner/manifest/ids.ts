// Patterns of ids, as `overrides`, `from` and the selection flags write them: `*` stays within one part of an id, `**`
// crosses parts, `{a,b}` and `[ab]` work. A pattern is compiled once; what it is asked is cheap.
import picomatch from 'picomatch'

/** Whether a text is a pattern. Ids and paths without these characters stand for themselves. */
export function isPattern(text: string): boolean {
  return /[*?[{]/.test(text)
}

/** The id that all samples of one picture share. */
export function baseOf(id: string): string {
  const mark = id.indexOf('#')
  return mark === -1 ? id : id.slice(0, mark)
}

/** A test of ids. A pattern matches an id when it matches the whole id, the id without `#n`, or a leading folder of it:
 *  `packshot` and `packshot/*` match everything below `packshot`. */
export function idMatcher(pattern: string): (id: string) => boolean {
  const text = trimmed(pattern)
  if (!isPattern(text)) return (id) => id === text || baseOf(id) === text || id.startsWith(`${text}/`)
  const matches = compiled(text)
  return (id) => {
    if (matches(id)) return true
    const base = baseOf(id)
    if (base !== id && matches(base)) return true
    for (let slash = id.indexOf('/'); slash !== -1; slash = id.indexOf('/', slash + 1))
      if (matches(id.slice(0, slash))) return true
    return false
  }
}

/** A test of ids as wholes: what `from` asks for. It is asked about ids without `#n`. */
export function baseMatcher(pattern: string): (base: string) => boolean {
  const text = pattern.normalize()
  return isPattern(text) ? compiled(text) : (base) => base === text
}

function compiled(pattern: string): (id: string) => boolean {
  // `!`, `+(…)` and the like are left out: a leading `+` and `!` belong to shells and selections.
  const matches = picomatch(pattern, { nonegate: true, noextglob: true, windows: false, dot: true })
  // A second argument, as `filter` passes one, would have it answer with an object.
  return (id) => matches(id)
}

// `packshot/` is what a shell completes.
function trimmed(pattern: string): string {
  return pattern.normalize().replace(/(?<=.)\/+$/, '')
}
