// What is said beside an export: what is in it, what is not, and what would not work where it is going.
import type { Catalog } from '../catalog/pictures.ts'
import { commandLine } from './command.ts'
import { count } from './format.ts'

const REASONS: Record<string, string> = {
  new: 'not made yet',
  changed: 'changed since made',
  retry: 'without a picture last time',
  rejected: 'rejected',
}

/** The notes on an export, as lines. `output`: the file it was written to. */
export function notesOn(
  { pictures, left }: Catalog,
  { manifest, output }: { manifest: string; output?: string },
): string[] {
  const all = [...pictures.values()]
  const emulated = all.filter((picture) => picture.emulated).length
  const local = all.filter((picture) => isLocal(picture.url)).length
  const reasons = [...left].map(([reason, n]) => `${n} ${REASONS[reason] ?? reason}`)
  const toMake = [...left.keys()].some((reason) => reason !== 'rejected')
  return [
    ...(output === undefined ? [] : [`${count(pictures.size, 'picture')} written to ${output}`]),
    ...(pictures.size === 0 ? ['no picture is made yet, so the export is empty'] : []),
    ...(reasons.length > 0
      ? [
          `left out: ${reasons.join(', ')}${toMake ? ` (${commandLine('run', manifest, {})} makes what can be made)` : ''}`,
        ]
      : []),
    ...(emulated > 0
      ? [`${count(emulated, 'picture')} drawn by the emulator: a stand-in, marked as such`]
      : []),
    ...(local > 0
      ? [
          `${local === 1 ? '1 address leads to this machine and answers' : `${local} addresses lead to this machine and answer`} only while this runs: ${commandLine('dev', manifest, {})}`,
        ]
      : []),
  ]
}

/** Whether an address is of no use on another machine. */
export function isLocal(url: string): boolean {
  if (!URL.canParse(url)) return true
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)
}
