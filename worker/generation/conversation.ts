// Conversations in R2, named by their digest: with thought signatures they may be longer than a record may be. Written
// before the generation is accepted, read when its call is built.
import { type Conversation, isGrounded, textsOf } from '../../core/gemini/conversation.ts'
import { stableJson } from '../../core/request.ts'
import { sha256 } from './name.ts'

/** Where a conversation lies, and what the worker needs to know of it without reading it. */
export type StoredConversation = {
  key: string
  sha256: string
  /** UTF-8 bytes of all its text. */
  textBytes: number
  /** Thought pictures are kept. */
  includeThoughts?: true
  /** A search may be billed. */
  isGrounded?: true
}

/** Hex SHA-256 of a conversation. */
export function digestOf(conversation: Conversation): string {
  return sha256(stableJson(conversation))
}

/** Stores a conversation. The same one twice is one object. */
export async function storeConversation(
  bucket: Pick<R2Bucket, 'put'>,
  workspace: string,
  conversation: Conversation,
): Promise<StoredConversation> {
  const json = stableJson(conversation)
  const digest = sha256(json)
  const key = `conversations/${workspace}/${digest}.json`
  await bucket.put(key, json, { httpMetadata: { contentType: 'application/json' } })
  return {
    key,
    sha256: digest,
    textBytes: new TextEncoder().encode(textsOf(conversation).join('')).byteLength,
    ...(conversation.includeThoughts ? { includeThoughts: true } : {}),
    ...(isGrounded(conversation) ? { isGrounded: true } : {}),
  }
}

/** The conversation, or undefined when it is not stored any more. */
export async function readConversation(
  bucket: Pick<R2Bucket, 'get'>,
  { key }: StoredConversation,
): Promise<Conversation | undefined> {
  const object = await bucket.get(key)
  return object ? await object.json<Conversation>() : undefined
}
