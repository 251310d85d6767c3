// proofsheet show: all there is to know of one picture: what is wanted and where that was said, what would be sent, what
// was made. Sends no picture request.
import { isAbsolute, relative } from 'node:path'
import { EXIT, type ExitCode, UsageError } from '../exit.ts'
import { layersOf, type ManifestFlags } from '../flags.ts'
import type { Io } from '../io.ts'
import { near } from '../manifest/near.ts'
import type { Plan, PlanItem } from '../plan/plan.ts'
import { why } from '../plan/why.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { requestOf } from '../run/make.ts'
import { outFolder, savedFiles } from '../run/save.ts'
import { type ShownItem, showJson, showLines, shownReference } from '../views/show.ts'

export type ShowOptions = ManifestFlags & {
  manifest: string
  /** The id of a picture; `x#1` is `x`. */
  id: string
  json: boolean
  /** Where the pictures lie; default: `out/` beside the manifest. */
  outDir?: string
}

/** Ids that a message lists. */
const MOST_LISTED = 20

export async function show(options: ShowOptions, io: Io): Promise<ExitCode> {
  const prepared = await prepare(
    {
      manifest: options.manifest,
      worker: options.worker,
      layers: layersOf(options),
      repeat: { refused: false, uncertain: false },
    },
    false,
    io,
  )
  try {
    const planned = plannedOf(prepared.plan, options)
    const shown = await shownItem(prepared, planned, options, io)
    if (options.json) io.stdout.data(`${JSON.stringify(showJson(shown), null, 2)}\n`)
    else io.stdout.write(`${showLines(shown).join('\n')}\n`)
    return EXIT.done
  } finally {
    await prepared.session.release()
  }
}

/** The item that is meant. Throws UsageError with what there is instead. */
function plannedOf({ items, orphans }: Plan, { id, manifest }: ShowOptions): PlanItem {
  const wanted = id.normalize().replace(/#1$/, '').replace(/\/+$/, '')
  const found = items.find(({ item }) => item.id === wanted)
  if (found) return found
  const below = items.filter(({ item }) => item.id.startsWith(`${wanted}/`)).map(({ item }) => item.id)
  if (below.length > 0) {
    const more = below.length - MOST_LISTED
    const list = [...below.slice(0, MOST_LISTED), ...(more > 0 ? [`… and ${more} more`] : [])]
    throw new UsageError(
      `\`${wanted}\` is ${below.length} pictures; show one of them:\n${list.map((each) => `  ${each}`).join('\n')}`,
    )
  }
  const orphan = orphans.find((entry) => entry.id === wanted)
  if (orphan)
    throw new UsageError(
      `\`${wanted}\` is no longer in ${manifest}; what was made of it is kept: ${orphan.image?.url ?? orphan.status}`,
    )
  const ids = items.map(({ item }) => item.id)
  const close = near(wanted, ids, 3)
  const hint =
    close.length > 0
      ? `closest: ${close.join(', ')}`
      : `there are ${ids.slice(0, 6).join(', ')}${ids.length > 6 ? ', …' : ''}`
  throw new UsageError(`nothing in ${manifest} is called \`${wanted}\`; ${hint}`)
}

async function shownItem(
  { manifest, plan }: Prepared,
  planned: PlanItem,
  options: ShowOptions,
  io: Io,
): Promise<ShownItem> {
  const { item, entry } = planned
  const byId = new Map(plan.items.map((p) => [p.item.id, p]))
  const references = item.references.map((reference, index) =>
    shownReference(
      reference,
      planned.inputs.references[index]!.is,
      reference.kind === 'from' ? byId.get(reference.item) : undefined,
    ),
  )
  const pictures = entry?.image ? [{ item, entry }] : []
  const path = (await savedFiles(pictures, outFolder(options, io.cwd))).get(item.id)
  const { prices, budget, profile } = manifest
  return {
    planned,
    origins: manifest.originsOf(item.id).map((origin) => ({
      ...origin,
      file: isAbsolute(origin.file) ? relative(io.cwd, origin.file) : origin.file,
    })),
    references,
    request: requestOf(
      planned,
      references.map(({ sent }) => sent),
      { prices, perImage: budget.perImage, profile },
    ),
    why: why(plan, planned),
    ...(path !== undefined ? { file: relative(io.cwd, path) } : {}),
  }
}
