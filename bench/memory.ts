// How much memory a picture costs: growth of the workerd process while one answer is read and its picture stored.
// Linux only (VmHWM in /proc). Each figure is one answer in a fresh process, after a small answer that warms it up.
//   node bench/memory.ts > bench/memory.txt
// The local R2 simulator runs in the same process, so its copies count as well; each way is measured without R2 too.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { machine } from './catalog.ts'
import { startBare, watchGrowth } from './workerd.ts'

const MEGABYTES = [1, 8, 20, 30]
/** way, store and title */
const COLUMNS = [
  ['whole', 'nowhere', 'whole'],
  ['streamed', 'nowhere', 'streamed'],
  ['whole', 'r2', 'whole, R2'],
  ['streamed', 'r2', 'streamed, R2'],
] as const
const WARM_UP_BYTES = 30_000
const MB = 1_000_000

/** A provider that answers `/N` with a picture of N bytes in Base64, written in pieces. */
async function startProvider(): Promise<{ server: Server; address: string }> {
  const piece = Buffer.alloc(48 * 1024, 'proofsheet').toString('base64')
  const signature = Buffer.from('89504e470d0a1a0a0000000d', 'hex').toString('base64')
  const server = createServer(async (request, response) => {
    let rest = 4 * Math.floor(Number(request.url!.slice(1)) / 3) - signature.length
    response.setHeader('content-type', 'application/json')
    response.write('{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"')
    response.write(signature)
    while (rest > 0) {
      if (!response.write(piece.slice(0, rest)))
        await new Promise((drained) => response.once('drain', drained))
      rest -= piece.length
    }
    response.end('"}}]},"finishReason":"STOP"}]}')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return { server, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Growth of the process beyond its warmed-up state, at its peak, in MB; and the time of the answer in ms. */
async function measure(way: string, to: string, bytes: number, provider: string) {
  const worker = await startBare('./memory.toml')
  try {
    const base = await worker.url
    const ask = async (size: number) => {
      const response = await fetch(new URL(`/?way=${way}&to=${to}&from=${provider}/${size}`, base))
      const text = await response.text()
      if (!response.ok || !(Number(text) >= size - 3)) throw new Error(`${way} answered ${text}`)
    }
    await ask(WARM_UP_BYTES)
    const growth = watchGrowth()
    const startedAt = performance.now()
    await ask(bytes)
    const ms = performance.now() - startedAt
    const { worker: grown, proxy } = growth()
    return { grown, proxy, ms }
  } finally {
    await worker.dispose()
  }
}

const { server, address } = await startProvider()
const rows: string[] = []
let proxy = 0
for (const size of MEGABYTES) {
  const cells = [`${size} MB`.padEnd(9)]
  const grown: number[] = []
  for (const [way, to] of COLUMNS) {
    const result = await measure(way, to, size * MB, address)
    proxy = Math.max(proxy, result.proxy)
    grown.push(result.grown)
    cells.push(`${result.grown.toFixed(0)} MB in ${result.ms.toFixed(0)} ms`.padStart(18))
  }
  cells.push((grown[0]! / grown[1]!).toFixed(1).padStart(18))
  rows.push(cells.join(''))
}
server.close()

process.stdout.write(`Peak growth of the workerd process while one answer is read and its picture stored (bench/memory.ts)
${machine(['wrangler', 'workerd'])}
The worker and the local R2 simulator share the process. Wrangler's proxy is another one, which grew by ${proxy.toFixed(1)} MB at most.
Pictures in decoded size; the answer is a third longer.

  whole         await res.json(), Buffer.from, put
  streamed      scanJson, PictureWriter
  R2            into the local simulator; otherwise into a store that keeps nothing, which leaves the worker's own share

${['picture'.padEnd(9), ...COLUMNS.map(([, , title]) => title.padStart(18)), 'whole / streamed'.padStart(18)].join('')}
${rows.join('\n')}
`)
