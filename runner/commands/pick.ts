// proofsheet pick: says which picture of several is the one, which will not do, and lists what was said. Buys nothing and
// asks nobody: what is made is in the lock.
import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { EXIT, type ExitCode, UsageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { baseOf } from '../manifest/ids.ts'
import type { Item } from '../manifest/item.ts'
import { near } from '../manifest/near.ts'
import { fileOf, outFolder } from '../run/save.ts'
import type { Lock, LockEntry, Review } from '../state/lock.ts'
import { entryOfId, pickedOf, reviewed, samplesOf } from '../state/review.ts'
import { openState, type State } from '../state/state.ts'
import { commandLine } from '../views/command.ts'
import { dependentLines, listLines, reviewLine } from '../views/pick.ts'

export type PickOptions = {
  manifest: string
  /** Pictures: `packshot/mug#2`; without `#`, the first sample. */
  ids: readonly string[]
  reject: boolean
  clear: boolean
  list: boolean
  /** Whose pictures are meant: those made under this profile. */
  profile?: string
  /** Where the pictures lie; default: `out/` beside the manifest. */
  outDir?: string
}

/** `items` are the manifest's, where it can be read: they tell what is made from a picture. Throws UsageError. */
export async function pick(options: PickOptions, io: Io, items?: readonly Item[]): Promise<ExitCode> {
  refuseMixtures(options)
  const state = openState(resolve(io.cwd, options.manifest), { pid: io.pid, startedAt: io.now() })
  if (state.lock().size === 0) throw new UsageError(`no picture is made yet: ${commandOf(options)('run')}`)
  const lines = options.list ? list(state.lock(), options, io, items) : say(state, options, io, items)
  io.stdout.write(lines.map((line) => `${line}\n`).join(''))
  return EXIT.done
}

function refuseMixtures({ ids, reject, clear, list }: PickOptions): void {
  if ([reject, clear, list].filter(Boolean).length > 1)
    throw new UsageError('--reject, --clear and --list exclude each other; give one of them')
  if (!list && ids.length === 0)
    throw new UsageError(
      'which picture? Name it, as in: proofsheet pick packshot/mug#2   (--list shows what there is to pick from)',
    )
}

/** Says it of every picture, or of none when one of them is not there. */
function say(state: State, options: PickOptions, io: Io, items: readonly Item[] | undefined): string[] {
  const before = state.lock()
  const entries = found(before, options, items)
  const review: Review | undefined = options.clear ? undefined : options.reject ? 'rejected' : 'picked'
  const lines: string[] = []
  for (const entry of entries) {
    const { changed, instead } = reviewed(state.lock(), entry, review, io.now())
    for (const one of changed) state.record(one)
    lines.push(reviewLine(entry, review, instead))
  }
  for (const note of state.fold()) io.stderr.write(`${note}\n`)
  const moved = [...new Set(entries.map(({ id }) => baseOf(id)))].filter(
    (base) => chosen(before, base, options) !== chosen(state.lock(), base, options),
  )
  return [...lines, ...dependentLines(moved, items ?? [], review, commandOf(options))]
}

/** Writes commands about the same pictures. */
function commandOf({ manifest, profile }: PickOptions) {
  return (verb: string, flags: Record<string, string | boolean> = {}) =>
    commandLine(verb, manifest, { '--profile': profile, ...flags })
}

/** The id of the picture that stands for all samples. */
function chosen(lock: Lock, base: string, { profile }: PickOptions): string {
  return pickedOf(lock, { id: base, ...(profile === undefined ? {} : { profile }) })?.id ?? base
}

/** The pictures that are named. Throws UsageError with all that is wrong with them. */
function found(lock: Lock, options: PickOptions, items: readonly Item[] | undefined): LockEntry[] {
  const problems: string[] = []
  const entries = new Map<string, LockEntry>()
  for (const id of options.ids) {
    const entry = entryOfId(lock, id, options.profile)
    if (entry?.status === 'succeeded') entries.set(entry.id, entry)
    else problems.push(absence(id, entry, lock, options, items ?? []))
  }
  if (!options.reject && !options.clear)
    for (const same of Map.groupBy(entries.values(), ({ id }) => baseOf(id)).values())
      if (same.length > 1)
        problems.push(
          `${same.map(({ id }) => `\`${id}\``).join(' and ')} are samples of one picture; pick one of them`,
        )
  if (problems.length > 0) throw new UsageError(`${problems.join('\n')}\nNothing was changed.`)
  return [...entries.values()]
}

/** Why there is no picture to speak of. */
function absence(
  id: string,
  entry: LockEntry | undefined,
  lock: Lock,
  options: PickOptions,
  items: readonly Item[],
): string {
  const { profile } = options
  const under = profile === undefined ? '' : ` under the profile \`${profile}\``
  if (entry) return `\`${id}\` has no picture${under}: the last try ended as ${entry.status}`
  const made = [...lock.values()].filter((e) => e.profile === profile && e.status === 'succeeded')
  const known = new Set([...made, ...items].map((one) => one.id))
  if (known.has(id.replace(/#1$/, '')))
    return `\`${id}\` is not made yet${under}: ${commandOf(options)('run', { '-s': id })}`
  const below = made.filter((one) => one.id.startsWith(`${id.replace(/\/+$/, '')}/`)).map((one) => one.id)
  if (below.length > 0) return `\`${id}\` is a folder; name a picture in it: ${few(below)}`
  const samples = samplesOf(lock, { id, profile }).map((one) => one.id)
  if (samples.length > 0) return `nothing is called \`${id}\`${under}; its samples: ${few(samples)}`
  const nearest = near(id, known, 3)
  const help = nearest.length > 0 ? `closest: ${few(nearest)}` : `there are: ${few([...known])}`
  return `nothing is called \`${id}\`${under}; ${help}`
}

/** Pictures among which there is something to choose, or those that are named. */
function list(lock: Lock, options: PickOptions, io: Io, items: readonly Item[] | undefined): string[] {
  const made = [...lock.values()].filter((e) => e.profile === options.profile && e.status === 'succeeded')
  const groups = [...Map.groupBy(made, ({ id }) => baseOf(id))]
  const wanted = new Set(options.ids.map(baseOf))
  for (const id of wanted)
    if (!groups.some(([base]) => base === id))
      throw new UsageError(absence(id, undefined, lock, options, items ?? []))
  const shown = groups
    .filter(([base, own]) =>
      wanted.size > 0 ? wanted.has(base) : own.length > 1 || own.some((entry) => entry.review),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const folder = outFolder(options, io.cwd)
  const fileIn = (entry: LockEntry) => {
    const item = items?.find(({ id }) => id === entry.id) ?? { id: entry.id }
    const path = entry.image ? fileOf(item, entry, folder) : undefined
    return path !== undefined && existsSync(path) ? relative(io.cwd, path) : undefined
  }
  return listLines(
    shown.flatMap(([base]) => samplesOf(lock, { id: base, profile: options.profile })),
    fileIn,
  )
}

function few(ids: readonly string[]): string {
  return `${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ', …' : ''}`
}
