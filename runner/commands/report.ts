// proofsheet report: the catalog as one page to look at, to send, and to pick from. Buys nothing.
import { dirname } from 'node:path'
import { EXIT, type ExitCode } from '../exit.ts'
import { layersOf, type ManifestFlags, type SelectionFlags } from '../flags.ts'
import type { Io } from '../io.ts'
import { prepare } from '../prepare.ts'
import { costOf, lastOf, rowsOf } from '../report/data.ts'
import { REPORT_BEGINS, reportPage } from '../report/page.ts'
import { sourcesOf } from '../report/sources.ts'
import { outFolder, savedFiles } from '../run/save.ts'
import { targetOf } from '../target.ts'
import { commandLine } from '../views/command.ts'
import { count, fileSize } from '../views/format.ts'

export type ReportOptions = ManifestFlags &
  SelectionFlags & {
    manifest: string
    /** Where the page is written. */
    output: string
    /** Puts small copies of the saved pictures into the page. */
    inline: boolean
    /** Where the pictures lie; default: `out/` beside the manifest. */
    outDir?: string
  }

export async function report(options: ReportOptions, io: Io): Promise<ExitCode> {
  const { manifest: shown, profile, inline } = options
  const target = targetOf(
    options.output,
    { name: 'report of ours', flag: '-o', begins: REPORT_BEGINS },
    shown,
    io,
  )
  const {
    manifest,
    plan,
    session,
    sources: read,
  } = await prepare(
    {
      manifest: shown,
      worker: options.worker,
      layers: layersOf(options),
      selection: { include: options.select, exclude: options.exclude },
      repeat: { refused: false, uncertain: false },
    },
    false,
    io,
  )
  try {
    const pictures = outFolder(options, io.cwd)
    const items = plan.items.filter((p) => p.selected)
    const made = items.flatMap((p) => {
      const entry = lastOf(p)
      return entry?.image ? [{ item: p.item, entry }] : []
    })
    const saved = await savedFiles(made, pictures)
    const sources = await sourcesOf(made, { inline, folder: dirname(target.path), saved })
    const page = reportPage({
      name: manifest.name,
      manifest: shown,
      ...(profile === undefined ? {} : { profile }),
      madeAt: new Date(io.now()).toISOString(),
      cost: costOf(items),
      rows: rowsOf(items, sources.of),
    })
    target.write(page, read)
    io.stdout.write(`${options.output}\n`)
    const seen = items.filter((p) => lastOf(p)?.image).length
    io.stderr.write(
      `${count(seen, 'picture')} of ${count(items.length, 'item')}, ${fileSize(Buffer.byteLength(page))}\n`,
    )
    if (sources.files > 0)
      io.stderr.write(
        `${count(sources.files, 'picture')} shown from files beside the page; --inline puts small copies into it\n`,
      )
    if (sources.local > 0)
      io.stderr.write(
        `${count(sources.local, 'picture')} shown only while this runs: ${commandLine('dev', shown, {})}\n`,
      )
    return EXIT.done
  } finally {
    await session.release()
  }
}
