// The worker of bench/dropin.ts: a gateway in front of a provider that stores what passes through it, in two ways.
// JavaScript, because the platform's types and Node's, which its neighbours need, exclude each other.
import { takeBody } from '../worker/references/intake.ts'
import { streamBody } from '../worker/stream/body.ts'
import { PictureWriter } from '../worker/stream/picture.ts'
import { isInlineData, scanJson } from '../worker/stream/scanner.ts'

/** Takes everything, keeps nothing, and gives as many bytes as are asked for: what is left is the worker's own share. */
const NOWHERE = {
  head: async () => null,
  async put(_key, body) {
    if (body instanceof ReadableStream) await body.pipeTo(new WritableStream())
    return {}
  },
  delete: async () => {},
  createMultipartUpload: async () => ({
    uploadPart: async () => ({}),
    complete: async () => ({}),
    abort: async () => {},
  }),
  sizes: new Map(),
  async get(key) {
    const size = this.sizes.get(key)
    let rest = size
    const body = new ReadableStream({
      type: 'bytes',
      pull(controller) {
        const view = controller.byobRequest.view
        const filled = Math.min(view.byteLength, rest)
        rest -= filled
        if (filled === 0) controller.close()
        controller.byobRequest.respond(filled)
      },
    })
    return { size, body }
  },
}

const JSON_TYPE = { 'content-type': 'application/json' }

const WAYS = {
  /** What is usually written. */
  whole: {
    async in(request, provider, bucket) {
      const json = await request.json()
      for (const { inlineData } of json.contents[0].parts)
        if (inlineData) await bucket.put(crypto.randomUUID(), Buffer.from(inlineData.data, 'base64'))
      return fetch(provider, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(json) })
    },
    async out(_request, provider, bucket) {
      const json = await (await fetch(provider)).json()
      const { inlineData } = json.candidates[0].content.parts[0]
      const bytes = Buffer.from(inlineData.data, 'base64')
      await bucket.put('picture', bytes)
      inlineData.data = bytes.toString('base64')
      return Response.json(json)
    },
  },
  streamed: {
    async in(request, provider, bucket) {
      const options = { isBlob: isInlineData, maxJsonBytes: 1024 * 1024, field: 'inline_data' }
      const { images } = await takeBody(request.body, options, { bucket, long: bucket, workspace: 'bench' })
      const segments = images.flatMap(({ key, bytes }) => {
        NOWHERE.sizes.set(key, bytes)
        return ['{"inlineData":{"mimeType":"image/png","data":"', { key, bytes }, '"}},']
      })
      const all = ['{"contents":[{"parts":[', ...segments, '{"text":"one picture"}]}]}']
      return fetch(provider, { method: 'POST', headers: JSON_TYPE, body: streamBody(all, bucket).body })
    },
    async out(_request, provider, bucket) {
      const answer = await fetch(provider)
      const key = () => 'picture'
      const writer = new PictureWriter({ bucket, key, metadata: {}, sleep: (ms) => scheduler.wait(ms) })
      const sink = { open() {}, write: (bytes) => writer.write(bytes), close() {} }
      await scanJson(answer.body, { isBlob: isInlineData, sink })
      const { bytes } = await writer.finish()
      NOWHERE.sizes.set('picture', bytes)
      const head = '{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"'
      const all = [head, { key: 'picture', bytes }, '"}}]},"finishReason":"STOP"}]}']
      return new Response(streamBody(all, bucket).body, { headers: JSON_TYPE })
    },
  },
}

export default {
  async fetch(request, env) {
    const { searchParams } = new URL(request.url)
    const bucket = searchParams.get('to') === 'r2' ? env.BUCKET : NOWHERE
    return WAYS[searchParams.get('way')][searchParams.get('direction')](
      request,
      searchParams.get('provider'),
      bucket,
    )
  },
}
