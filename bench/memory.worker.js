// The worker of bench/memory.ts: takes a provider's answer apart in two ways and stores its picture. JavaScript, because
// the platform's types and Node's, which its neighbours need, exclude each other.
import { PictureWriter } from '../worker/stream/picture.ts'
import { isInlineData, scanJson } from '../worker/stream/scanner.ts'

/** Takes everything and keeps nothing: what is left is what the worker itself needs. */
const NOWHERE = {
  put: async () => {},
  createMultipartUpload: async () => ({ uploadPart: async () => {}, complete: async () => {} }),
}

const WAYS = {
  /** What is usually written. */
  async whole(answer, bucket) {
    const json = await answer.json()
    const bytes = Buffer.from(json.candidates[0].content.parts[0].inlineData.data, 'base64')
    await bucket.put('picture', bytes)
    return bytes.length
  },
  async streamed(answer, bucket) {
    const sleep = (ms) => scheduler.wait(ms)
    const writer = new PictureWriter({ bucket, key: () => 'picture', metadata: {}, sleep })
    const sink = { open() {}, write: (bytes) => writer.write(bytes), close() {} }
    await scanJson(answer.body, { isBlob: isInlineData, sink })
    return (await writer.finish()).bytes
  },
}

export default {
  async fetch(request, env) {
    const { searchParams } = new URL(request.url)
    const answer = await fetch(searchParams.get('from'))
    const bucket = searchParams.get('to') === 'r2' ? env.BUCKET : NOWHERE
    return new Response(String(await WAYS[searchParams.get('way')](answer, bucket)))
  },
}
