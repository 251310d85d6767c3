// Two versions of a text as one: `a [-pale oak-]{+dark ash+} table`. Long stretches that did not change are cut.

/** Words on each side of a change that are shown with it. */
const CONTEXT = 6

/** Words of both middles multiplied, above which they are not compared word by word. */
const MOST_COMPARED = 4_000_000

type Part = { kind: 'same' | 'old' | 'new'; words: string[] }

/** What changed between two texts, word by word; a change of white space alone is a change. */
export function wordDiff(before: string, after: string): string {
  const parts = partsOf(tokensOf(before), tokensOf(after))
  let text = ''
  let old = ''
  let fresh = ''
  for (const [index, { kind, words }] of parts.entries()) {
    const isLast = index === parts.length - 1
    if (kind === 'old') old += words.join('')
    else if (kind === 'new') fresh += words.join('')
    else if (old + fresh !== '' && !isLast && words.join('').trim() === '') {
      // Neighbouring words that changed are one change.
      old += words.join('')
      fresh += words.join('')
    } else {
      text += marked(old, fresh) + unchanged(words, index > 0, !isLast)
      old = ''
      fresh = ''
    }
  }
  return text + marked(old, fresh)
}

/** Words, and the white space between them. */
function tokensOf(text: string): string[] {
  return text.match(/\S+|\s+/g) ?? []
}

function partsOf(before: readonly string[], after: readonly string[]): Part[] {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && before[head] === after[head]) head++
  let tail = 0
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
  const old = before.slice(head, before.length - tail)
  const fresh = after.slice(head, after.length - tail)
  const middle: Part[] =
    old.length * fresh.length > MOST_COMPARED
      ? [
          { kind: 'old', words: old },
          { kind: 'new', words: fresh },
        ]
      : compare(old, fresh)
  const whole: Part[] = [
    { kind: 'same', words: before.slice(0, head) },
    ...middle,
    { kind: 'same', words: before.slice(before.length - tail) },
  ]
  return whole.filter(({ words }) => words.length > 0)
}

// The longest common subsequence, walked from the front; `left[i * width + j]` is its length from there on.
function compare(old: readonly string[], fresh: readonly string[]): Part[] {
  const width = fresh.length + 1
  const left = new Uint32Array((old.length + 1) * width)
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = fresh.length - 1; j >= 0; j--)
      left[i * width + j] =
        old[i] === fresh[j]
          ? left[(i + 1) * width + j + 1]! + 1
          : Math.max(left[(i + 1) * width + j]!, left[i * width + j + 1]!)
  const parts: Part[] = []
  const add = (kind: Part['kind'], word: string) => {
    const last = parts.at(-1)
    if (last?.kind === kind) last.words.push(word)
    else parts.push({ kind, words: [word] })
  }
  let [i, j] = [0, 0]
  while (i < old.length || j < fresh.length) {
    if (i < old.length && old[i] === fresh[j]) {
      add('same', old[i++]!)
      j++
    } else if (
      j === fresh.length ||
      (i < old.length && left[(i + 1) * width + j]! >= left[i * width + j + 1]!)
    )
      add('old', old[i++]!)
    else add('new', fresh[j++]!)
  }
  return parts
}

/** A change in its marks; white space that both sides end with, or the only side, stays outside of them. */
function marked(old: string, fresh: string): string {
  const sides = [old, fresh].filter((side) => side !== '')
  const [space = ''] = /\s*$/.exec(sides[0] ?? '') ?? []
  const isShared = sides.every((side) => side.endsWith(space) && side !== space)
  const inner = (side: string) => (isShared ? side.slice(0, side.length - space.length) : side)
  return `${old && `[-${inner(old)}-]`}${fresh && `{+${inner(fresh)}+}`}${isShared ? space : ''}`
}

function unchanged(tokens: readonly string[], isAfterChange: boolean, isBeforeChange: boolean): string {
  if (tokens.length <= 4 * CONTEXT) return tokens.join('')
  const head = isAfterChange
    ? tokens
        .slice(0, 2 * CONTEXT)
        .join('')
        .trimEnd()
    : ''
  const tail = isBeforeChange
    ? tokens
        .slice(-2 * CONTEXT)
        .join('')
        .trimStart()
    : ''
  return [head, '…', tail].filter(Boolean).join(' ')
}
