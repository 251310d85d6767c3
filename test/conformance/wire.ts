// A provider's line, listened to: a proxy in front of the emulator that keeps every request body as it came.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Stack, startStack } from '../runner/sandbox.ts'

export type Sent = { path: string; body: unknown }

/** A stack whose providers `ids` are reached through a proxy that notes what they are sent. */
export async function tappedStack(
  ids: readonly string[],
  variables: Record<string, string>,
): Promise<Stack & { sent: Sent[] }> {
  const sent: Sent[] = []
  let emulator = ''
  const proxy = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    sent.push({ path: request.url!, body: JSON.parse(body.toString()) })
    const headers = { ...request.headers } as Record<string, string>
    for (const name of ['host', 'connection', 'transfer-encoding', 'content-length', 'expect'])
      delete headers[name]
    const answer = await fetch(emulator + request.url, { method: 'POST', headers, body })
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type')! })
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const bases = Object.fromEntries(ids.map((id) => [`${constant(id)}_BASE_URL`, `${url}/${id}`]))
  const stack = await startStack({ ...bases, ...variables })
  emulator = stack.emulator.url
  return {
    ...stack,
    sent,
    async close() {
      await stack.close()
      proxy.closeAllConnections()
      await new Promise((closed) => proxy.close(closed))
    },
  }
}

function constant(id: string): string {
  return id.toUpperCase().replaceAll('-', '_')
}
