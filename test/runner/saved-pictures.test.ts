// Pictures on disk, without a worker: a client that answers as told.
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Client, WorkerProblem, WorkerUnreachable } from '../../runner/client.ts'
import type { RunEvent } from '../../runner/run/events.ts'
import { fetchMissing, missingPictures } from '../../runner/run/fetch.ts'
import { fileOf, isSaved, savePicture } from '../../runner/run/save.ts'
import type { LockEntry } from '../../runner/state/lock.ts'
import { entry, item, lockOf, plan } from './items.ts'

const BYTES = Buffer.from('the picture')
const image = {
  url: 'http://worker/images/a.png',
  mimeType: 'image/png' as const,
  bytes: BYTES.length,
  width: 1,
  height: 1,
  sha256: createHash('sha256').update(BYTES).digest('hex'),
}
const folder = () => mkdtempSync(join(tmpdir(), 'proofsheet-saved-'))
const picture = (id: string, changes: Partial<LockEntry> = {}) =>
  entry(plan([item(id)]).items[0]!, { image, ...changes })

const unknown = () =>
  new WorkerProblem({
    type: 'about:blank',
    title: 'Not found',
    status: 404,
    detail: 'no such generation',
    code: 'not_found',
    charged: 'no',
    retryAfterMs: null,
    requestId: 'r',
  })

/** A client whose generations and downloads are these. */
function client(changes: Partial<Client> = {}): Client {
  return {
    url: 'http://worker',
    download: async () => new Response(BYTES),
    generation: async () => ({ image }),
    ...changes,
  } as Client
}

describe('the place of a picture', () => {
  test.each([
    ['its id', item('packshot/a'), {}, 'out/packshot/a.png'],
    ['its own output', item('packshot/a', { output: 'shop/front' }), {}, 'out/shop/front.png'],
    ['below its profile', item('a'), { profile: 'draft' }, 'out/@draft/a.png'],
    ['by what it is', item('a'), { image: { ...image, mimeType: 'image/jpeg' as const } }, 'out/a.jpg'],
  ])('%s', (_, of, changes, path) => expect(fileOf(of, picture('a', changes), 'out')).toBe(path))
})

describe('whether a picture is saved', () => {
  test('a file of its size that is newer than the entry is it; any other size is not', async () => {
    const path = join(folder(), 'a.png')
    writeFileSync(path, 'x'.repeat(BYTES.length))
    expect(await isSaved(picture('a'), path)).toBe(true)
    writeFileSync(path, 'x')
    expect(await isSaved(picture('a'), path)).toBe(false)
    expect(await isSaved(picture('a'), `${path}.gone`)).toBe(false)
  })

  test('a file that is older may be what the item was before: its bytes decide, once', async () => {
    const path = join(folder(), 'a.png')
    const recordedAt = Date.now()
    const old = (content: string | Buffer) => {
      writeFileSync(path, content)
      utimesSync(path, new Date(recordedAt - 60_000), new Date(recordedAt - 60_000))
    }
    old('x'.repeat(BYTES.length))
    expect(await isSaved(picture('a', { recordedAt }), path)).toBe(false)
    old(BYTES)
    expect(await isSaved(picture('a', { recordedAt }), path)).toBe(true)
    expect(statSync(path).mtimeMs).toBe(recordedAt)
  })
})

describe('saving', () => {
  test('removes the file that the item had before at another place, and leaves no draft', async () => {
    const at = folder()
    const previous = join(at, 'a.jpg')
    writeFileSync(previous, 'old')
    await savePicture(picture('a'), join(at, 'a.png'), client(), { stateFolder: folder(), previous })
    expect(readdirSync(at)).toEqual(['a.png'])
    await savePicture(picture('a'), join(at, 'a.png'), client(), {
      stateFolder: folder(),
      previous: join(at, 'a.png'),
    })
    expect(readFileSync(join(at, 'a.png')).equals(BYTES)).toBe(true)
  })

  test('bytes that are not the picture are thrown away', async () => {
    const at = folder()
    const stateFolder = folder()
    const broken = client({ download: async () => new Response('other bytes') })
    await expect(savePicture(picture('a'), join(at, 'a.png'), broken, { stateFolder })).rejects.toThrow(
      'did not arrive whole',
    )
    expect(readdirSync(at)).toEqual([])
    expect(readdirSync(join(stateFolder, 'parts'))).toEqual([])
  })

  test('an abort breaks a download off in its middle and leaves nothing', async () => {
    const at = folder()
    const stateFolder = folder()
    const leave = new AbortController()
    const endless = client({
      download: async () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              controller.enqueue(new Uint8Array(10))
              leave.abort()
            },
          }),
        ),
    })
    const saving = savePicture(picture('a'), join(at, 'a.png'), endless, {
      stateFolder,
      signal: leave.signal,
    })
    await expect(saving).rejects.toThrow('abort')
    expect(readdirSync(at)).toEqual([])
    expect(readdirSync(join(stateFolder, 'parts'))).toEqual([])
  })
})

describe('fetching what is missing', () => {
  const ids = ['a', 'b', 'c', 'd']
  const shop = () => {
    const fresh = plan(ids.map((id) => item(id)))
    return plan(
      ids.map((id) => item(id)),
      lockOf(fresh, { image }),
    )
  }
  async function fetchAll(from: Client, stop = new AbortController()) {
    const at = folder()
    const events: RunEvent[] = []
    const recorded: LockEntry[] = []
    const ended = await fetchMissing(await missingPictures(shop(), at), from, {
      stateFolder: folder(),
      concurrency: 2,
      stop: stop.signal,
      leave: new AbortController().signal,
      again: (id) => `proofsheet run shop.yaml -s ${id} --redo`,
      emit: (event) => void events.push(event),
      record: (entry) => void recorded.push(entry),
      now: () => 9,
    })
    return { at, events, recorded, ended }
  }

  test('several at a time, each once', async () => {
    let flying = 0
    let most = 0
    const { at, ended } = await fetchAll(
      client({
        async download() {
          most = Math.max(most, ++flying)
          await new Promise((resolve) => setImmediate(resolve))
          flying--
          return new Response(BYTES)
        },
      }),
    )
    expect(most).toBe(2)
    expect(ended).toEqual({ failed: 0, left: 0 })
    expect(readdirSync(at).sort()).toEqual(['a.png', 'b.png', 'c.png', 'd.png'])
    expect(await missingPictures(shop(), at)).toEqual([])
  })

  test('what is not selected is not missed', async () => {
    const all = ids.map((id) => item(id))
    const some = plan(all, lockOf(plan(all), { image }), { selected: ['b'] })
    expect((await missingPictures(some, folder())).map(({ id }) => id)).toEqual(['b'])
  })

  test('a picture that the worker does not know is tried at its old address', async () => {
    const { at, ended } = await fetchAll(
      client({
        generation: async () => {
          throw unknown()
        },
      }),
    )
    expect(ended).toEqual({ failed: 0, left: 0 })
    expect(existsSync(join(at, 'a.png'))).toBe(true)
  })

  test('one that is lost is told with the command that buys it again', async () => {
    const { events, ended } = await fetchAll(
      client({
        generation: async () => {
          throw unknown()
        },
        download: async (url) => {
          throw new WorkerUnreachable(`${url} answered 404`)
        },
      }),
    )
    expect(ended).toEqual({ failed: 4, left: 0 })
    expect(events[0]).toEqual({
      type: 'unfetched',
      id: 'a',
      message:
        "http://worker does not know this picture (its storage is gone, or it is another token's), and http://worker/images/a.png does not answer; to buy it again: proofsheet run shop.yaml -s a --redo",
    })
  })

  test('one that the worker has deleted is told so, remembered, and not asked for', async () => {
    const deletedAt = '2026-11-20T03:17:00Z'
    const downloads: string[] = []
    const { events, recorded } = await fetchAll(
      client({
        generation: async () => ({ image: { ...image, deletedAt } }) as never,
        download: async (url) => {
          downloads.push(url)
          return new Response(BYTES)
        },
      }),
    )
    expect(downloads).toEqual([])
    expect(events[0]).toEqual({
      type: 'unfetched',
      id: 'a',
      message:
        'the worker has deleted this picture (2026-11-20), as it does with old ones; to buy it again: proofsheet run shop.yaml -s a --redo',
    })
    expect(recorded[0]).toMatchObject({ id: 'a', image: { deletedAt }, recordedAt: 9 })
    const known = plan([item('a')], new Map([['a', recorded[0]!]])).items[0]!
    expect(known).toMatchObject({
      state: 'done',
      reasons: ['deleted by the worker on 2026-11-20; where no file is left, --redo buys it again'],
    })
  })

  test('after Ctrl-C no further one is begun', async () => {
    const stop = new AbortController()
    const { events, ended } = await fetchAll(
      client({
        async download() {
          stop.abort()
          return new Response(BYTES)
        },
      }),
      stop,
    )
    expect(events.filter((e) => e.type === 'fetched')).toHaveLength(2)
    expect(ended).toEqual({ failed: 0, left: 2 })
  })
})
