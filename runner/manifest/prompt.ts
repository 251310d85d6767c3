// The prompt of a cell: written in the manifest, or in a file that it names. What a file holds is rendered as the manifest's
// own texts are, and its problems are told in it.
import { resolve } from 'node:path'
import { absence } from './absence.ts'
import type { Layered } from './layers.ts'
import { type Sourced, textOf } from './merge.ts'
import type { Findings, Path } from './problems.ts'
import type { Files } from './reading.ts'
import type { Scope } from './scope.ts'

/** The file that a prompt is in: its absolute path, and the path as it was written. */
export type PromptFile = { at: Path; file: string; shown: string }

/** The text of a prompt, or the file it is in. */
export type PromptSource = { at: Path; text: string } | PromptFile

type Cell = { layered: Layered; scope: Scope }

const FILE_PREFIX = 'file:'

// Only what the manifest itself says is a prefix: a value that begins with `file:` is prose.
function isFile(prompt: Sourced | undefined): boolean {
  return textOf(prompt)?.startsWith(FILE_PREFIX) ?? false
}

/** The file that a prompt is in, if it is in one. */
export function promptFile({ layered, scope }: Cell, folder: string): PromptFile | undefined {
  const prompt = layered.fields.get('prompt')
  if (!prompt || !isFile(prompt)) return undefined
  const text = scope.text(textOf(prompt)!, prompt.at)
  if (text === undefined) return undefined
  const shown = String(text).slice(FILE_PREFIX.length)
  return { at: prompt.at, shown, file: resolve(folder, shown) }
}

/** The text of a prompt that is written where the item is; undefined where there is none, or after a problem. */
export function textPrompt({ layered, scope }: Cell): PromptSource | undefined {
  const prompt = layered.fields.get('prompt')
  const written = textOf(prompt)
  if (!prompt || written === undefined || isFile(prompt)) return undefined
  const text = scope.text(written, prompt.at)
  return text === undefined ? undefined : { at: prompt.at, text: String(text) }
}

/** The prompt as the model gets it: rendered, line ends as `\n`, nothing after the last word. An editor's final newline
 *  changes no picture, and must not make one be bought again. Undefined after a problem. */
export function promptText(
  prompt: PromptSource,
  scope: Scope,
  files: Files,
  findings: Findings,
): string | undefined {
  if ('text' in prompt) return prompt.text.trimEnd()
  const { at, file, shown } = prompt
  const content = files.prompts.get(file)
  if (content === undefined) return undefined
  if (!('text' in content)) {
    const [message, hint] = absence(shown, content)
    findings.add({ at, cause: 'absent', message, hint, item: scope.id, subject: shown })
    return undefined
  }
  const text = scope.text(content.text, [content.file])
  return text === undefined ? undefined : String(text).trimEnd()
}
