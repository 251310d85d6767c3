import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ServedEmulator, serveEmulator } from '../../emulator/serve.ts'
import { type AnyAnswer, pathOf, picturesOf, prompt } from './ask.ts'

const small = { responseModalities: ['TEXT', 'IMAGE'], imageConfig: { imageSize: '512' } }
const faulty = (marker: string, config: Record<string, unknown> = small) =>
  prompt(`a fern [[fault:${marker}]]`, config)
const _parts = ({ candidates }: AnyAnswer) => candidates[0]?.content?.parts ?? []

describe('on a socket', () => {
  let emulator: ServedEmulator
  beforeAll(async () => {
    emulator = await serveEmulator()
  })
  afterAll(() => emulator.close())
  beforeEach(() => emulator.reset())

  const send = (marker: string, signal?: AbortSignal) =>
    fetch(emulator.url + pathOf(), {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: JSON.stringify(faulty(marker)),
      ...(signal ? { signal } : {}),
    })
  const ended = async (outcome: string) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => (emulator.calls()[0]?.outcome === outcome ? resolve() : setImmediate(look))
    look()
    await promise
  }

  test('cut ends the connection in the middle of the picture', async () => {
    const response = await send('cut')
    expect(response.status).toBe(200)
    let text = ''
    const reading = (async () => {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text += chunk
    })()
    await expect(reading).rejects.toThrow('terminated')
    expect(text).toMatch(/"data": "[A-Za-z0-9+/]{1000,}$/)
    expect(emulator.bill()).toMatchObject([{ delivered: false }])
  })

  test('stall sends half of the answer, and then nothing until the client leaves', async () => {
    const whole = (await (await send('mime-first')).arrayBuffer()).byteLength
    // The same picture once more.
    emulator.reset()
    const leaving = new AbortController()
    const response = await send('stall at=0.4', leaving.signal)
    const reader = response.body!.getReader()
    const sent = Math.floor(whole * 0.4)
    let bytes = 0
    while (bytes < sent) bytes += (await reader.read()).value!.length
    expect(bytes).toBe(sent)
    leaving.abort()
    await expect(reader.read()).rejects.toThrow('aborted')
    expect(emulator.bill()).toMatchObject([{ delivered: false }])
  })

  test('trickle sends the whole answer in small pieces', async () => {
    const response = await send('trickle bytes=8192 ms=1')
    const sizes: number[] = []
    for await (const chunk of response.body!) sizes.push(chunk.length)
    expect(sizes.length).toBeGreaterThan(3)
    expect(emulator.bill()).toMatchObject([{ delivered: true }])
  })

  test('reset ends the connection before any answer, and is charged', async () => {
    await expect(send('reset')).rejects.toThrow('fetch failed')
    expect(emulator.calls()).toMatchObject([{ outcome: 'reset', status: null, charged: true }])
    expect(emulator.bill()).toMatchObject([{ delivered: false }])
  })

  test.for(['hang', 'slow ms=60000'])(
    'a client that leaves during %s is charged all the same',
    async (marker) => {
      const leaving = new AbortController()
      const sending = send(marker, leaving.signal)
      await ended('running')
      leaving.abort()
      await expect(sending).rejects.toThrow('aborted')
      await ended('client-left')
      expect(emulator.bill()).toMatchObject([{ delivered: false, costMicroUsd: expect.any(Number) }])
    },
  )

  test('a client that leaves in the middle of a big answer is charged, undelivered', async () => {
    const leaving = new AbortController()
    const response = await send('big bytes=60000000', leaving.signal)
    const reader = response.body!.getReader()
    await reader.read()
    leaving.abort()
    await expect(reader.closed).rejects.toThrow('aborted')
    expect(emulator.bill()).toMatchObject([{ delivered: false }])
  })

  test('a big answer arrives whole', async () => {
    const body = (await (await send('big bytes=20000000')).json()) as AnyAnswer
    expect(picturesOf(body)[0]!.bytes).toHaveLength(20_000_000)
    expect(emulator.bill()).toMatchObject([{ delivered: true }])
  })

  test('close ends calls that still hang', async () => {
    const other = await serveEmulator()
    const sending = fetch(other.url + pathOf(), {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: JSON.stringify(faulty('hang')),
    })
    const failing = expect(sending).rejects.toThrow('fetch failed')
    while (other.bill().length === 0) await new Promise(setImmediate)
    await other.close()
    await failing
  })

  test('eight calls at once are all answered', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => send(`data-first id=${index}`)))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    await Promise.all(answers.map((response) => response.arrayBuffer()))
    expect(emulator.bill()).toHaveLength(8)
  })
})

test('the command line prints its URL, answers, and ends on SIGTERM', async () => {
  const main = fileURLToPath(new URL('../../emulator/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, '--latency', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    const url = /^emulator listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line)![1]!
    expect(await (await fetch(`${url}/calls`)).json()).toEqual({ calls: [] })
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
  }
})

test('the command line sets faults and limits', async () => {
  const main = fileURLToPath(new URL('../../emulator/main.ts', import.meta.url))
  const flags = [
    '--fault',
    'status=1,provider=relay,code=524,charged=yes',
    '--seed',
    'a',
    '--limit',
    'google:perMinute=1',
  ]
  const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    const url = line.trim().replace('emulator listening on ', '')
    const body = JSON.stringify(prompt('a fern', { responseModalities: ['TEXT'] }))
    const statusAt = async (provider: string) => {
      const headers = { authorization: 'Bearer k' }
      return (await fetch(url + pathOf({ provider }), { method: 'POST', headers, body })).status
    }
    expect([await statusAt('google'), await statusAt('google'), await statusAt('relay')]).toEqual([
      200, 429, 524,
    ])
    const { charges } = (await (await fetch(`${url}/bill`)).json()) as { charges: { call: string }[] }
    expect(charges.map(({ call }) => call)).toEqual(['call-1', 'call-3'])
  } finally {
    child.kill('SIGKILL')
  }
})

test.for<[flags: string[], code: number, says: string]>([
  [['--help'], 0, ''],
  [['--port', 'x'], 2, '--port takes a whole number up to 65535, not x'],
  [['--port', '70000'], 2, '--port takes a whole number up to 65535, not 70000'],
  [['--latency', 'soon'], 2, '--latency takes a whole number up to 3600000, not soon'],
  [['--slow'], 2, "Unknown option '--slow'"],
  [['now'], 2, "Unexpected argument 'now'"],
  [['--fault', 'overload=1'], 2, '--fault knows rate-limited, '],
  [['--fault', 'overloaded'], 2, '--fault takes name=value, not "overloaded"'],
  [['--fault', 'overloaded=2'], 2, '--fault overloaded takes a probability from 0 to 1, not 2'],
  [['--fault', 'status=1,code'], 2, '--fault status takes name=value, not "code"'],
  [['--limit', 'apiyi'], 2, '--limit takes a provider and its limits, as in apiyi:perMinute=20, not apiyi'],
  [['--limit', 'apiyi:perHour=1'], 2, '--limit knows perMinute, perDay, concurrency, not "perHour"'],
  [['--limit', 'apiyi:perDay=0'], 2, '--limit perDay takes a whole number, not 0'],
])('the command line with %j shows how it is used', ([flags, code, says]) => {
  const main = fileURLToPath(new URL('../../emulator/main.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...flags], { encoding: 'utf8' })
  expect(status).toBe(code)
  const [told, untold] = code === 0 ? [stdout, stderr] : [stderr, stdout]
  expect(untold).toBe('')
  expect(told.startsWith(says)).toBe(true)
  expect(told).toContain('usage: node emulator/main.ts [--port N] [--latency MS] [--quick] [--fault …]')
  expect(told).not.toContain('    at ')
})

test('the command line tells that its port is taken', async () => {
  const main = fileURLToPath(new URL('../../emulator/main.ts', import.meta.url))
  const other = await serveEmulator()
  const { port } = new URL(other.url)
  const child = spawn(process.execPath, [main, '--port', port], { stdio: ['ignore', 'ignore', 'pipe'] })
  let told = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text
  })
  expect(await once(child, 'close')).toEqual([2, null])
  await other.close()
  expect(told).toContain(`port ${port} of 127.0.0.1 is taken; name another one\n`)
})
