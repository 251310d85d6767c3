// `${name}` in a text. Knows how a placeholder is spelt; what the names mean is the caller's. There is no logic.
import type { Scalar } from './merge.ts'

/** A placeholder as written, and the name in it: `root`, or `root.field`. */
export type Placeholder = { text: string; name: string; root: string; field?: string }

/** A piece that begins like a placeholder and is none. */
export type Malformed = { text: string; message: string; hint: string }

/** What is between placeholders is text. */
export type Template = readonly (string | Placeholder | Malformed)[]

const PIECE = /\$\$\{|\$\{([^}\n]*)(\}?)/g
const NAME = /^[\p{L}_][\p{L}\p{M}\p{N}_-]*(\.[\p{L}\p{M}\p{N}_-]+)*$/u
const LITERAL = 'write `$${` for a literal `${`'

/** Reads a text; `$${` is a literal `${`. */
export function parseTemplate(text: string): Template {
  const parts: (string | Placeholder | Malformed)[] = []
  let from = 0
  for (const match of text.matchAll(PIECE)) {
    const [written, inside, brace] = match
    parts.push(
      text.slice(from, match.index),
      inside === undefined ? '${' : piece(written, inside.trim().normalize(), brace),
    )
    from = match.index + written.length
  }
  parts.push(text.slice(from))
  return parts.filter((part) => part !== '')
}

function piece(text: string, name: string, brace: string | undefined): Placeholder | Malformed {
  if (!brace) return { text: text.slice(0, 40), message: '`${` is not closed on its line', hint: LITERAL }
  if (NAME.test(name)) {
    const dot = name.indexOf('.')
    if (dot === -1) return { text, name, root: name }
    return { text, name, root: name.slice(0, dot), field: name.slice(dot + 1) }
  }
  return {
    text,
    message: `\`${text}\` is not a name`,
    hint: `only names, as in \`\${product.name}\`; ${LITERAL}`,
  }
}

/** The text with every name replaced. A text that is one placeholder and nothing else keeps the value's type, so that
 *  `seed: ${seed}` is a number. `lookUp` answers undefined after it has reported the problem itself; all are asked. */
export function fill(
  template: Template,
  lookUp: (piece: Placeholder | Malformed) => Scalar | undefined,
): Scalar | undefined {
  const [first] = template
  if (template.length === 1 && first !== undefined && typeof first !== 'string') return lookUp(first)
  let text = ''
  let whole = true
  for (const part of template) {
    const value = typeof part === 'string' ? part : lookUp(part)
    if (value === undefined) whole = false
    else text += String(value)
  }
  return whole ? text : undefined
}
