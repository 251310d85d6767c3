// An answer as a stream of answers: words first, each picture whole in one of them, the end with the last. No comments and
// no closing mark on this surface: Python's client takes either for a broken answer (google-genai 2.25.0, observed).
import type { Json } from '../../core/answer.ts'
import type { Segment } from '../stream/body.ts'
import { jsonSegments } from '../stream/json.ts'
import type { NativeAnswer } from './answer.ts'

/** The answers of the stream, in order; at least one. */
export function inChunks(answer: NativeAnswer): NativeAnswer[] {
  const { candidates, promptFeedback, usageMetadata, modelVersion, responseId } = answer
  const candidate = candidates?.[0]
  const parts = candidate?.content?.parts ?? []
  if (!candidate || parts.length < 2) return [answer]
  const { content: _, ...told } = candidate
  const groups = grouped(parts)
  return groups.map((group, index): NativeAnswer => {
    const content = { role: 'model' as const, parts: group }
    const isLast = index === groups.length - 1
    return {
      candidates: [isLast ? { content, ...told } : { content, index: told.index ?? 0 }],
      ...(isLast && promptFeedback ? { promptFeedback } : {}),
      // Every chunk has usage; the last one counts.
      usageMetadata: isLast ? usageMetadata : promptOnly(usageMetadata),
      modelVersion,
      responseId,
    }
  })
}

/** Server-sent events, as `alt=sse` asks for. */
export function eventsOf(chunks: readonly NativeAnswer[]): Segment[] {
  return chunks.flatMap((chunk) => ['data: ', ...jsonSegments(chunk), '\r\n\r\n'])
}

/** One JSON list, as a stream without `alt=sse` is written. */
export function listOf(chunks: readonly NativeAnswer[]): Segment[] {
  return [...chunks.flatMap((chunk, index) => [index === 0 ? '[' : ',\r\n', ...jsonSegments(chunk)]), ']']
}

/** Parts in their order: a picture alone, what stands before or between pictures together. */
function grouped(parts: readonly Json[]): Json[][] {
  const groups: Json[][] = []
  let open: Json[] | undefined
  for (const part of parts) {
    if (part.inlineData || part.fileData) {
      groups.push([part])
      open = undefined
    } else if (open) open.push(part)
    else {
      open = [part]
      groups.push(open)
    }
  }
  return groups
}

/** What is known of the usage while the answer still goes on. */
function promptOnly({ promptTokenCount, promptTokensDetails }: Json): Json {
  return {
    ...(promptTokenCount === undefined ? {} : { promptTokenCount, totalTokenCount: promptTokenCount }),
    ...(promptTokensDetails === undefined ? {} : { promptTokensDetails }),
  }
}
