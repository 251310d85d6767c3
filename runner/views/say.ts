// What a command says beside its answer and its progress.
import type { Output } from '../io.ts'
import type { ProgressKind } from './progress.ts'

/** Says a line on stderr, unless the command is to be silent or its stderr is read by programs. */
export function sayer(progress: ProgressKind, stderr: Pick<Output, 'write'>): (line: string) => void {
  const isTalking = progress !== 'quiet' && progress !== 'json'
  return (line) => void (isTalking && stderr.write(`${line}\n`))
}
