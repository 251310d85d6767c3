// The emulator on a loopback port, for tests, for the embedded mode and for trying things out.
// Knows Node's server; what is served is app.ts.
import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import { createEmulator, type EmulatorOptions } from './app.ts'
import type { Call, Charge } from './witness.ts'

export type ServedEmulator = {
  /** `http://127.0.0.1:<port>`, without a trailing slash. A provider's base URL is `<url>/<provider id>`. */
  url: string
  calls(): Call[]
  bill(): Charge[]
  reset(): void
  /** Ends every connection and frees the port. */
  close(): Promise<void>
}

/** Starts to listen; port 0 (the default) takes a free one. Rejects when the port is taken. */
export async function serveEmulator(
  options: EmulatorOptions & { port?: number; hostname?: '127.0.0.1' } = {},
): Promise<ServedEmulator> {
  const { port = 0, hostname = '127.0.0.1', ...rest } = options
  const { app, calls, bill, reset } = createEmulator(rest)
  const server = await new Promise<Server>((resolve, reject) => {
    const starting = serve({ fetch: app.fetch, port, hostname, overrideGlobalObjects: false }, () =>
      resolve(starting),
    ) as Server
    starting.once('error', reject)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
  return {
    url: `http://${hostname}:${address.port}`,
    calls,
    bill,
    reset,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}
