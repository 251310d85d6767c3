// Runs one spec: its files are written, its commands run in a fresh folder, and what they print is compared.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stack } from '../runner/sandbox.ts'
import { accepted, difference } from './match.ts'
import { BUG, openShell } from './shell.ts'
import { readSpec, rewriteSpec } from './spec.ts'

export type Played = {
  /** Each mismatch with its place; empty when the spec holds. */
  mismatches: string[]
  /** Commands that ended by a bug, with its stack: no expectation makes them right. */
  bugs: string[]
  /** The spec as it would hold. */
  accepted: string
  /** What it bought: the keys of its locks. */
  keys: string[]
}

/** Plays the spec of a text; `name` stands in its mismatches. */
export async function play(text: string, name: string, stack: Stack): Promise<Played> {
  const { blocks, isEmbedded } = readSpec(text)
  const shell = openShell(stack, isEmbedded)
  const mismatches: string[] = []
  const bugs: string[] = []
  const printed = new Map<number, string[]>()
  try {
    for (const block of blocks) {
      if (block.kind === 'file') {
        shell.write(block.name, block.content)
        continue
      }
      const { line, command, expected } = block
      const lines = await shell.run(command).catch((error: unknown) => {
        throw new Error(`${name}:${line}: $ ${command}`, { cause: error })
      })
      if (lines.at(-1) === `[exit ${BUG}]`) {
        bugs.push([`${name}:${line}: $ ${command}`, ...lines].join('\n    '))
        continue
      }
      const differs = difference(expected, lines)
      if (!differs) continue
      printed.set(line, accepted(expected, lines))
      mismatches.push([`${name}:${line}: $ ${command}`, ...differs.map((l) => `    ${l}`)].join('\n'))
    }
    return { mismatches, bugs, accepted: rewriteSpec(text, printed), keys: keysIn(shell.folder) }
  } finally {
    await shell.close()
  }
}

function keysIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.lock.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean))
    .flatMap((line) => /"key":"([^"]+)"/.exec(line)?.[1] ?? [])
}
