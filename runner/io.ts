// What a command may touch of the process it runs in. Built once in cli.ts; tests build their own.

export type Io = {
  /** The answer. */
  stdout: Output
  /** Progress, questions and complaints. */
  stderr: Output
  /** Whether a question can be asked. */
  interactive: boolean
  /** Asks on stderr; true only for a yes. */
  confirm: (question: string) => Promise<boolean>
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  pid: number
  now: () => number
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Calls back every so many ms until the returned function is called. */
  every: (ms: number, tick: () => void) => () => void
  fetch: typeof fetch
  /** Calls back on every Ctrl-C until the returned function is called. */
  onInterrupt: (listener: () => void) => () => void
}

export type Output = {
  /** A text for people: signs that cannot be shown are spelled. */
  write(text: string): void
  /** A text for programs, as it is. */
  data(text: string): void
  /** A terminal that can be repainted. */
  isTerminal: boolean
  /** Colours may be used. */
  color: boolean
  /** Signs beyond ASCII are shown as they are. */
  unicode: boolean
  columns: number
  rows: number
}
