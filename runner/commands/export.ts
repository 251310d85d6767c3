// proofsheet export: the made pictures by id, for the site or the app that shows them. Buys nothing.
import { dirname, relative, resolve, sep } from 'node:path'
import { BEGINNINGS, type Format, formatted } from '../catalog/formats.ts'
import { catalogOf } from '../catalog/pictures.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { layersOf, type ManifestFlags, type SelectionFlags } from '../flags.ts'
import type { Io } from '../io.ts'
import { prepare } from '../prepare.ts'
import { outFolder, savedFiles } from '../run/save.ts'
import { targetOf } from '../target.ts'
import { notesOn } from '../views/export.ts'

export type ExportOptions = ManifestFlags &
  SelectionFlags & {
    manifest: string
    format: Format
    /** Where to write; default: stdout. */
    output?: string
    /** Every sample under its own id. */
    allSamples: boolean
    /** Where the pictures lie; default: `out/` beside the manifest. */
    outDir?: string
  }

const FORMAT_NAMES: Record<Format, string> = { json: 'JSON', csv: 'CSV', ts: 'TypeScript' }

export async function exportCatalog(options: ExportOptions, io: Io): Promise<ExitCode> {
  const { manifest, format, output } = options
  const kind = { name: `${FORMAT_NAMES[format]} export`, flag: '-o', begins: BEGINNINGS[format] } as const
  const target = output === undefined ? undefined : targetOf(output, kind, manifest, io)
  const { plan, session, sources } = await prepare(
    {
      manifest,
      worker: options.worker,
      layers: layersOf(options),
      selection: { include: options.select, exclude: options.exclude },
      repeat: { refused: false, uncertain: false },
    },
    false,
    io,
  )
  try {
    const home = dirname(resolve(io.cwd, manifest))
    const folder = outFolder(options, io.cwd)
    const made = plan.items.flatMap(({ item, entry }) => (entry?.image ? [{ item, entry }] : []))
    const saved = await savedFiles(made, folder)
    const catalog = catalogOf(plan, options, ({ item }) => {
      const path = saved.get(item.id)
      return path === undefined ? null : relative(home, path).replaceAll(sep, '/')
    })
    const text = formatted(catalog.pictures, format)
    if (target) target.write(text, sources)
    else io.stdout.data(text)
    for (const line of notesOn(catalog, options)) io.stderr.write(`${line}\n`)
    return EXIT.done
  } finally {
    await session.release()
  }
}
