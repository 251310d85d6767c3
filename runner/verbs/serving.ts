// The verbs that need no manifest: models and dev.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { dev } from '../commands/dev.ts'
import { models } from '../commands/models.ts'
import { type ExitCode, UsageError } from '../exit.ts'
import { DEFAULT_MANIFEST, wholeNumber, workerOption } from '../flags.ts'
import type { Io } from '../io.ts'
import { LOCAL_PORT } from '../local/options.ts'
import { pathsOf } from '../state/state.ts'

const HIGHEST_PORT = 65_535

/** Adds them to the program. */
export function addServingVerbs(program: Command, io: Io, done: (code: ExitCode) => void): void {
  program
    .command('models')
    .summary('what can be made, by whom, for how much')
    .addOption(workerOption())
    .option('--json', 'as JSON', false)
    .action(async (o: { worker?: string; json: boolean }) => done(await models(o, io)))

  program
    .command('dev')
    .summary('the worker on this machine, for HTTP clients')
    .argument('[manifest]', 'whose storage it serves', DEFAULT_MANIFEST)
    .addOption(
      new Option('--port <n>', 'where it listens')
        .argParser(wholeNumber(0, HIGHEST_PORT))
        .default(LOCAL_PORT),
    )
    .action(async (manifest: string, { port }: { port: number }) => {
      const path = resolve(io.cwd, manifest)
      // A worker without a manifest is of use to HTTP clients; a slip in a name is a new, empty storage.
      if (manifest !== DEFAULT_MANIFEST && !existsSync(path))
        throw new UsageError(`there is no ${manifest}; a storage belongs to a manifest and lies beside it`)
      const interrupted = new AbortController()
      const ignore = io.onInterrupt(() => interrupted.abort())
      try {
        done(
          await dev(
            { stateDir: pathsOf(path).folder, port },
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
}
