// Tables from YAML: a list of maps, or a map of id → map. Every value is the text that was written: `0042` keeps its zeros.
import { readYaml } from '../source.ts'
import { sheetOf } from './json.ts'
import type { Sheet } from './sheet.ts'

export function readYamlTable(file: string, text: string): Sheet {
  const { file: source, data, problems } = readYaml(text, file, 'table')
  const lineOf: Sheet['lineOf'] = (step) => source.locate({ at: [step], part: 'key' }).line
  if (problems.length > 0) return { file: source, header: [], entries: [], lineOf, problems }
  return sheetOf(source, data, lineOf)
}
