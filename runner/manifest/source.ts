// The manifest as text: reads YAML 1.2 into plain values and finds the line of any path in it. Knows no key of ours.
// Whatever the text is, the answer is a value or a list of problems; the YAML library's own words stay inside.
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml'
import type { Diagnostic, Locate, Path, Place } from './problems.ts'
import { type Problem, QUOTE, syntaxErrors } from './syntax.ts'

/** Longest manifest, in UTF-8 bytes. */
export const MAX_MANIFEST_BYTES = 8 * 1024 * 1024

// An alias may stand for a large value, and nested ones multiply (the "billion laughs"): what counts is what they come to.
const MAX_VALUES = 1_000_000
const MAX_DEPTH = 50
// Resolving takes the library the square of their number.
const MAX_ALIASES = 1_000

/** The document as plain values, and where its parts are. */
export type Source = { data: unknown; locate: Locate }

/** Reads the text (without byte order mark), or says why it cannot be read. Never throws. */
export function readSource(text: string, file: string): Source | { diagnostics: Diagnostic[] } {
  const lines = new LineCounter()
  const place: PlaceOf = (from, to) => {
    const { line, col } = lines.linePos(from)
    const end = text.slice(from, to).search(/[\r\n]/)
    return {
      line: Math.max(1, line),
      column: Math.max(1, col),
      width: Math.max(1, end === -1 ? to - from : end),
    }
  }
  const problem = (from: number, to: number, message: string, hint?: string): Diagnostic => ({
    file,
    ...place(from, to),
    path: '',
    message,
    ...(hint === undefined ? {} : { hint }),
    severity: 'error',
  })
  const whole = (message: string, hint?: string) => ({ diagnostics: [problem(0, 0, message, hint)] })

  if (new TextEncoder().encode(text).byteLength > MAX_MANIFEST_BYTES)
    return whole(`the manifest is larger than ${MAX_MANIFEST_BYTES / 1024 / 1024} MiB`, 'split it')
  let document: Document.Parsed
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      version: '1.2',
      stringKeys: true,
      // The library compares each key with each other one; a large map takes minutes. See `duplicates`.
      uniqueKeys: false,
    })
  } catch (error) {
    return whole(error instanceof RangeError ? 'is nested too deeply' : 'cannot be read as YAML')
  }
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2')
    return whole('is not YAML 1.2', 'remove the %YAML line: older versions read 16:9 as a number')
  const errors = [...document.errors, ...document.warnings]
  const found = [...syntaxErrors(errors, document, text, problem), ...nodeErrors(document, problem)]
  if (found.length > 0) return { diagnostics: found.sort((a, b) => a.line - b.line || a.column - b.column) }
  if (!isMap(document.contents)) {
    const empty =
      document.contents === null || (isScalar(document.contents) && document.contents.value === null)
    return whole(
      empty ? 'the manifest is empty' : 'a manifest is a map of keys',
      'it needs at least `items:`',
    )
  }
  // Not limited here: an alias that was resolved is the same object, so this takes no more than the text has.
  const data: unknown = document.toJS({ maxAliasCount: -1 })
  const excess = excessOf(data)
  if (excess) return whole(excess, 'use `presets` or `vars` in place of aliases')
  return { data, locate: locator(document, text, place) }
}

type PlaceOf = (from: number, to: number) => Place

// What the library does not look for, or not fast enough.
function nodeErrors(document: Document.Parsed, problem: Problem): Diagnostic[] {
  const found: Diagnostic[] = []
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
    Map(_, map) {
      const lines = new Map<string, number>()
      if (map.anchor) anchors.set(map.anchor, map)
      for (const { key } of map.items) {
        if (!isScalar(key) || !key.range) continue
        const name = String(key.value)
        const first = lines.get(name)
        const here = problem(key.range[0], key.range[1], '')
        if (first === undefined) lines.set(name, here.line)
        else
          found.push({ ...here, message: `\`${name}\` is already in line ${first}`, hint: 'keys are unique' })
      }
    },
  })
  return found
}

// More than any real catalog has, said before it is walked in earnest.
function excessOf(data: unknown): string | undefined {
  let left = MAX_VALUES
  const walk = (value: unknown, depth: number): string | undefined => {
    if (--left < 0) return `stands for more than ${MAX_VALUES} values`
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

function locator(document: Document.Parsed, text: string, place: PlaceOf): Locate {
  return ({ at, part, within }) => {
    const { key, value, reached } = descend(document.contents, at)
    const byKey = part === 'key' || !reached || isCollection(value)
    const range = ((byKey ? key : undefined) ?? value ?? key)?.range ?? [0, 0]
    if (within !== undefined && value?.range) {
      const found = text.indexOf(within, value.range[0])
      if (found !== -1 && found < value.range[1]) return place(found, found + within.length)
    }
    return place(range[0], range[1])
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

function childOf(node: Node | null, step: string | number): { key?: Node; value: Node | null } | undefined {
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
