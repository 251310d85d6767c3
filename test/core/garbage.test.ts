// Answers that no provider should give. Each is made from a seed, so that one that does harm can be made again.
import { expect, test } from 'vitest'
import { chooseResult, readAnswer } from '../../core/answer.ts'
import { classifyAnswer, classifyStatus } from '../../core/outcome.ts'
import { PROVIDERS } from '../../core/providers.ts'
import { type Random, randomOf } from '../../emulator/random.ts'

test('no answer crashes its reader, whatever it holds', () => {
  const keys = [
    ...'candidates content parts text thought inlineData inline_data data mimeType finishReason error code'.split(
      ' ',
    ),
    ...'message details violations quotaId retryDelay @type reason promptFeedback blockReason'.split(' '),
    ...'usageMetadata candidatesTokensDetails tokenCount totalTokenCount toString valueOf length'.split(' '),
  ]
  const leaves = [
    null,
    true,
    false,
    0,
    -1,
    1e308,
    '',
    'STOP',
    '7s',
    'google.rpc.RetryInfo',
    'PerDay',
    '\ud800',
  ]
  const garbage = (random: Random, depth: number): unknown => {
    const kind = depth > 6 ? 0 : random.whole(0, 4)
    if (kind === 0) return random.pick(leaves)
    const many = Array.from({ length: random.whole(0, 4) })
    if (kind === 1) return many.map(() => garbage(random, depth + 1))
    return Object.fromEntries(many.map(() => [random.pick(keys), garbage(random, depth + 1)]))
  }
  // The same mischief one level down, where the reader goes deepest.
  const wraps: ((g: unknown) => unknown)[] = [
    (g) => g,
    (g) => ({ candidates: [{ content: { parts: [g, g] }, finishReason: g }], usageMetadata: g }),
    (g) => ({ error: g }),
    (g) => ({ error: { details: [g, { '@type': g, violations: [g, null], retryDelay: g }] } }),
  ]
  for (let seed = 0; seed < 2_000; seed++) {
    const random = randomOf(`garbage ${seed}`)
    const json = random.pick(wraps)(garbage(random, 0))
    const answer = readAnswer(json)
    const chosen = chooseResult(answer, () => true)
    const body = JSON.stringify(json)
    for (const provider of PROVIDERS) {
      const verdicts = [
        classifyAnswer(answer, false, 0, provider),
        classifyStatus(
          random.pick([400, 429, 500, 503, 524]),
          body,
          random.pick([null, '7', 'x']),
          provider,
          0,
        ),
      ]
      // Nothing that was sent and not answered by the book is free and repeated without the table saying so.
      for (const { charged, next } of verdicts) expect(charged !== 'no' && next !== 'stop').toBe(false)
    }
    expect(answer.parts.length > 0 || chosen.result === undefined).toBe(true)
  }
})
