// The turns of a native call as a conversation: parts as they came, each image a mark in its place. A system text that
// leads as a turn of the model (APIYI's documented form) is told apart, so that each provider gets it in its own form.
import { checkedContents } from '../../core/gemini/contents.ts'
import type { ImagePart, OtherPart, Turn } from '../../core/gemini/conversation.ts'
import type { Body, Content, Part } from '../../core/gemini/fields.ts'
import { invalidFields } from '../../core/gemini/rpc.ts'
import { MAX_PROMPT_CHARS } from '../../core/models.ts'

/** An image of the body. `isMade`: it stands in a turn of the model, which made it. */
export type FoundImage = {
  /** `contents[0].parts[1]` */
  path: string
  isMade: boolean
  inlineData?: Part<number>['inlineData']
  fileData?: Part<number>['fileData']
}

export type ReadTurns = {
  turns: Turn[]
  /** In the order of the body; the marks in the turns count them. */
  images: FoundImage[]
  system?: { text: string; path: string }
  /** The texts of the last turn of the user, for listings; the whole call is in the turns. */
  prompt: string
}

/** @throws RpcError 400 as Google answers broken turns, and for a system text that is not all text. */
export function readTurns(body: Body<number>): ReadTurns {
  const contents = checkedContents(body)
  const system = readSystem(body, contents)
  const isLeading = system?.path === LEADING_TURN
  const images: FoundImage[] = []
  const turns = contents.flatMap((content, turn): Turn[] => {
    if (isLeading && turn === 0) return []
    const role = content.role || 'user'
    const parts = (content.parts ?? []).map((part, index): ImagePart | OtherPart => {
      const { inlineData, fileData, ...more } = part
      if (!inlineData && !fileData) return { part: more }
      const path = `contents[${turn}].parts[${index}]`
      const data = inlineData ? { inlineData } : { fileData }
      images.push({ path, isMade: role === 'model', ...(data as Pick<FoundImage, 'inlineData'>) })
      const mark = { image: images.length - 1 }
      return Object.keys(more).length > 0 ? { ...mark, more } : mark
    })
    return [{ role, parts }]
  })
  const prompt = textsOf(turns.findLast((turn) => turn.role === 'user')?.parts ?? [])
  return {
    turns,
    images,
    ...(system ? { system } : {}),
    prompt: prompt.join('\n').slice(0, MAX_PROMPT_CHARS),
  }
}

const LEADING_TURN = 'contents[0]'

function readSystem(body: Body<number>, contents: readonly Content<number>[]): ReadTurns['system'] {
  const { systemInstruction } = body
  if (!systemInstruction) {
    const [first, second] = contents
    const isSystem = first?.role === 'model' && second && (second.role || 'user') === 'user'
    if (!isSystem || !first.parts?.every(isOnlyText)) return undefined
    return joined(first, LEADING_TURN)
  }
  const index = systemInstruction.parts!.findIndex((part) => part.text === undefined)
  if (index < 0) return joined(systemInstruction, 'system_instruction')
  const field = `system_instruction.parts[${index}]`
  const description = `${field}: a system instruction is text only; put images and other parts into contents.`
  throw invalidFields([{ field, description }])
}

/** Whether a part says nothing but a text: an answer of a model that thinks has a signature beside it. */
function isOnlyText(part: Part<number>): boolean {
  return part.text !== undefined && Object.keys(part).length === 1
}

function joined(content: Content<number>, path: string): ReadTurns['system'] {
  const text = (content.parts ?? []).map((part) => part.text).join('\n')
  return text === '' ? undefined : { text, path }
}

function textsOf(parts: readonly (ImagePart | OtherPart)[]): string[] {
  return parts.flatMap((p) => ('part' in p && typeof p.part.text === 'string' ? [p.part.text] : []))
}
