// From opened cells to items: references told apart, files read, pictures counted, the rest rendered and judged.
import type { ManifestEffects } from './effects.ts'
import { EmptyCells } from './empties.ts'
import { type Draft, type Open, Renderer } from './expand.ts'
import { gather } from './gather.ts'
import { reportCycles } from './graph.ts'
import type { Item } from './item.ts'
import type { KnownIds } from './known.ts'
import type { Answerable } from './origins.ts'
import { reportSameOutputs } from './output.ts'
import type { Path, SourceFile } from './problems.ts'
import { type PromptFile, promptFile, promptText } from './prompt.ts'
import { type Files, type Prose, withPicture } from './reading.ts'
import { count, type Entries, entriesOfCell, type Shelf, type Stock, type Wanted } from './references.ts'
import { checkPrompt, type Judge, settingsOf } from './settings.ts'

/** What was opened, and what references are resolved against. */
type Opened = {
  cells: readonly Open[]
  ids: KnownIds
  shelf: Shelf
  /** Line of an item's key in the manifest. */
  lineOf: (at: Path) => number
}

/** The items, and what explains them. */
type Finished = {
  items: Item[]
  /** Empty cells of tables that their texts use. */
  empty: EmptyCells
  /** The text of a prompt's file; undefined where the file is none. */
  proseOf(file: SourceFile): string | undefined
  /** What is needed to say where an item's values are from. */
  answerable(id: string): Answerable | undefined
}

type Step = { cell: Open; entries: Entries; file: PromptFile | undefined }

/** Makes items of cells. Problems go to the findings; a cell with one may be left out. */
export async function finish(opened: Opened, judge: Judge, fx: ManifestEffects): Promise<Finished> {
  const { cells, ids, shelf, lineOf } = opened
  const { findings } = judge
  const steps = cells.map((cell): Step => {
    const refs = cell.layered.fields.get('refs')
    return { cell, entries: entriesOfCell(refs, cell.scope, shelf), file: promptFile(cell, shelf.folder) }
  })
  const files = await gather(entriesIn(steps), promptsIn(steps), shelf.folder, fx)
  const stock: Stock = {
    isMissing: (path) => 'missing' in (files.pictures.get(path) ?? {}),
    filesOf: (pattern) => files.listed.get(pattern),
    hasId: (id) => ids.has(id),
    idsOf: (pattern) => ids.matching(pattern),
    closest: (id) => ids.closest(id),
    mayHold: (pattern) => ids.mayHold(pattern),
  }
  const renderer = new Renderer()
  const empty = new EmptyCells()
  const items: Item[] = []
  const wantedOf: { id: string; wanted: readonly Wanted[] }[] = []
  const outputs: { id: string; samples: number; output: string; at: Path }[] = []
  for (const { cell, entries, file } of steps) {
    const { wanted, images, whole } = count(entries, stock, shelf, cell.id)
    wantedOf.push({ id: cell.id, wanted })
    cell.scope.countImages(whole ? images : 'uncounted')
    const draft = renderer.render(cell, file, findings)
    const read = wanted.map((each) => withPicture(each, cell.id, files, findings))
    const prompt = draft.prompt && promptText(draft.prompt, cell.scope, files, findings)
    if (prompt !== undefined) checkPrompt(prompt, draft, findings)
    empty.look(cell, file && proseOf(file.file, files)?.text)
    const settings = settingsOf(draft, { wanted, references: read }, judge)
    if (settings?.output !== undefined)
      outputs.push({ id: cell.id, samples: cell.samples, output: settings.output, at: outputAt(draft) })
    if (!settings || prompt === undefined) continue
    const references = read.filter((reference) => reference !== undefined)
    const line = lineOf(cell.at)
    for (let sample = 1; sample <= cell.samples; sample++)
      items.push({
        id: sampleId(cell.id, sample),
        base: cell.id,
        sample,
        ...settings,
        ...(settings.output === undefined ? {} : { output: sampleId(settings.output, sample) }),
        prompt,
        references,
        line,
      })
  }
  reportCycles(wantedOf, findings)
  reportSameOutputs(outputs, ids, findings)
  return { items, empty, ...answers(steps, items, wantedOf, files) }
}

/** The id of a sample, from 1; so too the path of its picture. */
function sampleId(id: string, sample: number): string {
  return sample === 1 ? id : `${id}#${sample}`
}

function outputAt(draft: Draft): Path {
  return draft.layered.fields.get('output')?.at ?? draft.at
}

function proseOf(path: string, { prompts }: Files): Prose | undefined {
  const prose = prompts.get(path)
  return prose && 'text' in prose ? prose : undefined
}

function* entriesIn(steps: readonly Step[]) {
  for (const { entries } of steps) yield* entries.entries
}

function* promptsIn(steps: readonly Step[]) {
  for (const { file } of steps) if (file) yield file
}

function answers(
  steps: readonly Step[],
  items: readonly Item[],
  wantedOf: readonly { wanted: readonly Wanted[] }[],
  files: Files,
): Pick<Finished, 'proseOf' | 'answerable'> {
  return {
    proseOf: (file) => {
      for (const prose of files.prompts.values())
        if ('text' in prose && prose.file === file) return prose.text
      return undefined
    },
    answerable: (id) => {
      const item = items.find((each) => each.id === id)
      const index = steps.findIndex(({ cell }) => cell.id === item?.base)
      const step = steps[index]
      if (!item || !step) return undefined
      const { cell, file } = step
      return {
        item,
        scope: cell.scope,
        layered: cell.layered,
        wanted: wantedOf[index]?.wanted ?? [],
        promptFile: file && proseOf(file.file, files)?.file,
      }
    },
  }
}
