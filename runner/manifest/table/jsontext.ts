// Where things are in JSON text. The values themselves come from JSON.parse, which does not say where it read them, nor
// always where it gave up.

/** A piece of text by offsets. */
type Spot = { from: number; to: number }

/** A member of a list or a map, with its key where it has one. */
export type Member = { key?: Spot; value: Spot }

/** The members of the list or map that begins at `from`, in order; none of anything else. The text has to be JSON. */
export function membersAt(text: string, from: number): Member[] {
  const members: Member[] = []
  const start = text[from]
  if (start !== '[' && start !== '{') return members
  let at = pastSpace(text, from + 1)
  while (text[at] !== ']' && text[at] !== '}') {
    let key: Spot | undefined
    if (start === '{') {
      key = { from: at, to: pastValue(text, at) }
      at = pastSpace(text, pastSpace(text, key.to) + 1)
    }
    const value = { from: at, to: pastValue(text, at) }
    members.push(key ? { key, value } : { value })
    at = pastSpace(text, value.to)
    if (text[at] === ',') at = pastSpace(text, at + 1)
  }
  return members
}

/** Offset of the first character that is not white space. */
export function pastSpace(text: string, from: number): number {
  let at = from
  while (SPACE.includes(text.charCodeAt(at))) at++
  return at
}

const SPACE = [32, 10, 13, 9]

/** Whether brackets are nested deeper than any table is; the parser would take it, and what walks its values would not. */
export function isTooDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const sign = text.charCodeAt(at)
    if (sign === QUOTE) at = pastString(text, at) - 1
    else if (sign === OPEN_LIST || sign === OPEN_MAP) {
      if (++depth > MAX_DEPTH) return true
    } else if (sign === CLOSE_LIST || sign === CLOSE_MAP) depth--
  }
  return false
}

const MAX_DEPTH = 50
const [QUOTE, OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [34, 91, 93, 123, 125]

function pastValue(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const sign = text[at]
    if (sign === '"') {
      at = pastString(text, at) - 1
      if (depth === 0) return at + 1
    } else if (sign === '[' || sign === '{') depth++
    else if (sign === ']' || sign === '}') {
      if (depth === 0) return at
      if (--depth === 0) return at + 1
    } else if (depth === 0 && (sign === ',' || SPACE.includes(text.charCodeAt(at)))) return at
  }
  return text.length
}

function pastString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}

// What may come next; `first` and `firstKey` may also be the end of what has nothing in it.
type Next = 'value' | 'first' | 'firstKey' | 'key' | 'colon' | 'comma'

const TOKEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in texts
  /"(?:[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[[\]{},:]/y

/** Where text stops being JSON, and what belongs there; undefined for text that is JSON. */
export function brokenJson(text: string): { at: number; wanted: string } | undefined {
  let next: Next = 'value'
  const open: string[] = []
  for (let at = pastSpace(text, 0); at < text.length; at = pastSpace(text, at)) {
    const wanted = WANTED[next](open.at(-1))
    TOKEN.lastIndex = at
    const [token] = TOKEN.exec(text) ?? []
    if (token === undefined)
      return { at, wanted: text[at] === '"' ? 'a text that is closed on its line' : wanted }
    const kind = token[0] === '"' ? 'text' : '[]{},:'.includes(token) ? token : 'literal'
    if (kind === ']' || kind === '}') {
      const fits = kind === ']' ? next === 'first' : next === 'firstKey'
      if (!(fits || next === 'comma') || open.pop() !== (kind === ']' ? '[' : '{')) return { at, wanted }
      next = 'comma'
    } else if (kind === ',') {
      if (next !== 'comma' || open.length === 0) return { at, wanted }
      next = open.at(-1) === '{' ? 'key' : 'value'
    } else if (kind === ':') {
      if (next !== 'colon') return { at, wanted }
      next = 'value'
    } else if (next === 'key' || next === 'firstKey') {
      if (kind !== 'text') return { at, wanted }
      next = 'colon'
    } else if (next === 'value' || next === 'first') {
      if (kind === '[' || kind === '{') open.push(kind)
      next = kind === '[' ? 'first' : kind === '{' ? 'firstKey' : 'comma'
    } else return { at, wanted }
    at += token.length
  }
  if (next === 'comma' && open.length === 0) return undefined
  return { at: text.trimEnd().length, wanted: WANTED[next](open.at(-1)) }
}

const WANTED: Record<Next, (open: string | undefined) => string> = {
  value: () => 'a value',
  first: () => 'a value or `]`',
  key: () => 'a key in "…"',
  firstKey: () => 'a key in "…" or `}`',
  colon: () => '`:`',
  comma: (open) => (open === undefined ? 'the end' : open === '[' ? '`,` or `]`' : '`,` or `}`'),
}
