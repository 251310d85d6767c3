// Progress of a run on stderr, in three dresses over the same events: a window on a terminal, a line per picture
// elsewhere, JSON for programs; or nothing but what went wrong.
import type { Progress, ProgressContext } from './context.ts'
import { jsonProgress } from './events.ts'
import { lineOf, plainProgress } from './plain.ts'
import { windowProgress } from './window.ts'

export const PROGRESS = ['auto', 'tty', 'plain', 'json', 'quiet'] as const
export type ProgressKind = (typeof PROGRESS)[number]

/** The progress of a kind; `auto` is a window on a terminal that can be repainted, else plain lines. */
export function progressOf(kind: ProgressKind, context: ProgressContext): Progress {
  const chosen = kind === 'auto' ? (context.stderr.isTerminal ? 'tty' : 'plain') : kind
  switch (chosen) {
    case 'tty':
      return windowProgress(context)
    case 'plain':
      return plainProgress(context)
    case 'json':
      return jsonProgress(context)
    case 'quiet':
      return quietProgress(context)
  }
}

function quietProgress({ stderr }: ProgressContext): Progress {
  return {
    event(event) {
      if (event.type === 'failed' || event.type === 'unfetched' || event.type === 'stopping')
        stderr.write(`${lineOf(event)}\n`)
    },
    end: () => {},
  }
}
