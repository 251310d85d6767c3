// The emulator of the soak: one of its own, so that its bill is the soak's alone, and with quick drawing, because what is
// tried is the worker. How long a picture takes follows from its prompt.
import type { TestProject } from 'vitest/node'
import { serveEmulator } from '../../../emulator/serve.ts'

/** Vitest's global set-up. */
export default async function provider(project: TestProject): Promise<() => Promise<void>> {
  const emulator = await serveEmulator({ drawing: 'quick', latencyMs: ({ prompt }) => latencyOf(prompt) })
  await warmUp(emulator.url)
  emulator.reset()
  project.provide('emulatorUrl', emulator.url)
  return () => emulator.close()
}

/** The first picture of each kind is drawn in full, which takes longer than a call of the soak may last. */
async function warmUp(url: string): Promise<void> {
  const kinds = [
    ['apiyi', 'gemini-3.1-flash-image-preview', '512'],
    ['apiyi', 'gemini-3.1-flash-image-preview', '1K'],
    ['apiyi', 'gemini-3-pro-image-preview', '1K'],
    ['google', 'gemini-2.5-flash-image', undefined],
  ] as const
  for (const [provider, model, imageSize] of kinds) {
    const response = await fetch(`${url}/${provider}/v1beta/models/${model}:generateContent`, {
      method: 'POST',
      headers: { authorization: 'Bearer any', 'x-goog-api-key': 'any' },
      body: JSON.stringify({
        contents: [{ parts: [{ text: 'warm up' }] }],
        generationConfig: {
          responseModalities: ['IMAGE'],
          ...(imageSize ? { imageConfig: { imageSize } } : {}),
        },
      }),
    })
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    await response.arrayBuffer()
  }
}

/** 20 to 700 ms, mostly short. */
function latencyOf(prompt: string): number {
  let sum = 0
  for (const letter of prompt) sum = (sum * 31 + letter.charCodeAt(0)) % 1_009
  return 20 + (sum * sum) / 1_500
}
