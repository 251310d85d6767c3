// A manifest from a folder of photographs: one picture for each. What a model would not take is left out and named.
import type { ReferenceType } from '../../core/models.ts'
import { MAX_REFERENCE_BYTES } from '../../core/models.ts'
import { UsageError } from '../exit.ts'
import { isPattern } from '../manifest/ids.ts'
import { count, fileSize } from '../views/format.ts'
import { LOOK, type Proposal, quoted } from './proposal.ts'

/** A file of the folder. `mimeType`: what its first bytes say, where that is a picture that models read. */
export type FoundFile = {
  /** From the folder, with `/`. */
  path: string
  bytes: number
  mimeType?: ReferenceType
}

/** Files and groups that an error names. */
const MOST_TOLD = 5

// The kinds that are preferred come first.
const EXTENSIONS = ['jpg', 'jpeg', 'png', 'webp', 'heic', 'heif']

/** The proposal. `folder` is the way to the photographs from the manifest, with `/`; `partOf` makes a path without its
 *  extension fit for an id. Throws UsageError when there is nothing to start from. */
export function fromPhotos(
  files: readonly FoundFile[],
  folder: string,
  partOf: (path: string) => string | undefined,
): Proposal {
  if (isPattern(folder))
    throw new UsageError(`${folder} has a name that is read as a pattern; rename it without * ? [ {`)
  const pictures = files.filter(({ path }) => EXTENSIONS.includes(extensionOf(path).toLowerCase()))
  const { named, doubles } = withoutDoubles(pictures, folder, partOf)
  const usable = named.filter((file) => problemOf(file) === undefined)
  if (usable.length === 0)
    throw new UsageError(
      `${folder} holds no photograph that a model reads (${EXTENSIONS.join(', ')}; at most ${fileSize(MAX_REFERENCE_BYTES)})${files.length > 0 ? `: ${why(files[0]!)}` : ''}`,
    )
  const skipped = named
    .filter((file) => problemOf(file) !== undefined)
    .map(({ path }) => partOf(stemOf(path))!)
  const left = files
    .filter((file) => !usable.includes(file))
    .map((file): [string, string] => {
      const kept = doubles.get(file)
      return [`${folder}/${file.path}`, kept ? `has the name of ${kept.path}` : why(file)]
    })
  return { text: manifestText(named, folder, skipped), about: about(usable, folder), notes: [], left }
}

type Doubles = { named: readonly FoundFile[]; doubles: ReadonlyMap<FoundFile, FoundFile> }

/** The files without those that would get the id of another one: `a.heic` beside `a.jpg`. A pattern leaves out whole
 *  extensions only, so an extension goes when each of its files has such a twin. Throws UsageError for what is left. */
function withoutDoubles(
  files: readonly FoundFile[],
  folder: string,
  partOf: (path: string) => string | undefined,
): Doubles {
  const nameless = files.filter(({ path }) => partOf(stemOf(path)) === undefined)
  if (nameless.length > 0)
    throw new UsageError(
      `${listed(nameless.map(({ path }) => `${folder}/${path}`))} ${nameless.length === 1 ? 'has' : 'have'} no letter or digit to make an id of; rename ${nameless.length === 1 ? 'it' : 'them'}`,
    )
  const idOf = (file: FoundFile) => partOf(stemOf(file.path))!.toLowerCase()
  const rank = (extension: string) => EXTENSIONS.indexOf(extension.toLowerCase())
  const extensions = [...new Set(files.map(({ path }) => extensionOf(path)))]
  let named = files
  for (const extension of extensions.sort((a, b) => rank(b) - rank(a) || (a < b ? -1 : 1))) {
    const kept = named.filter(({ path }) => extensionOf(path) !== extension)
    const ids = new Set(kept.map(idOf))
    const going = named.filter(({ path }) => extensionOf(path) === extension)
    if (going.every((file) => ids.has(idOf(file)))) named = kept
  }
  const clashes = [...Map.groupBy(named, idOf)].filter(([, same]) => same.length > 1)
  if (clashes.length > 0)
    throw new UsageError(
      [
        `${clashes.length === 1 ? 'photographs' : `${clashes.length} groups of photographs`} in ${folder} would have the same name:`,
        ...clashes
          .slice(0, MOST_TOLD)
          .map(([id, same]) => `  ${listed(same.map(({ path }) => path))} would be \`${id}\``),
        ...(clashes.length > MOST_TOLD ? [`  and ${clashes.length - MOST_TOLD} more`] : []),
        'rename all but one of each, or move them out of the folder',
      ].join('\n'),
    )
  const byId = new Map(named.map((file) => [idOf(file), file]))
  const going = files.filter((file) => !named.includes(file))
  return { named, doubles: new Map(going.map((file) => [file, byId.get(idOf(file))!])) }
}

function listed(texts: readonly string[]): string {
  const more = texts.length - MOST_TOLD
  const shown = more > 0 ? [...texts.slice(0, MOST_TOLD), `${more} more`] : texts
  return shown.length === 1 ? shown[0]! : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

function manifestText(named: readonly FoundFile[], folder: string, skipped: readonly string[]): string {
  const found = [...new Set(named.map(({ path }) => extensionOf(path)))].sort()
  const extension = found.length === 1 ? found[0]! : `{${found.join(',')}}`
  const depth = named.some(({ path }) => path.includes('/')) ? '**/*' : '*'
  const pattern = `${folder}/${depth}.${extension}`
  return [
    '# One picture for each photograph.',
    'version: 1',
    '',
    'defaults:',
    '  model: nano-banana-2 # `proofsheet models` lists models, sizes and prices',
    '  size: 1K',
    '',
    'items:',
    '  packshot:',
    '    matrix:',
    `      photo: { glob: ${quoted(pattern)} }`,
    ...(skipped.length > 0
      ? ['    skip: # too large, or no picture', `      - { photo: [${skipped.map(quoted).join(', ')}] }`]
      : []),
    '    refs:',
    '      - { image: "${photo.path}", as: photo }',
    '    prompt: >',
    '      Studio packshot of the object in ${image.photo}: exactly its shape, proportions, colours, material and lettering,',
    ...LOOK.map((line) => `      ${line}`),
    '',
  ].join('\n')
}

function about(usable: readonly FoundFile[], folder: string): string {
  return `one picture for each of ${count(usable.length, 'photograph')} in ${folder}`
}

/** Why a file that a pattern would find is no reference. */
function problemOf({ bytes, mimeType }: FoundFile): string | undefined {
  if (mimeType === undefined) return 'its bytes are no PNG, JPEG, WebP, HEIC or HEIF'
  if (bytes > MAX_REFERENCE_BYTES)
    return `${fileSize(bytes)}; a model takes at most ${fileSize(MAX_REFERENCE_BYTES)}`
  return undefined
}

function why(file: FoundFile): string {
  const named = EXTENSIONS.includes(extensionOf(file.path).toLowerCase())
  if (!named && file.mimeType !== undefined)
    return `a picture by its bytes, but its name ends in none of ${EXTENSIONS.map((e) => `.${e}`).join(', ')}`
  return named ? problemOf(file)! : 'no photograph that models read'
}

function extensionOf(path: string): string {
  return /\.([^./]+)$/.exec(path)?.[1] ?? ''
}

function stemOf(path: string): string {
  return path.replace(/\.[^./]+$/, '')
}
