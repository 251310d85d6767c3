// A generation as the answer of a chat, whole or in chunks. Pictures stand in it by name, filled in from R2 while
// it is sent (promise 3). Clients that asked for images read them in `images`; the rest get Markdown, which a chat shows.
import type { GenerationView } from '../../core/api.ts'
import { Base64Of } from '../stream/json.ts'
import type { StoredPicture } from '../stream/picture.ts'
import { usageOf } from './usage.ts'

/** What the model answered, in its order. */
export type Piece = { text: string } | { picture: StoredPicture; url: string }

/** `data`: in `images`, as data URLs. `url`: in `images`, by address. `markdown`: as `url`, and in the text too. */
export type ChatStyle = 'data' | 'url' | 'markdown'

export type ChatAnswer = {
  view: GenerationView
  pieces: readonly Piece[]
  /** The provider's rules forbade it: the pieces explain that. */
  isRefusal: boolean
}

/** The answer as one body. Pictures in it are Base64Of. */
export function completionOf(answer: ChatAnswer, style: ChatStyle) {
  const content = contentOf(answer, style)
  const images = imagesOf(answer, style)
  const refusal = answer.isRefusal ? content : null
  const message = { role: 'assistant', content, refusal, ...(images.length > 0 ? { images } : {}) }
  return {
    ...headOf(answer.view, 'chat.completion'),
    ...reportOf(answer.view),
    choices: [{ index: 0, message, logprobs: null, ...endOf(answer) }],
  }
}

/** The first chunk, sent before anything is known. */
export function firstChunk(view: GenerationView) {
  return chunkOf(view, { role: 'assistant', content: '' })
}

/** The chunks of an answer that has ended: words, pictures, the end, and the usage where it is asked for. */
export function chunksOfAnswer(answer: ChatAnswer, style: ChatStyle, includesUsage: boolean): object[] {
  const { view, isRefusal } = answer
  const content = contentOf(answer, style)
  const images = imagesOf(answer, style)
  const usage = { ...headOf(view, CHUNK), choices: [], usage: null, ...reportOf(view) }
  return [
    ...(content === '' ? [] : [chunkOf(view, { content, ...(isRefusal ? { refusal: content } : {}) })]),
    ...(images.length > 0 ? [chunkOf(view, { images })] : []),
    chunkOf(view, {}, endOf(answer)),
    ...(includesUsage ? [usage] : []),
  ]
}

const CHUNK = 'chat.completion.chunk'

function chunkOf(view: GenerationView, delta: object, end: object = { finish_reason: null }) {
  return { ...headOf(view, CHUNK), choices: [{ index: 0, delta, logprobs: null, ...end }] }
}

function headOf({ id, createdAt, model }: GenerationView, object: string) {
  const created = Math.floor(Date.parse(createdAt) / 1_000)
  return { id: id.replace('gen_', 'chatcmpl-'), object, created, model }
}

/** What it cost, in tokens and, under our own name, in money: a stream has sent its headers before that is known. */
function reportOf(view: GenerationView) {
  const charges = view.attempts.map((attempt) => attempt.charged)
  const charged = charges.includes('unknown') ? 'unknown' : charges.includes('yes') ? 'yes' : 'no'
  const usage = tokensOf(view)
  return {
    ...(usage ? { usage } : {}),
    proofsheet: { generation: view.id, provider: view.provider, cost: view.cost.actual, charged },
  }
}

function endOf({ view, isRefusal }: ChatAnswer) {
  const finish = isRefusal ? 'content_filter' : view.finishReason === 'MAX_TOKENS' ? 'length' : 'stop'
  return { finish_reason: finish, native_finish_reason: view.finishReason }
}

/** The count in the words of a chat. Details that the provider did not give are left out. */
function tokensOf(view: GenerationView) {
  const usage = usageOf(view)
  const image = usage?.output_tokens_details?.image_tokens
  return (
    usage && {
      prompt_tokens: usage.input_tokens,
      completion_tokens: usage.output_tokens,
      total_tokens: usage.total_tokens,
      ...(image === undefined ? {} : { completion_tokens_details: { image_tokens: image } }),
    }
  )
}

function contentOf({ pieces }: ChatAnswer, style: ChatStyle): string {
  const texts = pieces.flatMap((piece) => {
    if ('text' in piece) return [piece.text.trim()]
    return style === 'markdown' ? [`![image](${piece.url})`] : []
  })
  return texts.filter((text) => text !== '').join('\n\n')
}

function imagesOf({ pieces }: ChatAnswer, style: ChatStyle) {
  const pictures = pieces.filter((piece) => 'picture' in piece)
  return pictures.map(({ picture, url }, index) => {
    const data = new Base64Of(picture, `data:${picture.mimeType};base64,`)
    return { index, type: 'image_url', image_url: { url: style === 'data' ? data : url } }
  })
}
