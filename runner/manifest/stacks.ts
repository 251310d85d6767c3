// Parsing what is not what it says makes an error at every sign of it.

/** Runs `work` with errors that have no stack: most of the time of making an error goes into one, and nobody reads these. */
export function withoutStacks<T>(work: () => T): T {
  const { stackTraceLimit } = Error
  try {
    Error.stackTraceLimit = 0
    return work()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
