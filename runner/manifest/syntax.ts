// What a person is told when text is not YAML: the library's codes in plain words, placed where the eye should go. Knows no
// key of ours, and reads no further than the line of an error.
import { type Document, isCollection, isScalar, type Node, visit, type YAMLError } from 'yaml'
import type { Finding, Place } from './problems.ts'

/** A finding in text that no path leads to. */
export type Placed = Finding & { place: Place }

/** Makes a finding about a piece of the text, by offsets. */
export type Problem = (from: number, to: number, message: string, hint?: string) => Placed

// One error makes others behind it: the first of each line is told, and not more than these.
const MOST_SYNTAX_ERRORS = 10
const MOST_ERRORS_READ = 50

/** What is wrong with the text, in its order. `errors` are the library's, of which only code and place are used. */
export function syntaxErrors(
  errors: readonly YAMLError[],
  document: Document.Parsed,
  text: string,
  problem: Problem,
): Placed[] {
  const byLine = new Map<number, Placed>()
  for (const error of errors.slice(0, MOST_ERRORS_READ)) {
    const [from, to] = error.pos
    const start = text.lastIndexOf('\n', from - 1) + 1
    const end = text.indexOf('\n', from)
    const [message, hint] = plainSyntax(error, text.slice(start, end === -1 ? undefined : end))
    // What is not closed is noticed where something else begins; the place to look at is its own beginning.
    const open = MAY_BE_OPEN.includes(error.code) ? unclosed(document, text, from) : undefined
    const found =
      open === undefined ? problem(from, to, message, hint) : openProblem(error, text, open, problem)
    if (!byLine.has(found.place.line)) byLine.set(found.place.line, found)
    if (open !== undefined) break
  }
  return [...byLine.values()].slice(0, MOST_SYNTAX_ERRORS)
}

const MAY_BE_OPEN = ['MISSING_CHAR', 'BAD_INDENT']

const CLOSERS: Record<string, string> = { '[': ']', '{': '}', '"': '"', "'": "'" }

// Where the innermost quote or bracket begins that is open at an offset.
function unclosed(document: Document.Parsed, text: string, at: number): number | undefined {
  let start: number | undefined
  visit(document, {
    Node(_, node) {
      const quoted = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE')
      const bracket = isCollection(node) && node.flow === true
      if (!(quoted || bracket) || !node.range) return
      const [from, to] = node.range
      // `[a: b]` holds a map without brackets of its own.
      const isMarked = CLOSERS[text[from] ?? ''] !== undefined
      if (isMarked && from < at && to >= at && !isClosed(node, text)) start = from
    },
  })
  return start
}

function isClosed(node: Node, text: string): boolean {
  const [from, to] = node.range!
  if (to - from < 2 || text[to - 1] !== CLOSERS[text[from] ?? '']) return false
  // The last character may be that of the last member.
  let ofMember = false
  visit(node, {
    Node(_, member) {
      if (member !== node && member.range?.[1] === to) ofMember = true
    },
  })
  return !ofMember
}

function openProblem({ code, pos }: YAMLError, text: string, open: number, problem: Problem): Placed {
  const sign = text[open] ?? ''
  const closer = `\`${CLOSERS[sign]}\``
  const found = text[pos[0]] ?? ''
  const indented = code === 'BAD_INDENT' ? ', or what is inside is not indented further' : ''
  const early = ']}'.includes(found || ' ')
  const hint = early ? `\`${found}\` comes before its ${closer}` : `its ${closer} is missing${indented}`
  return problem(open, open + 1, `\`${sign}\` is not closed`, /["']/.test(sign) ? undefined : hint)
}

/** The hint for text that YAML takes for something else. */
export const QUOTE = 'put quotes around the text'

// The library's codes in plain words; `line` is the text of the line.
function plainSyntax(
  { code, message }: YAMLError,
  line: string,
): [message: string, hint?: string | undefined] {
  const bracket = line.search(/[[{]/)
  const inFlow = bracket !== -1 && line.indexOf('${', bracket) !== -1
  const flow = inFlow ? 'inside [ ] and { }, text with ${…} needs quotes' : undefined
  switch (code) {
    case 'TAB_AS_INDENT':
      return ['a tab cannot indent', 'use spaces']
    case 'BAD_INDENT':
      return [
        'the indentation does not fit the lines above',
        'what belongs together begins in the same column',
      ]
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      if (line.split(/:(?=\s|$)/).length < 3) return ['the indentation of the next line does not fit', flow]
      return flow
        ? ['text that is not quoted ends here', flow]
        : ['a second `: ` in one line', `${QUOTE}, or write it below a |`]
    case 'BAD_SCALAR_START':
      return ['this character cannot begin text', QUOTE]
    case 'BAD_ALIAS':
      return ['`*` begins an alias, and there is none of this name', QUOTE]
    case 'MULTIPLE_DOCS':
      return ['`---` begins a second document', 'a manifest is one document']
    case 'MISSING_CHAR':
      return flow ? ['text that is not quoted ends here', flow] : ['a quote, a bracket or a `:` is missing']
    case 'NON_STRING_KEY':
      return ['a key must be text', flow]
    case 'TAG_RESOLVE_FAILED':
      return ['tags (!name) are not read', 'remove it']
    case 'BAD_DQ_ESCAPE':
      return ['`\\` means something inside "…"', "use '…'"]
    case 'RESOURCE_EXHAUSTION':
      return ['is nested too deeply']
    case 'UNEXPECTED_TOKEN':
      return ['this does not belong here', flow ?? 'check quotes and brackets before it']
    default:
      return [`not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`, flow]
  }
}
