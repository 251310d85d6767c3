// The command line as a whole: its verbs in the order of their use, its help, its exit codes.
import { Command, Help, type Option } from 'commander'
import pkg from '../package.json' with { type: 'json' }
import { EXIT_MEANINGS, type ExitCode } from './exit.ts'
import type { Io } from './io.ts'
import { addMakingVerbs } from './verbs/making.ts'
import { addReadingVerbs } from './verbs/reading.ts'
import { addServingVerbs } from './verbs/serving.ts'

/** The program. `done` receives the exit code of the verb that ran. */
export function createProgram(io: Io, done: (code: ExitCode) => void): Command {
  const program = new Command('proofsheet')
    .description('See the price, then the pictures: one YAML manifest, a catalog of generated images.')
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .version(pkg.version)
    .exitOverride()
    .configureHelp({ optionDescription: described })
    .showHelpAfterError('(proofsheet --help and proofsheet <verb> --help say what there is)')
    .addHelpText('before', `${EXAMPLES}\n`)
    .addHelpText('after', `\n${helpTail()}`)
  addMakingVerbs(program, io, done)
  addReadingVerbs(program, io, done)
  addServingVerbs(program, io, done)
  return program
}

/** An option's line of help. That a flag is off unless it is given goes without saying. */
function described(this: Help, option: Option): string {
  const { defaultValue, description } = option
  const isOff = defaultValue === false || (Array.isArray(defaultValue) && defaultValue.length === 0)
  return isOff ? description : Help.prototype.optionDescription.call(this, option)
}

const EXAMPLES = `  proofsheet init --from ./photos    a manifest of a folder of photographs, or of a table
  proofsheet plan                    what would be made, and what it would cost
  proofsheet run                     make it; the same command resumes and retries
  proofsheet report                  the catalog as one page to look at and to pick from
  proofsheet models                  models, sizes and prices`

function helpTail(): string {
  const codes = EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`)
  return `${SELECTION}

Environment:
  GOOGLE_API_KEY, APIYI_API_KEY, TOKAIFY_API_KEY   providers of the embedded worker; without any, nothing is bought
  PROOFSHEET_URL, PROOFSHEET_TOKEN                 a deployed worker in its place
  NO_COLOR                                         no colours

Exit codes:
${codes.join('\n')}`
}

const SELECTION = `Terms of -s and -x:
  packshot/mug      this picture, its samples, and everything below it
  'packshot/*'      ids by pattern: * within one part, ** across parts, {a,b}
  +hero  hero+      and all it is made from; and all that is made from it
  status:new        a state of the plan, or made, picked, rejected
  tag:autumn        a tag
  model:nano-banana-pro`
