// proofsheet init: writes a manifest that works, and the schema its editor reads. Writes over nothing that is not its own.
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { EXIT, type ExitCode, UsageError } from '../exit.ts'
import { DEFAULT_MANIFEST } from '../flags.ts'
import { EXAMPLE } from '../init/example.ts'
import { fromFeed } from '../init/feed.ts'
import { fromPhotos } from '../init/photos.ts'
import type { Proposal } from '../init/proposal.ts'
import { feedOf, filesOf, pathPartOf, photoCheck, shownFrom, valuePartOf } from '../init/sources.ts'
import type { Io } from '../io.ts'
import { MODELINE, SCHEMA_FILE, SCHEMA_TITLE, schemaText } from '../manifest/json-schema.ts'
import { tableKind } from '../manifest/tables.ts'
import { inWords } from '../target.ts'
import { initLines } from '../views/init.ts'

export type InitOptions = {
  manifest: string
  /** A folder of photographs, or a table. */
  from?: string
}

export async function init({ manifest, from }: InitOptions, io: Io): Promise<ExitCode> {
  const path = resolve(io.cwd, manifest)
  const home = dirname(path)
  if (!/\.ya?ml$/i.test(path)) throw new UsageError(`${manifest} is no name of a manifest: it ends in .yaml`)
  const schema = join(home, SCHEMA_FILE)
  const existing = [path, ...(isOurs(schema) ? [] : [schema])].filter((file) => existsSync(file))
  if (existing.length > 0)
    throw new UsageError(
      `${existing.map((file) => relative(io.cwd, file)).join(' and ')} exists already, and init writes over nothing; name another manifest, as in: proofsheet init other.yaml`,
    )
  const proposal =
    from === undefined
      ? { text: EXAMPLE, about: 'a small example that runs as it is', notes: [], left: [] }
      : await propose(resolve(io.cwd, from), from, home, io)
  inWords(manifest, 'name another manifest', () => {
    mkdirSync(home, { recursive: true })
    writeWhole(path, `${MODELINE}\n${proposal.text}`, 'wx', () => writeWhole(schema, schemaText(), 'w'))
  })
  const lines = initLines(proposal, {
    manifest,
    schema: relative(io.cwd, schema),
    isDefault: manifest === DEFAULT_MANIFEST,
  })
  io.stdout.write(`${lines.join('\n')}\n`)
  return EXIT.done
}

// What a full disk cut short would be in the way of the next try.
function writeWhole(path: string, text: string, flag: 'w' | 'wx', andThen = () => {}): void {
  const file = openSync(path, flag)
  try {
    writeFileSync(file, text)
    andThen()
  } catch (error) {
    rmSync(path)
    throw error
  } finally {
    closeSync(file)
  }
}

/** Whether a file is a schema of ours, of whatever version: nobody's work is lost with it. */
function isOurs(path: string): boolean {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).title === SCHEMA_TITLE
  } catch {
    return false
  }
}

function factsOf(path: string, shown: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    return unreadable(error, shown)
  }
}

function unreadable(error: unknown, shown: string): never {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  throw new UsageError(`${shown} cannot be read (${code}); --from takes a folder or a table that may be read`)
}

async function propose(path: string, shown: string, home: string, io: Io): Promise<Proposal> {
  const facts = factsOf(path, shown)
  if (!facts)
    throw new UsageError(
      `there is no ${shown}; --from takes a folder of photographs or a table (.csv, .jsonl, …)`,
    )
  const way = shownFrom(home, path)
  if (facts.isDirectory()) {
    const files = await filesOf(path).catch((error: unknown) => unreadable(error, shown))
    // Below the manifest's own folder lies out/: pictures that are made would become photographs to make pictures from.
    const isAround = !relative(path, home).startsWith('..')
    const own = isAround ? files.filter((file) => !file.path.includes('/')) : files
    if (own.length === 0 && files.length > 0)
      throw new UsageError(
        `the files of ${shown} lie in folders below it, where out/ will be too; name one of them, as in: --from ${join(shown, files[0]!.path.split('/')[0]!)}`,
      )
    return fromPhotos(own, way, pathPartOf)
  }
  if (tableKind(basename(path)) === undefined)
    throw new UsageError(
      `${shown} is neither a folder of photographs nor a table (.csv, .tsv, .jsonl, .json, .yaml); a spreadsheet is exported as CSV`,
    )
  return fromFeed(await feedOf(path, way, io), way, valuePartOf, photoCheck(home, path))
}
