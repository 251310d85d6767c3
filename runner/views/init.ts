// What init has written, what it left out, and what comes next.
import type { Proposal } from '../init/proposal.ts'
import { commandLine } from './command.ts'
import { alignRows } from './table.ts'

/** What was left out is listed up to here. */
const MOST_LISTED = 10

export function initLines(
  { about, notes, left }: Proposal,
  { manifest, schema, isDefault }: { manifest: string; schema: string; isDefault: boolean },
): string[] {
  const command = (verb: string) => (isDefault ? `proofsheet ${verb}` : commandLine(verb, manifest, {}))
  const written = [
    [manifest, about],
    [schema, 'lets editors complete and explain the manifest'],
  ]
  const next = [
    [command('plan'), 'what would be made, and for how much; buys nothing'],
    [command('run'), 'make it'],
  ]
  const more = left.length - MOST_LISTED
  const listed = alignRows(
    left.slice(0, MOST_LISTED).map(([what, why]) => [what, why]),
    ['left', 'left'],
  )
  return [
    ...alignRows(written, ['left', 'left']),
    ...(notes.length > 0 ? ['', ...notes] : []),
    ...(left.length > 0
      ? [
          '',
          `left out: ${left.length}`,
          ...listed.map((line) => `  ${line}`),
          ...(more > 0 ? [`  and ${more} more`] : []),
        ]
      : []),
    '',
    ...alignRows(next, ['left', 'left']),
  ]
}
