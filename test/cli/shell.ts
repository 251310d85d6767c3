// The terminal of a spec: a folder, an environment, and the few commands that a spec is told in. `proofsheet` runs in this
// process; what it writes is kept line by line, in the order of writing.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Io, Output } from '../../runner/io.ts'
import { untilEnded } from '../../runner/local/attach.ts'
import { type Sandbox, type Stack, sandbox } from '../runner/sandbox.ts'
import { drawPhoto } from './photo.ts'

export type Shell = {
  folder: string
  /** Runs a command and gives the lines it printed: stderr with `! ` before it, then the exit code unless it is 0.
   *  Throws for what is no command, and where the spec asks for what cannot be. */
  run(command: string): Promise<string[]>
  write(name: string, content: string): void
  /** Waits for the embedded worker, if there is one, and removes the folder. */
  close(): Promise<void>
}

type Command = (rest: string, shell: State) => string[] | Promise<string[]>

/** What commands before change for the next one. */
type State = {
  box: Sandbox
  env: Record<string, string>
  answer?: string
  interruption?: { text: string; times: number }
  date?: string
}

/** A terminal whose commands go to the worker of `stack`, or, when `isEmbedded`, to one of their own. */
export function openShell(stack: Stack, isEmbedded: boolean): Shell {
  const box = sandbox(stack)
  const { url, token, emulator } = stack
  const state: State = {
    box,
    env: {
      PATH: process.env.PATH!,
      EMULATOR: emulator.url,
      ...(isEmbedded ? {} : { PROOFSHEET_URL: url, PROOFSHEET_TOKEN: token }),
    },
  }
  return {
    folder: box.folder,
    write: box.write,
    run: async (command) => {
      const [name = '', rest = ''] = /^(\S+)(?:\s+([\s\S]*))?$/.exec(command.trim())?.slice(1) ?? []
      const known = COMMANDS[name]
      if (!known) throw new Error(`there is no command \`${name}\`: ${Object.keys(COMMANDS).join(', ')}`)
      return known(rest, state)
    },
    async close() {
      if (isEmbedded) await untilEnded(join(box.folder, '.proofsheet'), 20_000)
      rmSync(box.folder, { recursive: true, force: true })
    },
  }
}

const COMMANDS: Record<string, Command> = {
  proofsheet,

  /** `edit FILE: FROM => TO` replaces the first occurrence; `\n` is a line break. */
  edit(rest, { box }) {
    const [, file, from, to] = /^(\S+): (.*?) => (.*)$/.exec(rest) ?? fail('edit FILE: FROM => TO')
    box.edit(file!, from!.replaceAll('\\n', '\n'), to!.replaceAll('\\n', '\n'))
    return []
  },

  rm(rest, { box }) {
    for (const name of rest.split(' ')) rmSync(join(box.folder, name), { recursive: true })
    return []
  },

  mv(rest, { box }) {
    const [from, to] = rest.split(' ')
    mkdirSync(dirname(join(box.folder, to!)), { recursive: true })
    renameSync(join(box.folder, from!), join(box.folder, to!))
    return []
  },

  cat: (rest, { box }) => linesOf(box.read(rest)),

  /** Every file below the folders, sorted. */
  ls: (rest, { box }) =>
    rest.split(' ').flatMap((name) => {
      if (!existsSync(join(box.folder, name))) return [`! there is no ${name}`]
      return readdirSync(join(box.folder, name), { recursive: true, encoding: 'utf8' })
        .map((below) => join(name, below).replaceAll('\\', '/'))
        .filter((path) => statSync(join(box.folder, path)).isFile())
        .sort()
    }),

  /** `photo FILE WIDTHxHEIGHT [BYTES bytes]` draws a picture; its colour follows from its name. */
  async photo(rest, { box }) {
    const [, name, width, height, bytes] =
      /^(\S+) (\d+)x(\d+)(?: (\d+) bytes)?$/.exec(rest) ?? fail('photo FILE WIDTHxHEIGHT [BYTES bytes]')
    box.write(name!, await drawPhoto(name!, Number(width), Number(height), Number(bytes ?? 0)))
    return []
  },

  /** `bytes FILE HEX…` writes a file that is no text. */
  bytes(rest, { box }) {
    const [name, ...hex] = rest.split(' ')
    box.write(name!, Buffer.from(hex.join(''), 'hex'))
    return []
  },

  /** `emulator calls`: the picture requests that providers saw since this was asked before. */
  emulator: (rest, { box }) => (rest === 'calls' ? [String(box.calls())] : fail('emulator calls')),

  export(rest, state) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(rest) ?? fail('export NAME=VALUE')
    state.env[name!] = expandNames(value!, state.env)
    return []
  },

  unset(rest, { env }) {
    delete env[rest]
    return []
  },

  /** `terminal yes` or `terminal no`: the next command is asked for on a terminal, where somebody answers this. */
  terminal(rest, state) {
    state.answer = rest
    return []
  },

  /** `interrupt [twice] at TEXT`: Ctrl-C as soon as the next command has printed this. */
  interrupt(rest, state) {
    const [, twice, text] = /^(twice )?at (.+)$/.exec(rest) ?? fail('interrupt [twice] at TEXT')
    state.interruption = { text: text!, times: twice ? 2 : 1 }
    return []
  },

  /** `date 2026-11-20`: the clock of the commands that follow. */
  date(rest, state) {
    state.date = rest
    return []
  },
}

async function proofsheet(rest: string, state: State): Promise<string[]> {
  const { box, env, date } = state
  const [, line, target] = /^(.*?)(?: > (\S+))?$/.exec(rest)!
  const lines: string[] = []
  let told = ''
  const listeners = new Set<() => void>()
  const heard = (text: string) => {
    told += text
    const { interruption } = state
    if (!interruption || !told.includes(interruption.text)) return
    delete state.interruption
    for (let n = 0; n < interruption.times; n++) for (const listener of [...listeners]) listener()
  }
  const stdout = collect('', lines, heard)
  const stderr = collect('! ', lines, heard)
  const redirected: string[] = []
  const redirect = (text: string) => void redirected.push(text)
  const { answer } = state
  delete state.answer
  const changes: Partial<Io> = {
    env,
    stdout: target ? { ...stdout, write: redirect, data: redirect } : stdout,
    stderr,
    // Pauses between tries are the subject of other tests.
    sleep: async (ms, signal) => void (await sleep(Math.min(ms, 20), undefined, signal ? { signal } : {})),
    onInterrupt: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    ...(date ? { now: clockFrom(date) } : {}),
    ...(answer === undefined
      ? {}
      : {
          interactive: true,
          confirm: async (question) => {
            stderr.write(`${question} [y/N] ${answer}\n`)
            return /^y(es)?$/i.test(answer)
          },
        }),
  }
  const result = await box.proofsheet(wordsOf(line!, env), changes).catch((error: Error) => ({
    code: BUG,
    stderr: `a bug: ${error.stack}\n`,
  }))
  // What the rim says goes past the streams of the command.
  stderr.write(result.stderr)
  stdout.end()
  stderr.end()
  if (target) box.write(target, redirected.join(''))
  const shown = lines.map((text) => text.replaceAll(box.folder, '.'))
  return result.code === 0 ? shown : [...shown, `[exit ${result.code}]`]
}

/** A command ends so by a bug alone: no page may expect it. */
export const BUG = 1

/** A stream that puts whole lines into a list. */
function collect(prefix: string, lines: string[], heard: (text: string) => void) {
  let begun = ''
  const put = (line: string) => lines.push(`${prefix}${line}`.trimEnd())
  const take = (text: string) => {
    const [...whole] = `${begun}${text}`.split('\n')
    begun = whole.pop()!
    whole.forEach(put)
    heard(text)
  }
  const output: Output = {
    write: take,
    data: take,
    isTerminal: false,
    color: false,
    columns: 80,
    rows: 24,
    unicode: true,
  }
  return { ...output, end: () => begun && put(begun) }
}

function clockFrom(date: string): () => number {
  const [noon, started] = [Date.parse(`${date}T12:00:00Z`), Date.now()]
  return () => noon + Date.now() - started
}

/** The words of a line; quotes hold together, and names of the environment are filled in outside single ones. */
export function wordsOf(line: string, env: Readonly<Record<string, string>>): string[] {
  const words = line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)
  return [...words].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"|([^'"]+)/g, (_, single, double, bare) =>
      single === undefined ? expandNames(double ?? bare, env) : single,
    ),
  )
}

function expandNames(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$([A-Z_]+)/g, (whole, name: string) => env[name] ?? whole)
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n')
}

function fail(usage: string): never {
  throw new Error(`it is written as: ${usage}`)
}
