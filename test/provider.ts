// What the worker's tests meet instead of providers, on loopback: the emulator, and a recorder that keeps each request as
// it came over the wire and answers it with a picture of one pixel. Started once for all files.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { serveEmulator } from '../emulator/serve.ts'
import type { RecordedRequest } from './worker/setup/witness.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the emulator listens; a provider's base URL is `<emulatorUrl>/<provider id>`. */
    emulatorUrl: string
    /** Where the recorder listens; `GET /requests` gives what it was sent. */
    recorderUrl: string
    /** Where nothing listens: connections are refused. */
    closedUrl: string
  }
}

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const ANSWER = JSON.stringify({
  candidates: [
    {
      content: { role: 'model', parts: [{ inlineData: { mimeType: 'image/png', data: PIXEL } }] },
      finishReason: 'STOP',
    },
  ],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 258, totalTokenCount: 268 },
})

/** Vitest's global set-up. */
export default async function provider(project: TestProject): Promise<() => Promise<void>> {
  const emulator = await serveEmulator()
  const recorder = await serveRecorder()
  project.provide('emulatorUrl', emulator.url)
  const closed = await listen(createServer())
  project.provide('recorderUrl', urlOf(recorder))
  project.provide('closedUrl', urlOf(closed))
  closed.close()
  return async () => {
    recorder.closeAllConnections()
    await Promise.all([emulator.close(), new Promise((resolve) => recorder.close(resolve))])
  }
}

function serveRecorder(): Promise<Server> {
  const requests: RecordedRequest[] = []
  const server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.url === '/requests') return response.end(JSON.stringify(requests))
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url: path = '', headers } = request
    requests.push({ method, path, headers, body: Buffer.concat(chunks).toString() })
    return response.end(ANSWER)
  })
  return listen(server)
}

function listen(server: Server): Promise<Server> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
