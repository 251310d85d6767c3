// The verbs about what is made: show, pick, report, export. None of them buys anything.
import { type Command, Option } from 'commander'
import { FORMATS } from '../catalog/formats.ts'
import { type ExportOptions, exportCatalog } from '../commands/export.ts'
import { type PickOptions, pick } from '../commands/pick.ts'
import { type ReportOptions, report } from '../commands/report.ts'
import { type ShowOptions, show } from '../commands/show.ts'
import type { ExitCode } from '../exit.ts'
import { DEFAULT_MANIFEST, layersOf, type ManifestFlags, readsManifest, selectsItems } from '../flags.ts'
import type { Io } from '../io.ts'
import { prepare } from '../prepare.ts'

/** Adds them to the program. */
export function addReadingVerbs(program: Command, io: Io, done: (code: ExitCode) => void): void {
  readsManifest(program.command('show'))
    .summary('one picture: where each value comes from, the request, its history')
    .argument('<id>', 'its id, as in packshot/mug')
    .addOption(manifestOption())
    .addOption(outDirOption())
    .option('--json', 'as JSON', false)
    .action(async (id: string, o: ShowOptions) => done(await show({ ...o, id }, io)))

  readsManifest(program.command('pick'))
    .addHelpText('before', PICK_EXAMPLES)
    .summary('say which of several samples is the one, or which picture will not do')
    .argument('[ids...]', 'pictures, as in packshot/mug#2')
    .addOption(manifestOption())
    .option('--reject', 'it will not do: found with -s status:rejected', false)
    .option('--clear', 'take back what was said', false)
    .option('--list', 'what there is to pick from', false)
    .addOption(outDirOption())
    .action(async (ids: string[], o: PickOptions & ManifestFlags) => {
      const repeat = { refused: false, uncertain: false }
      // A picture that an edit, taken back, has made the item's again is in its place before it is spoken of.
      const asked = { ...o, layers: layersOf(o), repeat, lookup: false }
      const { manifest, session, state } = await prepare(asked, true, io)
      try {
        for (const line of state.fold()) io.stderr.write(`${line}\n`)
        done(await pick({ ...o, ids }, io, manifest.items))
      } finally {
        await session.release()
      }
    })

  selectsItems(readsManifest(program.command('report')))
    .summary('the catalog as one HTML page, to look at and to pick from')
    .argument('[manifest]', 'the manifest', DEFAULT_MANIFEST)
    .option('-o, --output <file>', 'where the page goes', 'report.html')
    .option('--inline', 'put small copies of the pictures into the page', false)
    .addOption(outDirOption())
    .action(async (manifest: string, o: ReportOptions) => done(await report({ ...o, manifest }, io)))

  selectsItems(readsManifest(program.command('export')))
    .summary('the made pictures as data: id, address, size, file')
    .argument('[manifest]', 'the manifest', DEFAULT_MANIFEST)
    .addOption(new Option('--format <format>', 'what is written').choices(FORMATS).default('json'))
    .option('-o, --output <file>', 'where it goes (default: stdout)')
    .option('--all-samples', 'every sample, not only the picked one', false)
    .addOption(outDirOption())
    .action(async (manifest: string, o: ExportOptions) => done(await exportCatalog({ ...o, manifest }, io)))
}

const PICK_EXAMPLES = `  proofsheet pick --list                   what there is to pick from
  proofsheet pick packshot/mug#2           the second sample is the one
  proofsheet pick --reject packshot/lamp && proofsheet run --redo -s status:rejected
`

function manifestOption(): Option {
  return new Option('-m, --manifest <file>', 'the manifest').default(DEFAULT_MANIFEST)
}

function outDirOption(): Option {
  return new Option('--out-dir <folder>', 'where the pictures are (default: out/ beside the manifest)')
}
