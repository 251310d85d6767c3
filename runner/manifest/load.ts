// Loads a manifest: syntax, shape, meaning, in that order. Each phase reports all it finds; the next one goes on with what
// is left whole. Nothing is sent, nothing is written, and files are read through the effects only.
import { basename, dirname, resolve } from 'node:path'
import type { Market } from '../../core/market.ts'
import { noManifest } from './absence.ts'
import { readAxes } from './axes.ts'
import type { ManifestEffects } from './effects.ts'
import { openItems } from './expand.ts'
import { explainer, type Texts } from './explain.ts'
import { finish } from './finish.ts'
import { allVars, type Layers, readFlags } from './flags.ts'
import type { Manifest } from './item.ts'
import { LayerStack } from './layers.ts'
import { type Fields, fieldsOf, type Sourced, sourced, textOf } from './merge.ts'
import { budgetOf, pricesOf } from './money.ts'
import { originsOf } from './origins.ts'
import { type Diagnostic, Findings, type SourceFile } from './problems.ts'
import type { Rendering } from './scope.ts'
import { checkShape, EXAMPLE } from './shape.ts'
import { readSource } from './source.ts'
import { warnOfColumns, warnOfRepeats, warnOfUnused } from './warnings.ts'

/** `manifest` is there only when no diagnostic is an error. */
export type Loaded = { manifest?: Manifest; diagnostics: Diagnostic[] }

export type { Layers }

const NO_LAYERS: Layers = { set: [], vars: [] }

/** Reads the manifest at `path` and everything it names. Never throws for what a manifest may contain; what the effects
 *  throw goes through. `market` says which providers can be asked; `today` is an ISO date: models end, and without it
 *  nothing is said of that. */
export async function loadManifest(
  path: string,
  market: Market,
  fx: ManifestEffects,
  layers: Layers = NO_LAYERS,
  today = '',
): Promise<Loaded> {
  const text = await fx.readText(path)
  if (typeof text !== 'string') return { diagnostics: [noManifest(path, text)] }
  const source = readSource(text, path)
  const findings = new Findings()
  for (const problem of source.problems) findings.add(problem)
  const marks = source.data === undefined ? undefined : checkShape(source.data, findings)
  if (!marks) return { diagnostics: findings.diagnostics(source.file) }
  const document = sourced(source.data, [], marks)
  return meaning({ path, document, file: source.file }, { market, today, findings }, fx, layers)
}

type Read = { path: string; document: Sourced; file: SourceFile }
type Judge = { market: Market; today: string; findings: Findings }

async function meaning(read: Read, judge: Judge, fx: ManifestEffects, layers: Layers): Promise<Loaded> {
  const { path, document, file } = read
  const { market, findings } = judge
  const top = fieldsOf(document)
  const items = fieldsOf(top.get('items'))
  const folder = dirname(resolve(path))
  const flags = readFlags(layers, allVars(varsOf(top, items)), findings)
  const stack = new LayerStack(
    {
      vars: top.get('vars'),
      defaults: top.get('defaults'),
      presets: top.get('presets'),
      profiles: top.get('profiles'),
      overrides: top.get('overrides'),
    },
    flags,
    findings,
  )
  const prices = pricesOf(top.get('prices'), market, findings)
  const rendering: Rendering = { findings, templates: new Map(), usedVars: new Set() }
  const shelf = { folder, named: top.get('refs'), usedNames: new Set<string>(), findings }
  const sources = await readAxes(items, folder, fx)
  const { cells, ids } = openItems(items, { layers: stack, sources, rendering })
  const section = top.get('items')
  ids.unknown = !section || 'broken' in section || items.size === 0
  if (section && 'map' in section && items.size === 0)
    findings.add({ at: section.at, part: 'key', message: 'has no items', hint: EXAMPLE })
  stack.reportIdle([...ids.bases.keys()], (pattern) => ids.mayHold(pattern))
  const finished = await finish({ cells, ids, shelf, lineOf: linesOf(file) }, judge, fx)
  if (!findings.hasErrors) {
    warnOfUnused(
      [
        ['vars', fieldsOf(top.get('vars')), rendering.usedVars],
        ['refs', fieldsOf(top.get('refs')), shelf.usedNames],
        ['presets', fieldsOf(top.get('presets')), stack.usedPresets],
      ],
      findings,
    )
    warnOfColumns(sources, findings)
    finished.empty.warn(findings)
    warnOfRepeats(cells, finished.items, findings)
  }
  const texts: Texts = (where) => {
    if (!where) return document
    const prose = finished.proseOf(where)
    if (prose !== undefined) return { at: [where], scalar: prose }
    const map = flags.set.find((layer) => [...layer.values()].some(({ at }) => at[0] === where))
    return map && { at: [where], map }
  }
  const byId = new Map(cells.map((cell) => [cell.id, cell.scope]))
  const diagnostics = findings.diagnostics(
    file,
    explainer(texts, (id) => byId.get(id)),
  )
  if (findings.hasErrors) return { diagnostics }
  return {
    diagnostics,
    manifest: {
      path,
      name: textOf(top.get('name')) ?? basename(path).replace(/\.ya?ml$/i, ''),
      items: finished.items,
      budget: budgetOf(top.get('budget')),
      prices,
      ...(layers.profile === undefined ? {} : { profile: layers.profile }),
      originsOf: (id) => {
        const cell = finished.answerable(id)
        return cell ? originsOf(cell, file) : []
      },
    },
  }
}

/** All places that vars may be in. */
function varsOf(top: Fields, items: Fields): (Sourced | undefined)[] {
  const sections = ['presets', 'profiles', 'overrides'].flatMap((name) => [
    ...fieldsOf(top.get(name)).values(),
  ])
  const layers = [top.get('defaults'), ...sections, ...items.values()]
  const whole = layers.map((layer) => (layer && 'broken' in layer ? layer : fieldsOf(layer).get('vars')))
  return [top.get('vars'), ...whole]
}

// Finding a line walks the document; all cells of an item share it.
function linesOf(file: SourceFile): (at: readonly unknown[]) => number {
  const lines = new Map<string, number>()
  return (at) => {
    const name = String(at[1])
    const line = lines.get(name) ?? file.locate({ at: ['items', name], part: 'key' }).line
    lines.set(name, line)
    return line
  }
}
