// The control port of the local server: who uses it. A lease is a request that is never answered to the end, so that it
// ends with its holder, however that one ends. Knows connections; not the worker.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Control = {
  url: string
  /** How many hold a lease now, and how many ever did. */
  leases(): { now: number; ever: number }
  /** Gives no further leases. */
  close(): void
}

export type ControlOptions = {
  token: string
  /** Asked to make room for another server: whether nothing is being made that would be lost. */
  onEnd: () => Promise<boolean>
}

/** Why a server does not make room: somebody holds a lease, or pictures are being made. */
export type Refusal = 'used' | 'busy'

/** Opens the control port on a free port of the loopback. */
export async function openControl({ token, onEnd }: ControlOptions): Promise<Control> {
  const held = new Set<ServerResponse>()
  let ever = 0
  let closed = false
  const answer = (response: ServerResponse, status: number, body = '') => response.writeHead(status).end(body)
  const refusal = async (): Promise<Refusal | undefined> =>
    held.size > 0 ? 'used' : (await onEnd()) ? undefined : 'busy'

  const server = createServer(async (request: IncomingMessage, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) return answer(response, 401)
    switch (`${request.method} ${request.url}`) {
      case 'GET /lease':
        if (closed) return answer(response, 410)
        held.add(response)
        ever += 1
        response.on('close', () => held.delete(response))
        return response.writeHead(200).flushHeaders()
      case 'POST /end': {
        const why = await refusal()
        return answer(response, why ? 409 : 202, why)
      }
      default:
        return answer(response, 404)
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leases: () => ({ now: held.size, ever }),
    close() {
      closed = true
    },
  }
}
