// countTokens: an estimate made here, by the same rule as the price before the picture. No provider is asked and nothing
// is stored.
import type { Context } from 'hono'
import { checkedContents } from '../../core/gemini/contents.ts'
import { type Body, readCountBody } from '../../core/gemini/fields.ts'
import { invalidFields } from '../../core/gemini/rpc.ts'
import type { AppEnv } from '../env.ts'
import { countCall, namedModel } from './body.ts'

export type TokenCount = {
  totalTokens: number
  promptTokensDetails: { modality: 'TEXT' | 'IMAGE'; tokenCount: number }[]
}

/** Tokens of an input image where none are established for the model: the rule of Gemini 2.x. */
const IMAGE_TOKENS = 258

/** About four bytes of text make a token. */
const BYTES_PER_TOKEN = 4

/** The tokens of the body's prompt for the model `name`. Throws RpcError 400 and Problem `unknown_model`. */
export async function countTokens(c: Context<AppEnv>, name: string): Promise<TokenCount> {
  const { model } = namedModel(c, name)
  const { json, images } = await countCall(c.req.raw.body)
  const { contents, generateContentRequest } = readCountBody(json, images)
  if (contents && generateContentRequest)
    throw invalidFields([
      {
        field: 'generate_content_request',
        description: 'Give either contents or generate_content_request, not both.',
      },
    ])
  const counted: Body<number> = generateContentRequest ?? (contents ? { contents } : {})
  const turns = checkedContents(counted)
  const { systemInstruction } = counted
  const parts = [...turns, ...(systemInstruction ? [systemInstruction] : [])].flatMap((t) => t.parts ?? [])
  const text = parts.map((part) => part.text ?? '').join('')
  const textTokens = Math.ceil(new TextEncoder().encode(text).byteLength / BYTES_PER_TOKEN)
  const pictures = parts.filter((part) => part.inlineData ?? part.fileData).length
  const imageTokens = pictures * (model.tokens.inputImage ?? IMAGE_TOKENS)
  return {
    totalTokens: textTokens + imageTokens,
    promptTokensDetails: [
      { modality: 'TEXT' as const, tokenCount: textTokens },
      { modality: 'IMAGE' as const, tokenCount: imageTokens },
    ].filter(({ tokenCount }) => tokenCount > 0),
  }
}
