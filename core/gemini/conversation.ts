// A native call beyond prompt and references: its turns as they came, tools, and settings that the API has no name for.
// Its images are marks that count the references of the request; what may be long (thought signatures) stays in here.

type Json = { readonly [key: string]: unknown }

/** An image of a turn: which reference of the request it is, from 0, and what else the part says (`thoughtSignature`,
 *  `thought`, …). */
export type ImagePart = { image: number; more?: Json }

/** Any other part, in camelCase, passed on as it is: `{text, thoughtSignature}`, `{functionCall}`, … */
export type OtherPart = { part: Json }

export type Turn = { role: string; parts: readonly (ImagePart | OtherPart)[] }

export type Conversation = {
  turns: readonly Turn[]
  tools?: readonly Json[]
  toolConfig?: Json
  /** Members of `generationConfig` and of its `imageConfig` that the API has no name for. */
  generationConfig?: Json
  imageConfig?: Json
  /** The caller wants to see the thoughts; their pictures are then kept. */
  includeThoughts?: true
}

/** All text of the turns, without the signatures: what prompt tokens are made from. */
export function textsOf({ turns }: Conversation): string[] {
  const parts = turns.flatMap((turn) => turn.parts)
  return parts.flatMap((p) => ('part' in p && typeof p.part.text === 'string' ? [p.part.text] : []))
}

/** Whether the call asks for grounding with a search, which is billed beside the picture. */
export function isGrounded({ tools }: Conversation): boolean {
  return tools?.some((tool) => 'googleSearch' in tool || 'googleSearchRetrieval' in tool) ?? false
}
