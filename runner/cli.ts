#!/usr/bin/env node
// The command line: words to options, options to a command, errors to exit codes. The process's streams, clock and
// environment are taken here and passed on.
import { createInterface } from 'node:readline/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT, exitOf, Interrupted } from './exit.ts'
import type { Io, Output } from './io.ts'
import { createProgram } from './program.ts'
import { isUnicode, spelled } from './views/signs.ts'

// An empty NO_COLOR counts as none (no-color.org).
const color = !process.env.NO_COLOR && process.env.TERM !== 'dumb'
const unicode = isUnicode(process.env)

function output(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(spelled(text, { unicode })),
    data: (text) => void stream.write(text),
    isTerminal: stream.isTTY === true && process.env.TERM !== 'dumb' && process.env.CI === undefined,
    color: stream.isTTY === true && color,
    unicode,
    // Some pseudo-terminals have a size of 0.
    get columns() {
      return stream.columns || 80
    },
    get rows() {
      return stream.rows || 24
    },
  }
}

const io: Io = {
  stdout: output(process.stdout),
  stderr: output(process.stderr),
  interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
  async confirm(question) {
    const prompt = createInterface({ input: process.stdin, output: process.stderr })
    try {
      return /^y(es)?$/i.test((await prompt.question(spelled(`${question} [y/N] `, { unicode }))).trim())
    } catch (cause) {
      process.stderr.write('\n')
      throw new Interrupted('Nothing was sent.', { cause })
    } finally {
      prompt.close()
    }
  },
  env: process.env,
  cwd: process.cwd(),
  pid: process.pid,
  now: Date.now,
  sleep: async (ms, signal) => void (await sleep(ms, undefined, signal ? { signal } : {})),
  every(ms, tick) {
    const timer = setInterval(tick, ms)
    timer.unref()
    return () => clearInterval(timer)
  },
  fetch: globalThis.fetch,
  onInterrupt(listener) {
    process.on('SIGINT', listener)
    return () => void process.off('SIGINT', listener)
  },
}

// Whoever reads us may stop reading; that is no reason to end a run that is being paid for.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

let code: number = EXIT.done
const program = createProgram(io, (result) => {
  code = result
})
try {
  await program.parseAsync(process.argv)
} catch (error) {
  const known = exitOf(error)
  code = known?.code ?? EXIT.bug
  const message = known ? known.message : `a bug: ${(error as Error).stack ?? error}`
  if (message) io.stderr.write(`proofsheet: ${message}\n`)
}
process.exitCode = code
