// The verbs that lead to pictures: init, check, plan, run. Each action hands its flags to one command, and on its exit
// code.
import { type Command, Option } from 'commander'
import { type CheckOptions, check } from '../commands/check.ts'
import { type InitOptions, init } from '../commands/init.ts'
import { type PlanOptions, plan } from '../commands/plan.ts'
import { run } from '../commands/run.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import {
  amountOf,
  DEFAULT_CONCURRENCY,
  DEFAULT_MANIFEST,
  readsManifest,
  repeatsItems,
  selectsItems,
  wholeNumber,
} from '../flags.ts'
import type { Io } from '../io.ts'
import { MAX_PICTURES } from '../manifest/expand.ts'
import type { RunOptions } from '../run/options.ts'
import { PROGRESS } from '../views/progress.ts'

const MANIFEST = ['[manifest]', 'the manifest', DEFAULT_MANIFEST] as const
const MOST_IN_FLIGHT = 256

/** Adds them to the program. */
export function addMakingVerbs(program: Command, io: Io, done: (code: ExitCode) => void): void {
  program
    .command('init')
    .addHelpText('before', INIT_EXAMPLES)
    .summary('write a manifest that works, and the schema its editor reads')
    .argument(...MANIFEST)
    .option('--from <folder|table>', 'a folder of photographs, or a table (.csv, .jsonl, .yaml)')
    .action(async (manifest: string, o: InitOptions) => done(await init({ ...o, manifest }, io)))

  readsManifest(program.command('check'))
    .summary('is the manifest right? sends nothing')
    .argument(...MANIFEST)
    .option('--json', 'the problems as JSON', false)
    .action(async (manifest: string, o: CheckOptions) => done(await check({ ...o, manifest }, io)))

  repeatsItems(selectsItems(readsManifest(program.command('plan'))))
    .addHelpText('before', PLAN_EXAMPLES)
    .summary('what would be made, why, and for how much; buys nothing')
    .argument(...MANIFEST)
    .addOption(limitOption())
    .addOption(maxCostOption())
    .option('--why <term>', 'explain these pictures: what changed since they were made')
    .option('--compare [model...]', 'what it would cost on other models and providers: nano-banana-pro@apiyi')
    .option('--out <file>', 'save the plan, for run --plan')
    .option('--exit-code', `exit ${EXIT.toMake} when there is something to make`, false)
    .option('--json', 'the plan as JSON', false)
    .action(async (manifest: string, o: PlanOptions) => done(await plan({ ...o, manifest }, io)))

  repeatsItems(selectsItems(readsManifest(program.command('run'))))
    .addHelpText('before', RUN_EXAMPLES)
    .summary('make it; also resumes and retries')
    .argument(...MANIFEST)
    .option('-y, --yes', 'buy without being asked', false)
    .addOption(
      new Option('-j, --concurrency <n>', 'pictures in flight')
        .argParser(wholeNumber(1, MOST_IN_FLIGHT))
        .default(DEFAULT_CONCURRENCY),
    )
    .option('--plan <file>', 'buy what was saved with plan --out, and nothing else')
    .option('--detach', 'hand all over to a deployed worker as one batch, and end', false)
    .option('--attach [batch]', 'follow a batch, by default all that are not fetched yet; buys nothing')
    .addOption(limitOption())
    .addOption(maxCostOption())
    .option('--fail-fast', 'start nothing more after the first failure', false)
    .option('--out-dir <folder>', 'where the pictures go (default: out/ beside the manifest)')
    .option('--no-download', 'leave the pictures on the worker')
    .addOption(new Option('--progress <kind>', 'how progress is shown').choices(PROGRESS).default('auto'))
    .option('--json', 'the result as JSON on stdout', false)
    .action(async (manifest: string, o: RunOptions) => done(await run({ ...o, manifest }, io)))
}

const INIT_EXAMPLES = `  proofsheet init                          a small example that runs as it is
  proofsheet init --from ./photos          one picture for each photograph
  proofsheet init shop.yaml --from feed.csv   one picture for each row
`

const PLAN_EXAMPLES = `  proofsheet plan                          all that is to be made
  proofsheet plan -s packshot -x '**/top'  some of it
  proofsheet plan --profile draft --set size=512
  proofsheet plan --why packshot/mug       what has changed since it was made
  proofsheet plan --compare                the price on every model and provider
`

const RUN_EXAMPLES = `  proofsheet run                           make what is missing; go on after a stop
  proofsheet run --limit 3                 a few first
  proofsheet run --max-cost 5 -j 16 --yes  without being asked, within a limit
  proofsheet run --detach --yes            leave it to the worker; --attach fetches the pictures
  proofsheet run --redo -s packshot/mug    buy one again
  proofsheet run --refused --uncertain     also what is not repeated by itself
`

function limitOption(): Option {
  return new Option('--limit <n>', 'at most so many pictures').argParser(wholeNumber(1, MAX_PICTURES))
}

function maxCostOption(): Option {
  return new Option(
    '--max-cost <usd>',
    'spend at most so much; lowers budget.max, never raises it',
  ).argParser(amountOf)
}
