// Flags that several verbs share, and how their words become values. What a value means is the command's.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { fromUsd, type MicroUsd } from '../core/money.ts'
import type { Layers } from './manifest/load.ts'

export const DEFAULT_MANIFEST = 'catalog.yaml'

/** Pictures in flight. */
export const DEFAULT_CONCURRENCY = 8

/** What every verb that reads a manifest is told. */
export type ManifestFlags = { worker?: string; profile?: string; set: string[]; var: string[] }

/** Which of its items a verb is about. */
export type SelectionFlags = { select: string[]; exclude: string[] }

/** What is bought again. */
export type RepeatFlags = { refused: boolean; uncertain: boolean; redo: boolean }

/** The flags of verbs that read a manifest. */
export function readsManifest(command: Command): Command {
  return command
    .addOption(workerOption())
    .option('--profile <name>', 'lay a profile of the manifest over every item')
    .addOption(
      repeatable(
        '--set <field=value>',
        'lay a value over every item: --set size=1K --set thinking.level=high',
      ),
    )
    .addOption(repeatable('--var <name=value>', 'replace a var: --var brand="Fern & Fold"'))
}

/** The flags of verbs that can be about some of the items. */
export function selectsItems(command: Command): Command {
  return command
    .addOption(
      repeatable(
        '-s, --select <term>',
        'only these: packshot/*, +id, id+, status:new, tag:hero, model:nano-banana-2',
      ),
    )
    .addOption(repeatable('-x, --exclude <term>', 'not these'))
}

/** The flags of verbs that plan. */
export function repeatsItems(command: Command): Command {
  return command
    .option('--refused', 'also what was refused last time', false)
    .option('--uncertain', 'also what may have been charged already', false)
    .option('--redo', 'buy what is selected again, also what is made', false)
}

export function workerOption(): Option {
  return new Option('--worker <url>', 'a deployed worker (default: $PROOFSHEET_URL, else an embedded one)')
}

/** The flags as they are typed, for a command that continues this one (views/command.ts). */
export function flagsOf(
  given: Partial<ManifestFlags & SelectionFlags & RepeatFlags>,
): Record<string, string | boolean | readonly string[] | undefined> {
  return {
    '--worker': given.worker,
    '--profile': given.profile,
    '--set': given.set,
    '--var': given.var,
    '-s': given.select,
    '-x': given.exclude,
    '--refused': given.refused,
    '--uncertain': given.uncertain,
    '--redo': given.redo,
  }
}

/** What the flags lay over the items. */
export function layersOf({ profile, set, var: vars }: ManifestFlags): Layers {
  return { profile, set, vars }
}

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description)
    .argParser((value: string, before: string[]) => [...before, value])
    .default([])
}

/** Reads a whole number of a range. @throws InvalidArgumentError */
export function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= from && value <= to))
      throw new InvalidArgumentError(`Give a whole number from ${from} to ${to}.`)
    return value
  }
}

/** Reads an amount of USD, with or without `$`. @throws InvalidArgumentError */
export function amountOf(text: string): MicroUsd {
  const usd = /^\$?\d+(\.\d+)?$/.test(text) ? fromUsd(Number(text.replace('$', ''))) : undefined
  if (usd === undefined) throw new InvalidArgumentError('Give an amount of USD, as in 12.50.')
  return usd
}
