// One event per line, for programs. The first line names the format, so that a reader can refuse what it does not know.
import type { Progress, ProgressContext } from './progress.ts'

/** Writes events as JSON lines on stderr. */
export function jsonProgress({ stderr, total, now }: ProgressContext): Progress {
  const write = (line: object) => stderr.write(`${JSON.stringify(line)}\n`)
  write({ type: 'version', format: 'proofsheet-events', version: 1, total })
  return {
    event: (event) => write({ ...event, at: new Date(now()).toISOString() }),
    end: () => {},
  }
}
