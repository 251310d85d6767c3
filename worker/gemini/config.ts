// The settings of a native call: those that a request has names for, checked by its schema, and those that are passed on
// as they are.
import { z } from 'zod'
import { checkCandidates, readModalities, readThinkingLevel } from '../../core/gemini/config.ts'
import type { Conversation } from '../../core/gemini/conversation.ts'
import type { Body } from '../../core/gemini/fields.ts'
import { invalidFields } from '../../core/gemini/rpc.ts'
import { ASPECTS, SizeSchema } from '../../core/models.ts'
import { type GenerationRequest, ParametersSchema } from '../../core/request.ts'
import { parse } from '../http/input.ts'
import { Problem } from '../http/problem.ts'
import { type Places, placeOf } from './places.ts'

export type Settings = {
  request: Pick<GenerationRequest, 'size' | 'aspect'> & z.output<typeof ParametersSchema>
  conversation: Omit<Conversation, 'turns'>
}

/** Modalities are read by core/gemini/config.ts: text alone is a legal wish here. */
const SettingsSchema = ParametersSchema.omit({ modalities: true }).extend({
  size: SizeSchema.optional(),
  aspect: z.enum(ASPECTS).optional(),
})

/** `system`: the system text of the call, if there is one. Throws RpcError 400 that names every field at fault. */
export function readSettings(body: Body<number>, system: string | undefined, places: Places): Settings {
  refuseWhatIsNotOffered(body)
  const { imageConfig, thinkingConfig, responseModalities, candidateCount, ...config } =
    body.generationConfig ?? {}
  const { temperature, topP, topK, seed, maxOutputTokens, ...otherConfig } = config
  checkCandidates(candidateCount)
  const { aspectRatio, imageSize, ...otherImageConfig } = imageConfig ?? {}
  const level = readThinkingLevel(thinkingConfig?.thinkingLevel)
  const budget = thinkingConfig?.thinkingBudget
  const wanted = {
    system,
    // An empty text is the same as none, as protocol buffers have it.
    size: imageSize || undefined,
    aspect: aspectRatio || undefined,
    temperature,
    topP,
    topK,
    seed,
    maxOutputTokens,
    safetySettings: body.safetySettings?.filter((s) => s.threshold !== 'HARM_BLOCK_THRESHOLD_UNSPECIFIED'),
    thinking: level !== undefined || budget !== undefined ? { level, budget } : undefined,
  }
  return {
    request: {
      ...parsed(wanted, places),
      modalities: readModalities(responseModalities) ?? ['TEXT', 'IMAGE'],
    },
    conversation: {
      ...(body.tools?.length ? { tools: body.tools } : {}),
      ...(body.toolConfig ? { toolConfig: body.toolConfig } : {}),
      ...(isEmpty(otherConfig) ? {} : { generationConfig: otherConfig }),
      ...(isEmpty(otherImageConfig) ? {} : { imageConfig: otherImageConfig }),
      ...(thinkingConfig?.includeThoughts ? { includeThoughts: true } : {}),
    },
  }
}

const STANDARD_TIERS = ['', 'standard', 'unspecified']

/** What would be billed in another way than the one that is quoted. */
function refuseWhatIsNotOffered({ cachedContent, serviceTier }: Body<number>): void {
  const tier = serviceTier?.toLowerCase().replace(/^service_tier_/, '') ?? ''
  const refuse = (field: string, what: string) => {
    const description = `${field}: proofsheet does not offer ${what}, because it has a price of its own; leave the field out.`
    throw invalidFields([{ field, description }])
  }
  if (cachedContent) refuse('cached_content', 'cached content')
  if (!STANDARD_TIERS.includes(tier)) refuse('service_tier', `the service tier ${serviceTier}`)
}

function parsed(wanted: Record<string, unknown>, places: Places): z.output<typeof SettingsSchema> {
  const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
  try {
    return parse(SettingsSchema, given)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    throw invalidFields(
      (error.errors ?? []).map(({ path, message }) => {
        const field = placeOf(path, places)
        return { field, description: `Invalid value at '${field}': ${message}` }
      }),
    )
  }
}

function isEmpty(json: object): boolean {
  return Object.keys(json).length === 0
}
