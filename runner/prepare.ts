// From a manifest on disk to its plan: what `check`, `plan` and `run` have in common. Sends no picture request.
import { join, resolve } from 'node:path'
import { sha256 } from './digest.ts'
import { ManifestRejected } from './exit.ts'
import type { Io } from './io.ts'
import { manifestFiles } from './manifest/files.ts'
import { renderProblems } from './manifest/frames.ts'
import type { Manifest } from './manifest/item.ts'
import { loadManifest } from './manifest/load.ts'
import type { Diagnostic } from './manifest/problems.ts'
import { isToMake, type Plan, type PlanItem, planOf, type Repeat } from './plan/plan.ts'
import { entryOf } from './run/make.ts'
import { openSession, type Session } from './session.ts'
import { type Downloaded, downloadReference, ReferenceUnreachable } from './state/downloads.ts'
import { keyOf, merge } from './state/lock.ts'
import { openState, pathsOf, type State } from './state/state.ts'
import { count } from './views/format.ts'

export type Prepared = {
  manifest: Manifest
  session: Session
  state: State
  downloads: ReadonlyMap<string, Downloaded>
  plan: Plan
}

export type PrepareOptions = { manifest: string; worker?: string | undefined; repeat: Repeat }

/** Loads and checks. Throws ManifestRejected, and what openSession throws. */
export async function checkManifest(
  { manifest: shown, worker }: Pick<PrepareOptions, 'manifest' | 'worker'>,
  io: Io,
): Promise<{
  manifest: Manifest
  session: Session
  downloads: ReadonlyMap<string, Downloaded>
  warnings: number
}> {
  const path = resolve(io.cwd, shown)
  const { folder } = pathsOf(path)
  const session = await openSession({ worker, stateFolder: folder }, io)
  const { manifest, source, diagnostics } = await loadManifest(path, session.market, manifestFiles)
  const found = manifest
    ? await fetchReferences(manifest, join(folder, 'references'), io)
    : { downloads: new Map(), diagnostics: [] }
  const all = [...diagnostics, ...found.diagnostics].map((d) => ({ ...d, file: shown }))
  if (all.length > 0) io.stderr.write(`${renderProblems(all, source, { color: io.stderr.color })}\n`)
  if (!manifest || found.diagnostics.length > 0) throw new ManifestRejected(`${shown} cannot be used`)
  return { manifest, session, downloads: found.downloads, warnings: all.length }
}

/** Loads, checks and plans. What the worker made before is taken into the plan; `remember` says whether it is also
 *  written down. Throws ManifestRejected, and what openSession throws. */
export async function prepare(options: PrepareOptions, remember: boolean, io: Io): Promise<Prepared> {
  const { manifest, session, downloads } = await checkManifest(options, io)
  const state = openState(resolve(io.cwd, options.manifest), { pid: io.pid, startedAt: io.now() }, isAlive)
  const urls = new Map([...downloads].map(([url, { sha256 }]) => [url, sha256]))
  let lock = state.lock()
  const planNow = () => planOf(manifest.items, lock, session.market, urls, options.repeat, sha256)
  let plan = planNow()
  if (state.unreadable > 0)
    io.stderr.write(
      `${state.lockPath}: ${count(state.unreadable, 'line')} cannot be read; looked up on the worker\n`,
    )
  // Keys of what is made from a picture follow from the key of that picture: each round may reveal more.
  for (let asked = new Set<string>(); session.hasHistory; ) {
    const unknown = plan.items.flatMap(keyed).filter((p) => !asked.has(p.key))
    if (unknown.length === 0) break
    asked = new Set([...asked, ...unknown.map((p) => p.key)])
    const found = await askWorker(unknown, session, io)
    if (found.length === 0) break
    if (remember) for (const entry of found) state.record(entry)
    lock = merge(lock, new Map(found.map((entry) => [entry.id, entry])))
    plan = planNow()
  }
  return { manifest, session, state, downloads, plan }
}

/** The keys under which the worker may know more of an item: its own, and after an ending that is not repeated by
 *  itself the one that a repetition on purpose would have had. */
function keyed(planned: PlanItem): PlanItem[] {
  if (isToMake(planned.state)) return [planned]
  if (planned.state !== 'refused' && planned.state !== 'uncertain') return []
  const edition = planned.edition + 1
  return [{ ...planned, edition, key: keyOf(planned.fingerprint, edition) }]
}

/** What the worker has already made under the keys of these items. */
async function askWorker(items: readonly PlanItem[], session: Session, io: Io) {
  const client = await session.client()
  const { requests } = await client.estimate(
    items.map(({ item, provider, key }) => ({ model: item.model, provider, prompt: item.prompt, key })),
  )
  const existing = items.flatMap((planned, index) => {
    const id = requests[index]?.existing?.id
    return id ? [{ planned, id }] : []
  })
  return Promise.all(
    existing.map(async ({ planned, id }) => entryOf(planned, await client.generation(id, 0), io.now())),
  )
}

async function fetchReferences(manifest: Manifest, folder: string, io: Io) {
  const downloads = new Map<string, Downloaded>()
  const diagnostics: Diagnostic[] = []
  for (const item of manifest.items)
    for (const reference of item.references) {
      if (reference.kind !== 'url' || downloads.has(reference.url)) continue
      try {
        downloads.set(reference.url, await downloadReference(reference.url, folder, io.fetch))
      } catch (error) {
        if (!(error instanceof ReferenceUnreachable)) throw error
        diagnostics.push({
          file: manifest.path,
          line: item.line,
          column: 1,
          width: 0,
          path: item.id,
          message: error.message,
          severity: 'error',
        })
      }
    }
  return { downloads, diagnostics }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
