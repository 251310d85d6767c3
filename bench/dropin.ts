// How much memory the Gemini drop-in needs: growth of the workerd process while a request full of images goes in and on
// to the provider, and while a long picture comes out as Base64. Linux only (VmHWM in /proc).
//   node bench/dropin.ts > bench/dropin.txt
// Each figure is one call in a fresh process, after a small one that warms it up. The local R2 simulator runs in the
// same process, so its copies count as well; each way is measured without R2 too, but for the whole worker, which has no
// other storage.

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attachLocal, untilEnded } from '../runner/local/attach.ts'
import { emptyEnvironment, machine } from './catalog.ts'
import { startBare, watchGrowth } from './workerd.ts'

const MB = 1_000_000
const IMAGE_BYTES = 7 * MB
const MODEL = 'gemini-3.1-flash-image'
const WIRE_PATH = `/v1beta/models/${MODEL}:generateContent`

/** direction, title, images that go in, bytes of the picture that comes out */
const ROWS = [
  ['in', '1 image of 7 MB in', 1, 30_000],
  ['in', '14 images of 7 MB in', 14, 30_000],
  ['out', '1 MB out', 0, MB],
  ['out', '20 MB out', 0, 20 * MB],
] as const

/** way, store and title */
const COLUMNS = [
  ['whole', 'nowhere', 'whole'],
  ['streamed', 'nowhere', 'streamed'],
  ['whole', 'r2', 'whole, R2'],
  ['proofsheet', 'r2', 'proofsheet, R2'],
] as const

const PNG_HEAD = Buffer.from('89504e470d0a1a0a0000000d', 'hex')
/** Base64 of 48 KiB. */
const PIECE = Buffer.alloc(48 * 1024, 'proofsheet').toString('base64')

/** The Base64 of an image that begins like a PNG and like no other, in pieces. */
function* imageInPieces(bytes: number, number: number): Generator<string> {
  const head = Buffer.alloc(24)
  PNG_HEAD.copy(head)
  head.writeUInt32BE(number, 20)
  let rest = 4 * Math.ceil(bytes / 3) - 32
  yield head.toString('base64')
  for (; rest > 0; rest -= PIECE.length) yield PIECE.slice(0, rest)
}

function* requestInPieces(images: number, prompt: string): Generator<string> {
  yield `{"contents":[{"role":"user","parts":[{"text":"${prompt}"}`
  for (let number = 1; number <= images; number++) {
    yield ',{"inlineData":{"mimeType":"image/png","data":"'
    yield* imageInPieces(IMAGE_BYTES, number)
    yield '"}}'
  }
  yield ']}]}'
}

/** A provider that swallows what it is sent, counting, and answers with a picture of the length that is set. */
async function startProvider() {
  const state = { answerBytes: 30_000, taken: 0 }
  const server: Server = createServer(async (asked, response) => {
    for await (const chunk of asked) state.taken += chunk.length
    response.setHeader('content-type', 'application/json')
    const pieces = [
      '{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"',
      ...imageInPieces(state.answerBytes, 0),
      '"}}]},"finishReason":"STOP"}]}',
    ]
    for (const piece of pieces)
      if (!response.write(piece)) await new Promise((drained) => response.once('drain', drained))
    response.end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { server, address, state }
}

type Gateway = { url: string; headers: Record<string, string>; close(): Promise<void> }

/** The worker of this project, as it is, with local storage. */
async function startProofsheet(provider: string): Promise<Gateway> {
  const stateDir = mkdtempSync(join(tmpdir(), 'proofsheet-dropin-'))
  const relay = { baseUrl: provider, wire: { [MODEL]: MODEL }, maxRequestBytes: 150 * 1024 * 1024 }
  const env = {
    ...emptyEnvironment(),
    PROVIDERS: JSON.stringify({ bench: relay }),
    BENCH_API_KEY: 'key',
    DEFAULT_PROVIDER: 'bench',
  }
  const attached = await attachLocal({ stateDir, env })
  return {
    url: attached.url + WIRE_PATH,
    headers: { authorization: `Bearer ${attached.token}` },
    async close() {
      await attached.release()
      await untilEnded(stateDir, 20_000)
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

/** A gateway that does the same with nothing around it. */
async function startGateway(way: string, direction: string, to: string, provider: string): Promise<Gateway> {
  const worker = await startBare('./dropin.toml')
  const query = new URLSearchParams({ way, direction, to, provider })
  return { url: new URL(`/?${query}`, await worker.url).href, headers: {}, close: () => worker.dispose() }
}

/** Posts a body piece by piece and counts the bytes of the answer. */
async function ask({ url, headers }: Gateway, pieces: Iterable<string>): Promise<number> {
  const call = request(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' } })
  const answered = new Promise<number>((resolve, reject) => {
    call.once('error', reject)
    call.once('response', async (response) => {
      let bytes = 0
      let head = ''
      for await (const chunk of response) {
        bytes += chunk.length
        if (head.length < 500) head += chunk
      }
      if (response.statusCode === 200) resolve(bytes)
      else reject(new Error(`${response.statusCode}: ${head}`))
    })
  })
  for (const piece of pieces)
    if (!call.write(piece))
      await Promise.race([new Promise((drained) => call.once('drain', drained)), answered])
  call.end()
  return answered
}

// Nothing outside this machine is asked, not even where it stands.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'
const { server, address, state } = await startProvider()

async function measure(row: (typeof ROWS)[number], way: string, to: string) {
  const [direction, title, images, answerBytes] = row
  const gateway =
    way === 'proofsheet' ? await startProofsheet(address) : await startGateway(way, direction, to, address)
  try {
    state.answerBytes = 30_000
    await ask(gateway, requestInPieces(0, 'warm up'))
    state.answerBytes = answerBytes
    state.taken = 0
    const growth = watchGrowth()
    const startedAt = performance.now()
    const answered = await ask(gateway, requestInPieces(images, title))
    const ms = performance.now() - startedAt
    const isWhole = state.taken >= (images * IMAGE_BYTES * 4) / 3 && answered >= (answerBytes * 4) / 3
    if (!isWhole) throw new Error(`${title}, ${way}: the provider got ${state.taken}, the client ${answered}`)
    return { ...growth(), ms }
  } finally {
    await gateway.close()
  }
}

const lines: string[] = []
let proxy = 0
for (const row of ROWS) {
  const cells = [row[1].padEnd(22)]
  const grown: number[] = []
  for (const [way, to] of COLUMNS) {
    const result = await measure(row, way, to)
    proxy = Math.max(proxy, result.proxy)
    grown.push(result.worker)
    cells.push(`${result.worker.toFixed(0)} MB in ${(result.ms / 1_000).toFixed(1)} s`.padStart(18))
  }
  const [whole, streamed, wholeR2, proofsheet] = grown as [number, number, number, number]
  cells.push((whole / streamed).toFixed(1).padStart(18), (wholeR2 / proofsheet).toFixed(1).padStart(16))
  lines.push(cells.join(''))
}
server.close()

const titles = ['', ...COLUMNS.map(([, , title]) => title), 'whole / streamed', 'the same, R2']
const widths = [22, 18, 18, 18, 18, 18, 16]
process.stdout.write(`Peak growth of the workerd process while one call of the Gemini drop-in passes through it (bench/dropin.ts)
${machine(['wrangler', 'workerd'])}
The worker and the local R2 simulator share the process. Wrangler's proxy is another one, which grew by ${proxy.toFixed(1)} MB at most.
Images and pictures in decoded size; the wire carries a third more. Both gateways store every image and picture that
passes through; what comes in goes on to a provider, what comes out was asked of one.

  whole         await request.json(), Buffer.from, put, JSON.stringify
  streamed      takeBody, scanJson, PictureWriter, streamBody
  proofsheet    the whole worker: the same, with its objects, records and ledger
  R2            into the local simulator; otherwise into a store that keeps nothing, which leaves the worker's own share

${titles.map((title, index) => (index === 0 ? title.padEnd(widths[0]!) : title.padStart(widths[index]!))).join('')}
${lines.join('\n')}
`)
