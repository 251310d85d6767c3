// The manifest as text: reads YAML 1.2 into plain values and finds the line of any path in it. Knows no key of ours.
// Whatever the text is, the answer is a value or a list of problems; the YAML library's own words stay inside.
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml'
import { Lines } from './lines.ts'
import { objectOf } from './order.ts'
import { type Finding, type Locate, type Path, SourceFile } from './problems.ts'
import { withoutStacks } from './stacks.ts'
import { type Placed, type Problem, QUOTE, syntaxErrors } from './syntax.ts'

/** Longest manifest, in UTF-8 bytes. */
const MAX_MANIFEST_BYTES = 8 * 1024 * 1024

// An alias may stand for a large value, and nested ones multiply (the "billion laughs"): what counts is what they come to.
const MAX_VALUES = 1_000_000
const MAX_DEPTH = 50
// Resolving takes the library the square of their number.
const MAX_ALIASES = 1_000
// More of them have one cause.
const MOST_DUPLICATES = 100

// Signs and words of YAML that are read within a second. A catalog with more of them is written by a program, and its rows
// belong into a table.
const MAX_TOKENS = 500_000

/** A document as plain values, and where its parts are. Without `data` it cannot be read further. */
type Source = { file: SourceFile; data?: unknown; problems: Finding[] }

/** Reads a manifest's text; says what is wrong with it. Never throws. */
export function readSource(text: string, file: string): Source {
  const source = readYaml(text.replace(/^\uFEFF/, ''), file, 'manifest')
  const { data } = source
  if (data === undefined || (data !== null && typeof data === 'object' && !Array.isArray(data))) return source
  const message = data === null ? 'the manifest is empty' : 'a manifest is a map of keys'
  const hint = 'it needs at least `items:`'
  return { file: source.file, problems: [{ at: [], place: source.file.locate({ at: [] }), message, hint }] }
}

/** Reads YAML 1.2 (without byte order mark); says what is wrong with it. In a table every scalar is the text that was
 *  written; null where there is none. Never throws. */
export function readYaml(text: string, file: string, noun: 'manifest' | 'table'): Source {
  const lines = new Lines(text)
  // Its own problems are in the manifest, or in the file that the path says.
  const nowhere = new SourceFile(file, () => lines.place(0, 0), lines.at)
  const at: Path = noun === 'manifest' ? [] : [nowhere]
  const problem: Problem = (from, to, message, hint) => ({
    at,
    place: lines.place(from, to),
    message,
    ...(hint === undefined ? {} : { hint }),
  })
  const whole = (message: string, hint?: string): Source => ({
    file: nowhere,
    problems: [problem(0, 0, message, hint)],
  })
  const large =
    noun === 'manifest'
      ? 'put what repeats into a table, and use it in a `matrix`'
      : 'as CSV it may be larger'
  if (new TextEncoder().encode(text).byteLength > MAX_MANIFEST_BYTES)
    return whole(`the ${noun} is larger than ${MAX_MANIFEST_BYTES / 1024 / 1024} MiB`, large)
  if (hasTooManyTokens(text)) return whole(`the ${noun} has more than ${MAX_TOKENS} words and signs`, large)

  const document = parse(text, noun)
  if (typeof document === 'string') return whole(document)
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2')
    return whole('is not YAML 1.2', 'remove the %YAML line: older versions read 16:9 as a number')
  const errors = [...document.errors, ...document.warnings]
  const problems = [...syntaxErrors(errors, document, text, problem), ...nodeErrors(document, problem)]
  if (problems.length > 0) return { file: nowhere, problems: [...problems, ...duplicates(document, problem)] }
  // Not limited here: an alias that was resolved is the same object, so this takes no more than the text has.
  const data = plainValue(document.toJS({ maxAliasCount: -1, mapAsMap: true }) ?? null)
  const excess = excessOf(data)
  if (excess) return whole(excess, 'use `presets` or `vars` in place of aliases')
  return {
    file: new SourceFile(file, locator(document, lines), lines.at),
    data,
    problems: duplicates(document, problem),
  }
}

// Objects in place of maps; what is there twice through an alias stays one object.
function plainValue(value: unknown, made = new Map<unknown, unknown>()): unknown {
  if (value === null || typeof value !== 'object') return value
  const known = made.get(value)
  if (known !== undefined) return known
  const plain = Array.isArray(value)
    ? value.map((entry) => plainValue(entry, made))
    : objectOf(
        [...(value as Map<unknown, unknown>)].map(([key, member]) => [String(key), plainValue(member, made)]),
      )
  made.set(value, plain)
  return plain
}

function hasTooManyTokens(text: string): boolean {
  let left = MAX_TOKENS
  for (const _ of new Lexer().lex(text)) if (--left < 0) return true
  return false
}

// The document, or why there is none.
function parse(text: string, noun: 'manifest' | 'table'): Document.Parsed | string {
  try {
    return withoutStacks(() =>
      parseDocument(text, {
        prettyErrors: false,
        version: '1.2',
        stringKeys: true,
        // The library compares each key with each other one; a large map takes minutes. See `duplicates`.
        uniqueKeys: false,
        ...(noun === 'table' ? { schema: 'failsafe', customTags: ['null'] } : {}),
      }),
    )
  } catch (error) {
    return error instanceof RangeError ? 'is nested too deeply' : 'cannot be read as YAML'
  }
}

// What the library does not look for, or not fast enough.
function nodeErrors(document: Document.Parsed, problem: Problem): Placed[] {
  const found: Placed[] = []
  const anchors = new Map<string, Node>()
  let aliases = 0
  visit(document, {
    Node(_, node) {
      if (!isAlias(node) && node.anchor) anchors.set(node.anchor, node)
    },
    Alias(_, alias, path) {
      const target = anchors.get(alias.source)
      const [from, to] = alias.range ?? [0, 0]
      if (++aliases > MAX_ALIASES) {
        found.push(problem(from, to, `there are more than ${MAX_ALIASES} aliases`, 'use `presets` or `vars`'))
        return visit.BREAK
      }
      if (!target) found.push(problem(from, to, `there is no anchor \`&${alias.source}\``, QUOTE))
      else if (path.includes(target)) found.push(problem(from, to, 'this alias contains itself'))
      return undefined
    },
  })
  return found
}

// What follows them can be read all the same: the last one counts.
function duplicates(document: Document.Parsed, problem: Problem): Placed[] {
  const found: Placed[] = []
  visit(document, {
    Map(_, map) {
      const lines = new Map<string, number>()
      for (const { key } of map.items) {
        if (found.length >= MOST_DUPLICATES) return visit.BREAK
        if (!isScalar(key) || !key.range) continue
        const name = String(key.value)
        // An empty one is a syntax error of its own.
        if (name === '') continue
        const first = lines.get(name)
        const here = problem(key.range[0], key.range[1], '')
        if (first === undefined) lines.set(name, here.place.line)
        else
          found.push({ ...here, message: `\`${name}\` is already in line ${first}`, hint: 'keys are unique' })
      }
      return undefined
    },
  })
  return found
}

// More than any real catalog has, said before it is walked in earnest.
function excessOf(data: unknown): string | undefined {
  let left = MAX_VALUES
  const walk = (value: unknown, depth: number): string | undefined => {
    if (--left < 0) return `its aliases stand for more than ${MAX_VALUES} values`
    if (value === null || typeof value !== 'object') return undefined
    if (depth > MAX_DEPTH) return 'is nested too deeply'
    for (const member of Object.values(value)) {
      const excess = walk(member, depth + 1)
      if (excess) return excess
    }
    return undefined
  }
  return walk(data, 0)
}

function locator(document: Document.Parsed, lines: Lines): Locate {
  return ({ at, part, within }) => {
    const { key, value, reached } = descend(document.contents, at)
    const byKey = part === 'key' || !reached || isCollection(value)
    const range = ((byKey ? key : undefined) ?? value ?? key)?.range ?? [0, 0]
    if (within !== undefined && value?.range) {
      const found = lines.text.indexOf(within, value.range[0])
      if (found !== -1 && found < value.range[1]) return lines.place(found, found + within.length)
    }
    return lines.place(range[0], range[1])
  }
}

// The deepest node on the path, and the key before it. `reached`: the path ends there.
function descend(root: Node | null, path: Path): { key?: Node; value: Node | null; reached: boolean } {
  let here: { key?: Node; value: Node | null } = { value: root }
  for (const step of path) {
    const { value } = here
    // What an alias stands for is somewhere else; the place to look at is where it is used.
    const next = isAlias(value) ? undefined : childOf(value, step)
    if (!next) return { ...here, reached: false }
    here = next
  }
  return { ...here, reached: true }
}

function childOf(node: Node | null, step: Path[number]): { key?: Node; value: Node | null } | undefined {
  if (isSeq(node) && typeof step === 'number') {
    const entry = node.items[step] as Node | undefined
    return entry && { value: entry }
  }
  return isMap(node) ? pairsOf(node).get(String(step)) : undefined
}

// A map may have as many keys as the catalog has items, and each is asked for its line.
const pairs = new WeakMap<object, Map<string, { key: Node; value: Node | null }>>()

function pairsOf(map: YAMLMap): Map<string, { key: Node; value: Node | null }> {
  const known = pairs.get(map)
  if (known) return known
  const made = new Map(
    (map.items as Pair<Node, Node | null>[]).map(({ key, value }) => [nameOf(key), { key, value }]),
  )
  pairs.set(map, made)
  return made
}

function nameOf(key: Node): string {
  return isScalar(key) ? String(key.value) : ''
}
