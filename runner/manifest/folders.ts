// Which files a pattern matches, for the thousands of patterns of one catalog that look into the same few folders: each
// folder is listed once, and of a list only the names that begin as the pattern does are looked at.
import { readdir, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import picomatch from 'picomatch'
import type { ClosedFolder } from './effects.ts'
import { isPattern } from './ids.ts'

/** `folder`: to walk into. A link to a folder is walked into where a pattern names it, not by `**`, which might never end. */
type Entry = { name: string; file: boolean; folder: boolean; link: boolean }

/** Sorted by name, in code units. */
type Listing = readonly Entry[]

class Closed extends Error {
  readonly folder: string

  constructor(reason: string, shown: string) {
    super(reason)
    this.folder = shown.replace(/(?<=.)\/$/, '') || '.'
  }
}

export class FolderLists {
  readonly #listings = new Map<string, Promise<Listing | string>>()
  readonly #matchers = new Map<string, (name: string) => boolean>()

  /** See `listFiles` in effects.ts. */
  async match(pattern: string, folder: string): Promise<string[] | ClosedFolder> {
    const found = new Set<string>()
    try {
      await this.#find(pattern, folder, found)
    } catch (error) {
      if (error instanceof Closed) return { folder: error.folder, unreadable: error.message }
      throw error
    }
    return [...found].sort()
  }

  async #find(pattern: string, folder: string, found: Set<string>): Promise<void> {
    for (const plain of withoutSlashesInBraces(pattern)) {
      const absolute = isAbsolute(plain)
      const steps = plain.split('/').filter((step) => step !== '' && step !== '.')
      await this.#walk(absolute ? '/' : '', absolute ? resolve('/') : folder, steps, found)
    }
  }

  // `shown` is how people call the folder `disk`, with a slash at its end where it is not the first one.
  async #walk(shown: string, disk: string, steps: readonly string[], found: Set<string>): Promise<void> {
    const [step, ...rest] = steps
    if (step === undefined) return
    if (step === '..') return this.#walk(`${shown}../`, join(disk, '..'), rest, found)
    const into = (name: string, then: readonly string[]) =>
      this.#walk(`${shown}${name}/`, join(disk, name), then, found)
    if (rest.length > 0 && !isPattern(step)) return into(step, rest)
    const entries = await this.#list(disk)
    if (typeof entries === 'string') throw new Closed(entries, shown)
    if (step === '**') {
      const after = rest.length === 0 ? ['*'] : rest
      if (rest[0] !== '**') await this.#walk(shown, disk, after, found)
      else return this.#walk(shown, disk, rest, found)
      for (const { name, folder, link } of entries)
        if (folder && !link && !name.startsWith('.')) await into(name, steps)
      return
    }
    for (const { name, file, folder } of this.#matching(step, entries)) {
      if (rest.length === 0 && file) found.add(shown + name)
      if (rest.length > 0 && folder) await into(name, rest)
    }
  }

  #matching(step: string, entries: Listing): readonly Entry[] {
    // A name that is there as it is written is meant, whatever its characters could mean.
    const exact = entries[from(entries, step)]
    if (exact?.name === step) return [exact]
    if (!isPattern(step)) return []
    const begin = /^[^*?[{\\()!]*/.exec(step)![0]
    const matches = this.#matcher(step)
    const matching: Entry[] = []
    for (let index = from(entries, begin); entries[index]?.name.startsWith(begin); index++)
      if (matches(entries[index]!.name)) matching.push(entries[index]!)
    return matching
  }

  #matcher(step: string): (name: string) => boolean {
    const known = this.#matchers.get(step)
    if (known) return known
    // Parentheses are part of names: `photo (1).jpg`.
    const made = picomatch(step.replace(/[()]/g, '\\$&'), { nonegate: true, noextglob: true })
    this.#matchers.set(step, made)
    return made
  }

  #list(disk: string): Promise<Listing | string> {
    const known = this.#listings.get(disk)
    if (known) return known
    const made = list(disk)
    this.#listings.set(disk, made)
    return made
  }
}

// Index of the first entry that is not before the name.
function from(entries: Listing, name: string): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (entries[middle]!.name < name) low = middle + 1
    else high = middle
  }
  return low
}

// The system's reason for a folder that is there and cannot be listed.
async function list(disk: string): Promise<Listing | string> {
  try {
    const entries = await readdir(disk, { withFileTypes: true })
    const known = entries.map(async (entry): Promise<Entry> => {
      const { name } = entry
      const link = entry.isSymbolicLink()
      const target = link ? await stat(join(disk, name)).catch(() => undefined) : entry
      return { name, link, file: target?.isFile() ?? false, folder: target?.isDirectory() ?? false }
    })
    return (await Promise.all(known)).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    return code === 'ENOENT' || code === 'ENOTDIR' ? [] : code
  }
}

// `{a/b,c}/*` as `a/b/*` and `c/*`: from there on, a pattern is matched name by name.
function withoutSlashesInBraces(pattern: string): string[] {
  const brace = /\{([^{}]*\/[^{}]*)\}/.exec(pattern)
  if (!brace) return [pattern]
  const [whole, inside = ''] = brace
  const end = brace.index + whole.length
  return inside
    .split(',')
    .flatMap((each) => withoutSlashesInBraces(pattern.slice(0, brace.index) + each + pattern.slice(end)))
}
