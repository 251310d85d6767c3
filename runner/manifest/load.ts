// Loads a manifest: syntax, shape, meaning, in that order. Each phase reports all it finds; the next one goes on with what
// is left whole. Nothing is sent, nothing is written, and files are read through the effects only.
import { basename, dirname, resolve } from 'node:path'
import type { Market } from '../../core/market.ts'
import { type Draft, type Expansion, expand, type Ground, sampleId } from './expand.ts'
import { checkGraph } from './graph.ts'
import type { Item, Manifest } from './item.ts'
import { fieldsOf, sourced, textOf } from './merge.ts'
import { type Diagnostic, Findings, type Locate } from './problems.ts'
import { type Absent, type ManifestEffects, promptText, readFiles, withPicture } from './reading.ts'
import { checkPrompt, settingsOf } from './settings.ts'
import { checkShape } from './shape.ts'
import { readSource } from './source.ts'
import { warnOfRepeats, warnOfUnused } from './warnings.ts'

/** `manifest` is there only when no diagnostic is an error. `source` is the text that the diagnostics point into. */
export type Loaded = { manifest?: Manifest; source: string; diagnostics: Diagnostic[] }

/** What the command line lays over every item: a profile of the manifest, then `--set field=value`, and `--var name=value`
 *  over every var. Each text as it was written after its flag. */
export type Layers = { profile?: string | undefined; set: readonly string[]; vars: readonly string[] }

const NO_LAYERS: Layers = { set: [], vars: [] }

/** Reads the manifest at `path` and everything it names. Never throws for what a manifest may contain; what the effects
 *  throw goes through. `market` says which providers can be asked. */
export async function loadManifest(
  path: string,
  market: Market,
  fx: ManifestEffects,
  _layers: Layers = NO_LAYERS,
): Promise<Loaded> {
  const text = await fx.readText(path)
  if (typeof text !== 'string') return { source: '', diagnostics: [noManifest(path, text)] }
  const source = text.replace(/^\uFEFF/, '')
  const read = readSource(source, path)
  if ('diagnostics' in read) return { source, diagnostics: read.diagnostics }

  const findings = new Findings()
  const shape = checkShape(read.data, findings)
  const items = shape.readable
    ? await itemsOf(read.data, path, shape.broken, market, fx, findings, read.locate)
    : []
  const diagnostics = findings.diagnostics(path, read.locate)
  if (findings.hasErrors) return { source, diagnostics }
  const name = textOf(fieldsOf(sourced(read.data, [])).get('name')) ?? basename(path).replace(/\.ya?ml$/i, '')
  return {
    manifest: { path, name, items, budget: {}, prices: {}, originsOf: () => [] },
    source,
    diagnostics,
  }
}

async function itemsOf(
  data: unknown,
  path: string,
  broken: Set<string>,
  market: Market,
  fx: ManifestEffects,
  findings: Findings,
  locate: Locate,
): Promise<Item[]> {
  const top = fieldsOf(sourced(data, []))
  const ground: Ground = {
    vars: fieldsOf(top.get('vars')),
    defaults: fieldsOf(top.get('defaults')),
    presets: fieldsOf(top.get('presets')),
    usedPresets: new Set(),
    broken,
    rendering: { findings, templates: new Map(), usedVars: new Set() },
    shelf: {
      folder: dirname(resolve(path)),
      named: fieldsOf(top.get('refs')),
      usedNames: new Set(),
      findings,
    },
  }
  const expansion = expand(fieldsOf(top.get('items')), ground)
  checkGraph(expansion.drafts, expansion.ids, broken, findings)
  const made = await finish(expansion, market, fx, findings, locate)
  if (!findings.hasErrors) {
    warnOfUnused(ground, findings)
    warnOfRepeats(expansion.drafts, made, findings)
  }
  return made
}

async function finish(
  { drafts }: Expansion,
  market: Market,
  fx: ManifestEffects,
  findings: Findings,
  locate: Locate,
): Promise<Item[]> {
  const files = await readFiles(drafts, fx)
  const lineOf = linesOf(locate)
  return drafts.flatMap((draft): Item[] => {
    const read = draft.references.map((wanted) => withPicture(wanted, draft.id, files, findings))
    const references = read.filter((reference) => reference !== undefined)
    const prompt = promptText(draft, files, findings)
    if (prompt !== undefined) checkPrompt(prompt, draft, findings)
    // A file with a problem of its own keeps its place: it counts for the limit, and the others keep their positions.
    const settings = settingsOf(draft, read, market, findings)
    if (!settings || prompt === undefined) return []
    return Array.from({ length: draft.samples }, (_, index) => ({
      id: sampleId(draft.id, index + 1),
      base: draft.id,
      sample: index + 1,
      tags: [],
      ...settings,
      prompt,
      references,
      line: lineOf(draft),
    }))
  })
}

// Finding a line walks the document; all cells of an item share it.
function linesOf(locate: Locate): (draft: Draft) => number {
  const lines = new Map<string, number>()
  return ({ at }) => {
    const name = String(at[1])
    const line = lines.get(name) ?? locate({ at, part: 'key' }).line
    lines.set(name, line)
    return line
  }
}

function noManifest(path: string, absent: Absent): Diagnostic {
  const message =
    'missing' in absent
      ? 'there is no such manifest'
      : 'notAFile' in absent
        ? 'is no file'
        : `cannot be read: ${absent.unreadable}`
  const hint = 'name the manifest, as in: proofsheet plan ./catalog.yaml'
  return { file: path, line: 1, column: 1, width: 1, path: '', message, hint, severity: 'error' }
}
