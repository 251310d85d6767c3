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
  const named = files.filter(({ path }) => EXTENSIONS.includes(extensionOf(path).toLowerCase()))
  const usable = named.filter((file) => problemOf(file) === undefined)
  if (usable.length === 0)
    throw new UsageError(
      `${folder} holds no photograph that a model reads (${EXTENSIONS.join(', ')}; at most ${fileSize(MAX_REFERENCE_BYTES)})${files.length > 0 ? `: ${why(files[0]!)}` : ''}`,
    )
  const parts = new Map<string, string>()
  for (const { path } of named) {
    const part = partOf(stemOf(path))
    if (part === undefined)
      throw new UsageError(`${folder}/${path} has no letter or digit in its name to make an id of; rename it`)
    const other = parts.get(part.toLowerCase())
    if (other !== undefined)
      throw new UsageError(
        `${folder}/${other} and ${folder}/${path} would both be called \`${part}\`; rename one or move it away`,
      )
    parts.set(part.toLowerCase(), path)
  }
  const skipped = named
    .filter((file) => problemOf(file) !== undefined)
    .map(({ path }) => partOf(stemOf(path))!)
  const left = files
    .filter((file) => !usable.includes(file))
    .map((file): [string, string] => [`${folder}/${file.path}`, why(file)])
  return { text: manifestText(named, folder, skipped), about: about(usable, folder), left }
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
