// References by address: fetched here, over public https only, at every hop.
import { afterEach, expect, test, vi } from 'vitest'
import { callsOf, make, post, problemOf, prompt, stored } from './setup/ask.ts'
import { JPEG, large, PNG, sha256 } from './setup/pictures.ts'

const HOST = 'https://pictures.example.com'
const fetched: { url: string; init: RequestInit | undefined }[] = []

afterEach(() => {
  vi.restoreAllMocks()
  fetched.length = 0
})

/** Answers addresses under HOST; the rest goes to the emulator. */
function serve(pages: Record<string, () => Response>): void {
  const platformFetch = globalThis.fetch
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = String(input)
    if (url.startsWith('http://127.0.0.1')) return platformFetch(input, init)
    fetched.push({ url, init })
    const page = pages[url.replace(HOST, '')]
    if (!page) throw new Error('no such host')
    return page()
  })
}

const picture =
  (bytes: Uint8Array = PNG) =>
  () =>
    new Response(bytes)
const redirect =
  (location: string, status = 302) =>
  () =>
    new Response(null, { status, headers: { location } })

const ask = (path: string, words = prompt()) => ({ prompt: words, references: [{ url: `${HOST}${path}` }] })

test('the image of an address is fetched, stored and sent', async () => {
  serve({ '/a.png': picture() })
  const asked = ask('/a.png')
  const view = await make(asked)
  expect(view.request).toMatchObject({
    references: [{ sha256: sha256(PNG), mimeType: 'image/png', bytes: PNG.length }],
  })
  expect(await stored('references/')).toContain(`references/default/${sha256(PNG)}`)
  expect(await callsOf(asked.prompt)).toMatchObject([{ references: 1 }])
  expect(fetched).toHaveLength(1)
})

test('the caller’s token does not travel with the request', async () => {
  serve({ '/a.png': picture() })
  await make(ask('/a.png', `[[fault:text-only]] ${prompt()}`))
  expect(fetched[0]!.init).toMatchObject({ redirect: 'manual', headers: { accept: 'image/*' } })
  expect(JSON.stringify(fetched[0]!.init!.headers)).not.toContain('admin-token')
})

test.for([301, 302, 303, 307, 308])('a redirect (%i) is followed', async (status) => {
  serve({ '/a': redirect('/b?x=1', status), '/b?x=1': redirect(`${HOST}/c.jpg`), '/c.jpg': picture(JPEG) })
  const view = await make(ask('/a', `[[fault:text-only]] ${prompt()}`))
  expect(view.request).toMatchObject({ references: [{ sha256: sha256(JPEG), mimeType: 'image/jpeg' }] })
  expect(fetched.map(({ url }) => url)).toEqual([`${HOST}/a`, `${HOST}/b?x=1`, `${HOST}/c.jpg`])
})

test.for([
  ['a redirect to plain http', redirect('http://pictures.example.com/a.png'), 'only https addresses'],
  [
    'a redirect to a private address',
    redirect('https://10.0.0.1/a.png'),
    '10.0.0.1 is not a public host name',
  ],
  ['a redirect to a metadata service', redirect('https://169.254.169.254/'), 'is not a public host name'],
  ['a redirect without an address', () => new Response(null, { status: 302 }), 'the server answered 302'],
  ['a redirect in a circle', redirect('/a'), 'more than 5 redirects'],
  ['a page that is not there', () => new Response('no', { status: 404 }), 'the server answered 404'],
  [
    'a host that does not answer',
    () => {
      throw new Error('connect failed')
    },
    'connect failed',
  ],
  [
    'a download that breaks off',
    () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(PNG)
          },
          pull(controller) {
            controller.error(new Error('connection lost'))
          },
        }),
      ),
    'the download broke off: connection lost',
  ],
] as const)('%s is a reference that could not be fetched', async ([, page, why]) => {
  serve({ '/a': page })
  const asked = ask('/a')
  const problem = await problemOf(await post(asked))
  expect(problem).toMatchObject({ code: 'reference_unreachable', status: 422, charged: 'no' })
  expect(problem.detail).toContain(`references[0]: ${HOST}/a could not be fetched: `)
  expect(problem.detail).toContain(why)
  expect(problem.errors).toMatchObject([{ path: 'references[0]' }])
  expect(await callsOf(asked.prompt)).toEqual([])
})

test.for([
  ['a page', () => new Response('<html>'), 'unsupported_media_type', 415],
  ['an image over 7 MiB', picture(large(7 * 1024 * 1024 + 1)), 'payload_too_large', 413],
] as const)('%s at the address is refused', async ([, page, code, status]) => {
  serve({ '/a': page })
  const asked = ask('/a')
  const before = await stored()
  const problem = await problemOf(await post(asked))
  expect(problem).toMatchObject({ code, status, charged: 'no' })
  expect(problem.detail).toContain(`${HOST}/a`)
  expect(await stored()).toEqual(before)
  expect(await callsOf(asked.prompt)).toEqual([])
})
