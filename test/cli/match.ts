// What should be printed against what was: `[..]` stands for any text within a line, a line `...` for any lines.

/** A step of the way from expected to printed lines. */
type Step =
  | { kind: 'same'; expected: string; printed: string }
  | { kind: 'elided' }
  | { kind: 'missing'; expected: string }
  | { kind: 'extra'; printed: string }

const ELIDED_LINES = '...'
const ELIDED_TEXT = '[..]'

/** How printed lines follow from expected ones, with as few missing and extra lines as can be. */
function compare(expected: readonly string[], printed: readonly string[]): Step[] {
  const [rows, columns] = [expected.length, printed.length]
  const patterns = expected.map(patternOf)
  // The cost of the rest from each place, filled from the end.
  const cost = Array.from({ length: rows + 1 }, () => new Array<number>(columns + 1).fill(0))
  for (let i = rows; i >= 0; i--)
    for (let j = columns; j >= 0; j--) {
      if (i === rows) cost[i]![j] = columns - j
      else if (expected[i] === ELIDED_LINES)
        cost[i]![j] = Math.min(cost[i + 1]![j]!, j < columns ? cost[i]![j + 1]! : Number.POSITIVE_INFINITY)
      else if (j === columns) cost[i]![j] = 1 + cost[i + 1]![j]!
      else if (patterns[i]!.test(printed[j]!)) cost[i]![j] = cost[i + 1]![j + 1]!
      else cost[i]![j] = 1 + Math.min(cost[i + 1]![j]!, cost[i]![j + 1]!)
    }
  const steps: Step[] = []
  for (let [i, j] = [0, 0]; i < rows || j < columns; ) {
    if (i === rows) steps.push({ kind: 'extra', printed: printed[j++]! })
    else if (expected[i] === ELIDED_LINES) {
      while (j < columns && cost[i]![j] !== cost[i + 1]![j]) j++
      steps.push({ kind: 'elided' })
      i++
    } else if (j < columns && patterns[i]!.test(printed[j]!))
      steps.push({ kind: 'same', expected: expected[i++]!, printed: printed[j++]! })
    else if (j === columns || cost[i + 1]![j]! <= cost[i]![j + 1]!)
      steps.push({ kind: 'missing', expected: expected[i++]! })
    else steps.push({ kind: 'extra', printed: printed[j++]! })
  }
  return steps
}

/** The difference as lines, `-` expected and `+` printed; undefined where there is none. */
export function difference(expected: readonly string[], printed: readonly string[]): string[] | undefined {
  const steps = compare(trimmed(expected), trimmed(printed))
  if (steps.every((step) => step.kind === 'same' || step.kind === 'elided')) return undefined
  return steps.map(shown)
}

function shown(step: Step): string {
  switch (step.kind) {
    case 'same':
      return `  ${step.printed}`
    case 'elided':
      return `  ${ELIDED_LINES}`
    case 'missing':
      return `- ${step.expected}`
    case 'extra':
      return `+ ${step.printed}`
  }
}

/** What to expect from now on: lines that fit stay as they were written, new ones without what changes from run to run. */
export function accepted(expected: readonly string[], printed: readonly string[]): string[] {
  return compare(trimmed(expected), trimmed(printed)).flatMap(kept)
}

function kept(step: Step): string[] {
  switch (step.kind) {
    case 'same':
      return [step.expected]
    case 'elided':
      return [ELIDED_LINES]
    case 'missing':
      return []
    case 'extra':
      return [lasting(step.printed)]
  }
}

// Addresses, ids, digests, instants, durations, and sizes of what the emulator drew.
const PASSING: readonly RegExp[] = [
  /https?:\/\/127\.0\.0\.1:\d+[^\s",]*/g,
  /\bgen_[0-9a-z]{26}\b/g,
  /\b[0-9a-f]{64}\b/g,
  /\b\d{4}-\d\d-\d\dT[\d:.]+Z\b/g,
  /(?<=prices of )\d{4}-\d\d-\d\d\b/g,
  /(?<="(recordedAt|ms|bytes)": ?)\d+\b/g,
  /(?<=\b(in|,) )\d+(\.\d+)? ?(ms|s|min)( \d+ ?s)?(?=[:;,]|$)/g,
  /\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b/g,
  /(?<=reference \S+: )[0-9a-f]{8} → [0-9a-f]{8}\b/g,
  /\b[\d.]+ [KM]B\b/g,
]

function lasting(line: string): string {
  return PASSING.reduce((text, pattern) => text.replace(pattern, ELIDED_TEXT), line)
}

function patternOf(line: string): RegExp {
  const parts = line.split(ELIDED_TEXT).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 'u')
}

/** Without white space at the ends of lines and without blank lines at the end, which nobody sees. */
function trimmed(lines: readonly string[]): string[] {
  const seen = lines.map((line) => line.trimEnd())
  while (seen.at(-1) === '') seen.pop()
  return seen
}
