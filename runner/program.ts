// The verbs and their flags. Each action parses its options, calls one command and hands on its exit code.
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import pkg from '../package.json' with { type: 'json' }
import { check } from './commands/check.ts'
import { dev } from './commands/dev.ts'
import { models } from './commands/models.ts'
import { plan } from './commands/plan.ts'
import { run } from './commands/run.ts'
import { EXIT, EXIT_MEANINGS, type ExitCode } from './exit.ts'
import type { Io } from './io.ts'
import { LOCAL_PORT } from './local/options.ts'
import { pathsOf } from './state/state.ts'
import { PROGRESS, type ProgressKind } from './views/progress.ts'

const DEFAULT_MANIFEST = 'catalog.yaml'
const DEFAULT_CONCURRENCY = 8

/** The program. `done` receives the exit code of the verb that ran. */
export function createProgram(io: Io, done: (code: ExitCode) => void): Command {
  const program = new Command('proofsheet')
    .description('See the price, then the pictures: one YAML manifest, a catalog of generated images.')
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .version(pkg.version)
    .exitOverride()
    .addHelpText('before', `${EXAMPLES}\n`)
    .addHelpText('after', `\n${helpTail()}`)

  const manifest = ['[manifest]', 'the manifest', DEFAULT_MANIFEST] as const
  const worker = () =>
    new Option('--worker <url>', 'a deployed worker (default: $PROOFSHEET_URL, else an embedded one)')

  program
    .command('check')
    .summary('is the manifest right? sends nothing')
    .argument(...manifest)
    .addOption(worker())
    .action(async (path: string, o) => done(await check({ manifest: path, ...o }, io)))

  program
    .command('plan')
    .summary('what would be made, why, and for how much; buys nothing')
    .argument(...manifest)
    .addOption(worker())
    .option('--refused', 'also plan what was refused last time', false)
    .option('--uncertain', 'also plan what may have been charged already', false)
    .option('--exit-code', `exit ${EXIT.toMake} when there is something to make`, false)
    .option('--json', 'the plan as JSON', false)
    .action(async (path: string, o) => done(await plan({ manifest: path, ...o }, io)))

  program
    .command('run')
    .summary('make it; also resumes and retries')
    .argument(...manifest)
    .addOption(worker())
    .option('-y, --yes', 'buy without being asked', false)
    .addOption(
      new Option('-j, --concurrency <n>', 'pictures in flight')
        .argParser(wholeNumber)
        .default(DEFAULT_CONCURRENCY),
    )
    .option('--out-dir <folder>', 'where the pictures go (default: out/ beside the manifest)')
    .option('--no-download', 'leave the pictures on the worker')
    .option('--refused', 'also repeat what was refused last time', false)
    .option('--uncertain', 'also repeat what may have been charged already', false)
    .addOption(new Option('--progress <kind>', 'how progress is shown').choices(PROGRESS).default('auto'))
    .option('--json', 'the result as JSON on stdout', false)
    .action(async (path: string, o: Parameters<typeof run>[0] & { progress: ProgressKind }) =>
      done(await run({ ...o, manifest: path }, io)),
    )

  program
    .command('models')
    .summary('what can be made, by whom, for how much')
    .addOption(worker())
    .option('--json', 'as JSON', false)
    .action(async (o) => done(await models(o, io)))

  program
    .command('dev')
    .summary('the worker on this machine, for HTTP clients')
    .argument('[manifest]', 'whose storage it serves', DEFAULT_MANIFEST)
    .addOption(new Option('--port <n>', 'where it listens').argParser(portNumber).default(LOCAL_PORT))
    .action(async (path: string, { port }: { port: number }) => {
      const interrupted = new AbortController()
      const ignore = io.onInterrupt(() => interrupted.abort())
      try {
        done(
          await dev(
            { stateDir: pathsOf(resolve(io.cwd, path)).folder, port },
            {
              env: io.env,
              write: (text) => io.stdout.write(text),
              report: (line) => io.stderr.write(`${line}\n`),
              interrupted: interrupted.signal,
            },
          ),
        )
      } finally {
        ignore()
      }
    })

  return program
}

const EXAMPLES = `  proofsheet plan shop.yaml          what would be made, and what it would cost
  proofsheet run shop.yaml           make it
  proofsheet models                  models, sizes and prices`

function helpTail(): string {
  const codes = EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`)
  return `Exit codes:\n${codes.join('\n')}`
}

function portNumber(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('a port, 0 to 65535')
  return value
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 256)
    throw new InvalidArgumentError('a whole number from 1 to 256')
  return value
}
