// The messages of a chat as turns for the model. Knows the spellings that chat clients have for text and pictures; refuses
// to know of models and prices. Pictures that this worker made come back as the stored ones, byte for byte, in the turn
// of the model that made them: so that "make it blue" edits the picture and not a description of it.
import type { ImagePart, OtherPart, Turn } from '../../core/gemini/conversation.ts'
import { MAX_PROMPT_CHARS } from '../../core/models.ts'
import { fieldProblem } from '../http/problem.ts'
import { dataUrlIn } from '../stream/dataurl.ts'

/** An image of a message: where it stood, whether the model made it, and how it is named. `taken` is the place among the
 *  images of the body, `label` the type that it is called; `base64` stood in the middle of a text. */
export type ChatImage = { path: string; isMade: boolean } & (
  | { taken: number; label: string }
  | { base64: string }
  | { address: string }
)

export type ChatTurns = {
  system: string | undefined
  /** Their image parts count `images`. */
  turns: Turn[]
  images: ChatImage[]
  /** The words of the last message; empty when it holds pictures only. */
  prompt: string
}

/** Whether the string under `key` may be a data URL that holds an image: `image_url: {url}` and its short form, and the
 *  `file_data` of an attached file. */
export function isChatImage(key: string, parentKey: string | undefined): boolean {
  return key === 'image_url' || key === 'file_data' || (key === 'url' && parentKey === 'image_url')
}

type Json = { readonly [key: string]: unknown }
type Part = ImagePart | OtherPart

/** The turns of `messages`, of which the last must be the user's. What `system` and `developer` say is one system text;
 *  what a tool said is the user's to the model, because it is offered no tools. `isOwn`: the address is that of a picture
 *  of ours. Throws `invalid_request`, naming the message. */
export function readMessages(messages: unknown, isOwn: (address: string) => boolean): ChatTurns {
  if (!Array.isArray(messages) || messages.length === 0)
    throw fieldProblem('messages', 'must be a list of at least one message')
  const system: string[] = []
  const read: ChatTurns = { system: undefined, turns: [], images: [], prompt: '' }
  let last: { role: string; parts: readonly Part[] } = { role: '', parts: [] }
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`
    const { role } = object(message, path)
    if (role === 'system' || role === 'developer') {
      system.push(...textsOf(message as Json, path))
      continue
    }
    last = readTurn(message as Json, path, read.images, isOwn)
    append(read.turns, last)
  }
  const where = `messages[${messages.length - 1}]`
  if ((messages.at(-1) as Json).role !== 'user')
    throw fieldProblem(`${where}.role`, 'must be user: the last message says what to draw')
  if (last.parts.length === 0)
    throw fieldProblem(`${where}.content`, 'is empty: say what to draw, or attach an image')
  const words = last.parts.flatMap((p) => ('part' in p ? [String(p.part.text)] : []))
  const rules = system.join('\n\n')
  if (rules.length > MAX_PROMPT_CHARS)
    throw fieldProblem(
      'messages',
      `the system text has ${rules.length} characters; at most ${MAX_PROMPT_CHARS} are taken`,
    )
  return { ...read, system: rules || undefined, prompt: words.join('\n') }
}

/** Adds a turn to those before it; two in a row of the same role are one. */
function append(turns: Turn[], { role, parts }: Turn): void {
  const before = turns.at(-1)
  if (parts.length === 0) return
  if (before?.role === role) turns[turns.length - 1] = { role, parts: [...before.parts, ...parts] }
  else turns.push({ role, parts })
}

const ROLES = new Map([
  ['user', 'user'],
  ['assistant', 'model'],
  ['tool', 'user'],
  ['function', 'user'],
])

/** One message as a turn; its images are put behind `found`. */
function readTurn(
  message: Json,
  path: string,
  found: ChatImage[],
  isOwn: (address: string) => boolean,
): { role: string; parts: readonly Part[] } {
  const { content, refusal, images } = message
  const role = ROLES.get(String(message.role))
  if (!role)
    throw fieldProblem(
      `${path}.role`,
      `must be system, developer, user, assistant or tool, not ${quoted(message.role)}`,
    )
  const parts: Part[] = []
  const seen = new Set<string>()
  // Our own answers name a picture twice: for clients that read text, and for those that read `images`.
  const isNew = (address: string) => {
    const isKnown = role === 'model' && seen.has(address)
    seen.add(address)
    return !isKnown
  }
  const add = (place: string, image: Named) => {
    parts.push({ image: found.length })
    found.push({ path: place, isMade: role === 'model', ...image })
  }
  const addText = (text: string, place: string) => {
    let words = ''
    const flush = () => {
      if (words.trim() !== '') parts.push({ part: { text: words } })
      words = ''
    }
    for (const piece of piecesOf(text)) {
      const image = typeof piece === 'string' ? undefined : pictured(piece.address, isOwn)
      if (!image) words += typeof piece === 'string' ? piece : piece.markdown
      else if (isNew((piece as Markdown).address)) {
        flush()
        add(place, image)
      }
    }
    flush()
  }
  const addPart = (value: unknown, place: string) => {
    const part = object(value, place)
    const text = part.text ?? part.refusal
    if (typeof text === 'string') return addText(text, place)
    if (/text$/.test(String(part.type))) throw fieldProblem(`${place}.text`, 'must be text')
    const { address, at } = addressOf(part, place)
    if (isNew(address)) add(at, named(address, at, isOwn))
  }

  if (typeof content === 'string') addText(content, `${path}.content`)
  else if (Array.isArray(content))
    for (const [index, part] of content.entries()) addPart(part, `${path}.content[${index}]`)
  else if (content !== undefined && content !== null)
    throw fieldProblem(`${path}.content`, 'must be text or a list of parts')
  if (parts.length === 0 && typeof refusal === 'string') addText(refusal, `${path}.refusal`)
  if (Array.isArray(images))
    for (const [index, image] of images.entries()) addPart(image, `${path}.images[${index}]`)
  return { role, parts }
}

type Markdown = { markdown: string; address: string }

// No part runs over the beginning of the next image, so that the search is linear whatever is sent.
const MARKDOWN_IMAGE = /!\[[^[\]]*\]\(\s*<?([^\s()<>]+)>?(?:\s+"[^"]*")?\s*\)/g

/** A text cut at its Markdown images. */
function piecesOf(text: string): (string | Markdown)[] {
  const pieces: (string | Markdown)[] = []
  let from = 0
  for (const match of text.matchAll(MARKDOWN_IMAGE)) {
    pieces.push(text.slice(from, match.index), { markdown: match[0], address: match[1]! })
    from = match.index + match[0].length
  }
  return [...pieces, text.slice(from)]
}

type Named = { taken: number; label: string } | { base64: string } | { address: string }

/** The picture of a Markdown image: one of ours, or one that is written out. Any other stays what it is, text. */
function pictured(address: string, isOwn: (address: string) => boolean): Named | undefined {
  const base64 = /^data:[^,]*;base64,(.*)$/is.exec(address)?.[1]
  if (base64 !== undefined) return { base64 }
  return isOwn(address) ? { address } : undefined
}

/** The address that a part gives an image by, and where that stands. */
function addressOf(part: Json, path: string): { address: string; at: string } {
  const type = String(part.type ?? 'image_url')
  if (part.file_id !== undefined || (part.file as Json | undefined)?.file_id !== undefined)
    throw fieldProblem(
      path,
      'a file_id is not known here; send the image as a data URL or by its https address',
    )
  for (const [name, member] of [
    ['image_url', 'url'],
    ['file', 'file_data'],
  ] as const) {
    const value = part[name]
    if (typeof value === 'string') return { address: value, at: `${path}.${name}` }
    const inner = typeof value === 'object' && value !== null ? (value as Json)[member] : undefined
    if (typeof inner === 'string') return { address: inner, at: `${path}.${name}.${member}` }
  }
  throw fieldProblem(
    path,
    `${quoted(type)} is not read; a part is {type: "text", text} or {type: "image_url", image_url: {url}}`,
  )
}

/** What an address names: an image of the body, a picture of ours, or an image elsewhere. */
function named(address: string, path: string, isOwn: (address: string) => boolean): Named {
  const data = dataUrlIn(address)
  if (data) return { taken: data.index, label: data.type }
  if (/^data:/i.test(address)) throw fieldProblem(path, 'a data URL must be Base64: data:image/png;base64,…')
  if (!isOwn(address) && !(/^https:\/\//i.test(address) && URL.canParse(address)))
    throw fieldProblem(path, 'must be a data URL, an https address, or the address of a picture made here')
  if (address.length > MAX_ADDRESS_CHARS)
    throw fieldProblem(path, `an address has at most ${MAX_ADDRESS_CHARS} characters`)
  return { address }
}

/** The longest address that is taken: it is kept in the record. */
const MAX_ADDRESS_CHARS = 4_096

/** The texts of a message that may hold nothing else. */
function textsOf({ content }: Json, path: string): string[] {
  if (typeof content === 'string') return content.trim() === '' ? [] : [content]
  if (!Array.isArray(content)) throw fieldProblem(`${path}.content`, 'must be text or a list of text parts')
  return content.map((part, index) => {
    const { text } = object(part, `${path}.content[${index}]`)
    if (typeof text === 'string') return text
    throw fieldProblem(
      `${path}.content[${index}]`,
      'a system message holds text only; send images as the user',
    )
  })
}

function object(value: unknown, path: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw fieldProblem(path, 'must be an object')
}

function quoted(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80)
}
