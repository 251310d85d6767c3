// What run and run --attach show while pictures come, what they leave on the screen, and their exit code.
import { relative } from 'node:path'
import type { MicroUsd } from '../../core/money.ts'
import type { Client } from '../client.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import type { Io } from '../io.ts'
import { LOCAL_PORT } from '../local/options.ts'
import type { Plan } from '../plan/plan.ts'
import type { Prepared } from '../prepare.ts'
import { continuing, repeating } from '../run/again.ts'
import type { Summary } from '../run/events.ts'
import type { Interrupts } from '../run/interrupts.ts'
import type { RunOptions } from '../run/options.ts'
import { type Ended, type Work, work } from '../run/work.ts'
import { commandLine } from '../views/command.ts'
import { count } from '../views/format.ts'
import { progressOf } from '../views/progress.ts'
import { resultJson } from '../views/result.ts'
import { sayer } from '../views/say.ts'
import { adoptedLines, closingLines, openEnds, pictureLines } from '../views/summary.ts'

/** Has the pictures made, or followed, and shows how it goes. */
export async function shown(
  prepared: Prepared,
  tasks: Work,
  options: RunOptions,
  heard: Interrupts,
  client: Client | undefined,
  io: Io,
): Promise<Ended> {
  const { quote, emulated } = prepared.plan
  const { stderr, now, every, cwd } = io
  const total = tasks.wanted.length
  const progress = progressOf(options.progress, { stderr, total, quote, emulated, now, every })
  try {
    return await work(prepared, tasks, options, heard, client, { now, cwd, emit: progress.event })
  } finally {
    progress.end()
  }
}

/** Prints the pictures, what became of the others, and what to do next. */
export async function finish(
  prepared: Prepared,
  { wanted, missing, limit }: Pick<Work, 'wanted' | 'missing'> & { limit: MicroUsd | undefined },
  ended: Ended,
  options: RunOptions,
  io: Io,
): Promise<ExitCode> {
  const { plan, state } = prepared
  const say = sayer(options.progress, io.stderr)
  const { summary, unfetched, notFetched } = ended
  if (options.json)
    io.stdout.data(`${JSON.stringify(resultJson(ended, { limit, blocked: ended.blocked }), null, 2)}\n`)
  else for (const line of pictureLines(ended)) io.stdout.write(`${line}\n`)
  if (wanted.length > 0) {
    const lockPath = relative(io.cwd, state.lockPath)
    const dev = await devCommand(prepared, options)
    const again = continuing(options, ended)
    for (const line of closingLines(ended, { lockPath, limit, dev, again })) say(line)
  } else {
    const done = plan.items.filter((p) => p.selected && p.state === 'done').length
    if (missing.length === 0)
      say(
        `${openEnds(plan).length > 0 ? 'There is nothing to start' : 'There is nothing to do'}: ${count(done, 'picture')} made.`,
      )
    if (notFetched > 0)
      say(`${count(notFetched, 'picture')} still to be fetched; to go on:  ${repeating(options)}`)
    for (const line of [...adoptedLines(ended.adopted), ...openEnds(plan)]) say(line)
  }
  return notFetched > 0 ? EXIT.interrupted : exitCodeOf(summary, unfetched, plan)
}

/** The command under which the addresses of an embedded worker answer again: it must listen where this one did. */
async function devCommand({ session }: Prepared, { manifest }: RunOptions): Promise<string | undefined> {
  if (!session.isEmbedded) return undefined
  const { port } = new URL((await session.client()).url)
  return port === String(LOCAL_PORT) ? commandLine('dev', manifest, {}) : undefined
}

function exitCodeOf(summary: Summary, unfetched: number, plan: Plan): ExitCode {
  const { failed, refused, uncertain, blocked, left } = summary
  switch (summary.stopped) {
    case 'unauthorised':
      return EXIT.unauthorised
    case 'unavailable':
    case 'unwritable':
      return EXIT.unavailable
    case 'budget':
    case 'token_budget':
      return EXIT.budget
    case 'interrupted':
      if (left > 0) return EXIT.interrupted
  }
  const lacking = failed + refused + uncertain + blocked + unfetched + openEnds(plan).length
  return lacking > 0 ? EXIT.incomplete : EXIT.done
}
