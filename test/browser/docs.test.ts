// The worker's own description, as its readers get it: /openapi.json to a validator that knows the specification, /docs
// to a real browser. The worker is started as wrangler starts it, so what it serves comes out of the bundle.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { unstable_startWorker } from 'wrangler'
import { API_VERSION } from '../../core/contract.ts'
import { findChromium, openPage, type Page } from '../runner/chromium.ts'

const ROOT = join(import.meta.dirname, '../..')
const TOKEN = 'docs-token'

const folder = mkdtempSync(join(tmpdir(), 'proofsheet-docs-'))
let worker: Awaited<ReturnType<typeof unstable_startWorker>>
let origin: string

beforeAll(async () => {
  worker = await unstable_startWorker({
    config: join(ROOT, 'wrangler.toml'),
    bindings: { ADMIN_TOKEN: { type: 'secret_text', value: TOKEN } },
    dev: {
      server: { hostname: '127.0.0.1', port: 0 },
      persist: folder,
      inspector: false,
      logLevel: 'error',
      watch: false,
    },
  })
  await worker.ready
  origin = (await worker.url).origin
}, 60_000)

afterAll(async () => {
  await worker?.dispose()
  rmSync(folder, { recursive: true, force: true })
})

type Items = Record<string, Record<string, { operationId: string }>>
type Document = { info: { version: string }; paths: Items; webhooks: Items }

async function read(): Promise<Document> {
  return (await (await fetch(`${origin}/openapi.json`)).json()) as Document
}

describe('/openapi.json', () => {
  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    expect(await validator.validate(await read())).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
  })

  test('has the version of the project', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(API_VERSION).toBe(version)
    expect((await read()).info.version).toBe(version)
  })
})

const chromium = findChromium()
if (!chromium) console.warn('/docs is not tried in a browser: there is no Chromium on the PATH')

describe.runIf(chromium)('in a browser, /docs', () => {
  let page: Page
  const until = (expression: string) => vi.waitUntil(() => page.run(expression), { timeout: 20_000 })
  const expand = async (operation: string) => {
    const opened = `!!document.querySelector('[id$=${operation}] .opblock-body')`
    if (await page.run(opened)) return
    await page.run(`document.querySelector('[id$=${operation}] .opblock-summary-control').click()`)
    await until(opened)
  }

  beforeAll(async () => {
    page = await openPage(chromium!, `${origin}/docs`)
    await until(`!!document.querySelector('.opblock')`)
  }, 60_000)

  afterAll(() => page?.close())

  const visible = () =>
    page.run<string[]>(
      `[...document.querySelectorAll('.opblock')].filter((o) => o.checkVisibility()).map((o) => o.id.split('-').at(-1)).sort()`,
    )

  test('shows every operation, and asks nobody but the worker', async () => {
    const { paths, webhooks } = await read()
    const operations = [...Object.values(paths), ...Object.values(webhooks)].flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    )
    expect(await visible()).toEqual(operations.sort())
    expect(page.requests).toContain(`${origin}/openapi.json`)
    expect(page.requests.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith('data:'))).toEqual(
      [],
    )
    expect(page.console).toEqual([])
  })

  test.for([
    { width: 1280, height: 900, dark: false },
    { width: 1280, height: 900, dark: true },
    { width: 390, height: 844, dark: false },
    { width: 390, height: 844, dark: true },
  ])('fits $width pixels, dark: $dark', async (how) => {
    await page.show(how)
    const isDark = `document.documentElement.classList.contains('dark-mode')`
    await until(`innerWidth === ${how.width} && ${isDark} === ${how.dark}`)
    // Luminance of what is behind the text, and of the text: from 0 to 255.
    const [behind, text] = await page.run<[number, number]>(`(() => {
      const light = (colour) => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number); return 0.3 * r + 0.6 * g + 0.1 * b }
      const title = document.querySelector('.info .title')
      return [light(getComputedStyle(document.documentElement).backgroundColor), light(getComputedStyle(title).color)]
    })()`)
    expect(Math.abs(behind - text)).toBeGreaterThan(120)
    expect(behind < 128).toBe(how.dark)
    await expand('makeGeneration')
    expect(await page.run('document.documentElement.scrollWidth')).toBeLessThanOrEqual(how.width)
    expect(page.console).toEqual([])
  })

  test('offers to try what only reads, and nothing that buys', async () => {
    const buttons = (operation: string) =>
      `document.querySelectorAll('[id$=${operation}] .try-out__btn').length`
    await expand('makeGeneration')
    await expand('models')
    expect(await page.run(buttons('makeGeneration'))).toBe(0)
    expect(await page.run(buttons('models'))).toBe(1)
  })
})
