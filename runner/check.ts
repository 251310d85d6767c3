// A manifest on disk, judged: read, checked against the market it would be made at, and its addresses fetched, because
// their bytes are part of what is bought. Sends no picture request.
import { dirname, join, relative, resolve } from 'node:path'
import PQueue from 'p-queue'
import { type Market, withPrices } from '../core/market.ts'
import { sha256 } from './digest.ts'
import { ManifestRejected } from './exit.ts'
import type { Io } from './io.ts'
import type { ManifestEffects } from './manifest/effects.ts'
import { manifestFiles } from './manifest/files.ts'
import { renderProblems } from './manifest/frames.ts'
import type { Item, Manifest } from './manifest/item.ts'
import { type Layers, loadManifest } from './manifest/load.ts'
import type { Diagnostic } from './manifest/problems.ts'
import { overPerImage } from './plan/budget.ts'
import { planOf } from './plan/plan.ts'
import { openSession, type Session } from './session.ts'
import { type Downloaded, downloadReference, ReferenceUnreachable } from './state/downloads.ts'
import { pathsOf } from './state/state.ts'

export type ManifestOptions = {
  /** Path, as it was given. */
  manifest: string
  /** Address of a worker; default: PROOFSHEET_URL, else embedded. */
  worker?: string | undefined
  /** Default: none. */
  layers?: Layers
  /** Whether pictures are to be made: else a worker on this machine makes none, not even what it has accepted. */
  buys?: boolean
  /** Whether warnings are told, and not errors alone: to those who write the manifest. */
  warn?: boolean
}

/** `manifest` is there only when no diagnostic is an error. */
export type Judged = {
  session: Session
  /** The session's, with the prices of the manifest. */
  market: Market
  diagnostics: Diagnostic[]
  manifest?: Manifest
  /** What was behind each address. */
  downloads: ReadonlyMap<string, Downloaded>
  /** The texts that were read: the manifest, its tables and prompts; absolute paths. */
  sources: ReadonlySet<string>
}

/** A manifest that can be used. */
export type Checked = Judged & { manifest: Manifest }

/** Downloads at once. */
const DOWNLOADS = 8

/** Reads and judges. Throws what openSession throws. */
export async function judge(
  { manifest: shown, worker, layers, buys }: ManifestOptions,
  io: Io,
): Promise<Judged> {
  const path = resolve(io.cwd, shown)
  const { folder } = pathsOf(path)
  const session = await openSession({ worker, stateFolder: folder, buys }, io)
  const today = new Date(io.now()).toISOString().slice(0, 10)
  const sources = new Set<string>()
  const files = manifestFiles()
  const reading: ManifestEffects = {
    ...files,
    readText(file) {
      sources.add(file)
      return files.readText(file)
    },
  }
  const { manifest, diagnostics } = await loadManifest(path, session.market, reading, layers, today)
  const found = manifest
    ? await fetchReferences(manifest.items, path, join(folder, 'references'), io)
    : { downloads: new Map<string, Downloaded>(), diagnostics: [] }
  const market = manifest ? withPrices(session.market, manifest.prices) : session.market
  const isWhole = manifest !== undefined && found.diagnostics.length === 0
  const dear = isWhole ? tooDear(manifest, market, path, found.downloads) : []
  return {
    session,
    market,
    diagnostics: [...diagnostics, ...found.diagnostics, ...dear].map((d) => ({
      ...d,
      file: d.file === path ? shown : fileFrom(d.file, path, io.cwd),
    })),
    ...(isWhole && dear.length === 0 ? { manifest } : {}),
    downloads: found.downloads,
    sources,
  }
}

/** A file that the manifest names, as it is named from where we are. Flags are no files. */
function fileFrom(file: string, manifest: string, cwd: string): string {
  return file.startsWith('--') ? file : relative(cwd, resolve(dirname(manifest), file))
}

/** What may cost more than the budget allows a single picture, whether it is made already or not. */
function tooDear(
  { items, budget, profile }: Manifest,
  market: Market,
  file: string,
  downloads: ReadonlyMap<string, Downloaded>,
): Diagnostic[] {
  if (budget.perImage === undefined) return []
  const repeat = { refused: false, uncertain: false }
  const plan = planOf(items, {
    lock: new Map(),
    market,
    urls: digestsOf(downloads),
    repeat,
    profile,
    sha256,
  })
  return overPerImage(plan, budget).map(({ item, line, message, hint }) => ({
    file,
    line,
    column: 1,
    width: 0,
    path: `items.${item.split(/[/#]/, 1)[0]}`,
    message,
    hint,
    severity: 'error',
  }))
}

/** The digest of what is behind each address. */
export function digestsOf(downloads: ReadonlyMap<string, Downloaded>): Map<string, string> {
  return new Map([...downloads].map(([url, { sha256 }]) => [url, sha256]))
}

/** Judges, and writes what there is to say to stderr. Throws ManifestRejected, and what openSession throws. */
export async function checked(options: ManifestOptions, io: Io): Promise<Checked> {
  const judged = await judge(options, io)
  const { manifest, diagnostics } = judged
  const told = manifest && !options.warn ? [] : diagnostics
  if (told.length > 0) io.stderr.write(`${renderProblems(told, { color: io.stderr.color })}\n`)
  if (!manifest) throw new ManifestRejected(`${options.manifest} cannot be used`)
  return { ...judged, manifest }
}

async function fetchReferences(items: readonly Item[], file: string, folder: string, io: Io) {
  const downloads = new Map<string, Downloaded>()
  const diagnostics: Diagnostic[] = []
  const firstUse = new Map<string, Item>()
  for (const item of items)
    for (const reference of item.references)
      if (reference.kind === 'url' && !firstUse.has(reference.url)) firstUse.set(reference.url, item)
  const queue = new PQueue({ concurrency: DOWNLOADS })
  await queue.addAll(
    [...firstUse].map(([url, { id, line }]) => async () => {
      try {
        downloads.set(url, await downloadReference(url, folder, io.fetch))
      } catch (error) {
        if (!(error instanceof ReferenceUnreachable)) throw error
        const { message } = error
        diagnostics.push({ file, line, column: 1, width: 0, path: id, message, severity: 'error' })
      }
    }),
  )
  return { downloads, diagnostics: diagnostics.sort((a, b) => a.line - b.line) }
}
