// The catalog as text: JSON for any program, CSV for a spreadsheet, TypeScript for an app that wants its ids checked.
import type { Picture } from './pictures.ts'

export const FORMATS = ['json', 'csv', 'ts'] as const
export type Format = (typeof FORMATS)[number]

/** The pictures in a format, with a line end at its end. */
export function formatted(pictures: ReadonlyMap<string, Picture>, format: Format): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(Object.fromEntries(pictures), null, 2)}\n`
    case 'csv':
      return csvOf(pictures)
    case 'ts':
      return moduleOf(pictures)
  }
}

const COLUMNS = [
  'url',
  'width',
  'height',
  'mimeType',
  'bytes',
  'sha256',
  'sample',
  'provider',
  'model',
  'cost',
  'file',
  'emulated',
] as const satisfies readonly (keyof Picture)[]

const MODULE_HEAD = '// Written by `proofsheet export --format ts`; the next export replaces it.'

/** What an export in each format begins with: the mark of a file that the next one may replace. */
export const BEGINNINGS: Record<Format, RegExp> = {
  json: /^(\{\}|\{\s*"[^\n]*": \{\s*"url": "[^\n]*",\s*"width": [^\n]*,\s*"height": [^\n]*,\s*"mimeType": )/,
  csv: new RegExp(`^id,${COLUMNS.join(',')},tags\\b`),
  ts: new RegExp(`^${MODULE_HEAD}`),
}

// RFC 4180: CRLF between records, quotes where a field holds a comma, a quote or a line end, quotes doubled. Tags share a
// column, because they hold no space; every member of metadata has its own. What is not known is empty.
function csvOf(pictures: ReadonlyMap<string, Picture>): string {
  const members = [...new Set([...pictures.values()].flatMap((p) => Object.keys(p.metadata)))].sort()
  const records = [
    ['id', ...COLUMNS, 'tags', ...members.map((name) => `metadata.${name}`)],
    ...[...pictures].map(([id, picture]) => [
      id,
      ...COLUMNS.map((name) => String(picture[name] ?? '')),
      picture.tags.join(' '),
      ...members.map((name) => (Object.hasOwn(picture.metadata, name) ? picture.metadata[name]! : '')),
    ]),
  ]
  return records.map((fields) => `${fields.map(fieldOf).join(',')}\r\n`).join('')
}

function fieldOf(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

// No imports, so that the file can be put anywhere. `satisfies` keeps every id and address a literal type.
function moduleOf(pictures: ReadonlyMap<string, Picture>): string {
  const members = [...pictures].map(([id, picture]) => `  ${keyOf(id)}: ${JSON.stringify(picture)},\n`)
  return `${MODULE_HEAD}

export type Picture = {
  readonly url: string
  /** Pixels; null when it is not known. */
  readonly width: number | null
  readonly height: number | null
  readonly mimeType: string
  readonly bytes: number
  readonly sha256: string
  /** Which of several of the same, from 1. */
  readonly sample: number
  readonly tags: readonly string[]
  readonly metadata: { readonly [name: string]: string }
  readonly provider: string
  readonly model: string
  /** USD; null when it is not known. */
  readonly cost: number | null
  /** Path from the manifest's folder; null when it is not on disk. */
  readonly file: string | null
  /** Drawn by the emulator: a stand-in, not the picture. */
  readonly emulated: boolean
}

export const catalog = {${members.length > 0 ? `\n${members.join('')}` : ''}} as const satisfies { [id: string]: Picture }

export type Id = keyof typeof catalog
`
}

// A plain `__proto__` in an object literal is no member.
function keyOf(id: string): string {
  return id === '__proto__' ? `['__proto__']` : JSON.stringify(id)
}
