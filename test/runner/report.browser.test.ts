// A report in a real browser, opened from the disk. Left out on machines without Chromium.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rowsOf } from '../../runner/report/data.ts'
import { reportPage } from '../../runner/report/page.ts'
import type { LockEntry } from '../../runner/state/lock.ts'
import { findChromium, openPage, type Page } from './chromium.ts'
import { entry, item, plan } from './items.ts'

const chromium = findChromium()

describe.runIf(chromium)('in a browser, a report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'proofsheet-page-'))
  let page: Page

  beforeAll(async () => {
    mkdirSync(join(folder, 'out'))
    const items = [
      item('cup/front', { tags: ['hero'] }),
      item('cup/top', { prompt: 'from <b>above</b>' }),
      item('a b'),
      item('a b#2'),
      item('refused'),
      item('new'),
    ]
    const error = { code: 'refused', message: 'I cannot draw <i>this</i>.' }
    const lock = new Map<string, LockEntry>()
    for (const p of plan(items).items) {
      const { image, ...bare } = entry(p)
      if (p.item.id === 'refused') lock.set('refused', { ...bare, status: 'refused', error })
      else if (p.item.id !== 'new')
        lock.set(p.item.id, entry(p, p.item.id === 'a b' ? { review: 'picked' } : {}))
    }
    const sources = new Map<string, { url: string; thumb: string }>()
    for (const [index, { id }] of items.entries()) {
      const place = `out/${index}.png`
      await sharp({ create: { width: 40, height: 50, channels: 3, background: 'teal' } }).toFile(
        join(folder, place),
      )
      sources.set(id, { url: place, thumb: place })
    }
    const rows = rowsOf(plan(items, lock).items, sources)
    const html = reportPage({
      name: 'Shop',
      manifest: 'my shop.yaml',
      madeAt: '2026-11-21T00:00:00Z',
      cost: '$0.33 paid',
      rows,
    })
    writeFileSync(join(folder, 'report.html'), html)
    page = await openPage(chromium!, pathToFileURL(join(folder, 'report.html')).href)
  }, 60_000)

  afterAll(async () => {
    await page?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const $ = (selector: string) => `document.querySelector(${JSON.stringify(selector)})`
  const click = (selector: string) => page.run(`${$(selector)}.click()`)
  const visible = () =>
    page.run<string[]>(
      `[...document.querySelectorAll('article')].filter((a) => a.checkVisibility()).map((a) => a.id.replace('picture ', ''))`,
    )
  const command = () => page.run<string>(`${$('#picks')}.hidden ? '' : ${$('#command')}.value`)
  const fill = (selector: string, value: string) =>
    page.run(
      `${$(selector)}.value = ${JSON.stringify(value)}; ${$(selector)}.dispatchEvent(new Event('input', { bubbles: true }))`,
    )

  test('shows every picture from the disk, under its own policy, without a complaint', async () => {
    const widths = await page.run<number[]>(
      `Promise.all([...document.querySelectorAll('article img')].map(async (i) => { i.loading = 'eager'; await i.decode(); return i.naturalWidth }))`,
    )
    expect(widths).toEqual([40, 40, 40, 40])
    expect(page.console).toEqual([])
  })

  test('says what is not there, with the words of the model as text', async () => {
    const said = await page.run<string[]>(`[...document.querySelectorAll('.none')].map((n) => n.textContent)`)
    expect(said).toEqual(['refused: I cannot draw <i>this</i>.', 'not made yet'])
  })

  test('counts states and shows what was paid', async () => {
    expect(await page.run(`${$('#facts')}.textContent`)).toMatch(
      /^6 pictures · 4 done · 1 refused · 1 new · \$0\.33 paid · /,
    )
  })

  test('is filtered by words, state and tag, and hides rows without a hit', async () => {
    await fill('#text', 'ABOVE')
    expect(await visible()).toEqual(['cup/top'])
    expect(await page.run(`${$('#found')}.textContent`)).toBe('1 of 6 shown')
    expect(await page.run(`[...document.querySelectorAll('section')].filter((s) => !s.hidden).length`)).toBe(
      1,
    )
    await fill('#text', '')
    await fill('#state', 'refused')
    expect(await visible()).toEqual(['refused'])
    await fill('#state', 'picked')
    expect(await visible()).toEqual(['a b'])
    await fill('#state', '')
    await fill('#tag', 'hero')
    expect(await visible()).toEqual(['cup/front'])
    await fill('#tag', '')
    expect(await visible()).toHaveLength(6)
  })

  test('turns marks into commands, one pick among samples, and keeps them when it is opened again', async () => {
    expect(await command()).toBe('')
    await click('[aria-label="Pick a b#2"]')
    await click('[aria-label="Reject cup/top"]')
    const wanted =
      "proofsheet pick --reject --manifest 'my shop.yaml' cup/top\n" +
      "proofsheet pick --clear --manifest 'my shop.yaml' 'a b'\n" +
      "proofsheet pick --manifest 'my shop.yaml' 'a b#2'"
    expect(await command()).toBe(wanted)
    expect(await page.run(`${$('[aria-label="Pick a b#2"]')}.getAttribute('aria-pressed')`)).toBe('true')
    expect(await page.run(`${$('[aria-label="Pick a b"]')}.getAttribute('aria-pressed')`)).toBe('false')
    const again = await page.run<string>(
      `new Promise((done) => { const f = document.createElement('iframe'); f.src = location.href; f.onload = () => done(localStorage.getItem('proofsheet my shop.yaml ')); document.body.append(f) })`,
    )
    expect(JSON.parse(again)).toEqual([
      ['a b', 'none'],
      ['a b#2', 'picked'],
      ['cup/top', 'rejected'],
    ])
    await click('#forget')
    expect(await command()).toBe('')
    // What the lock says already is no news.
    await click('[aria-label="Pick a b"]')
    expect(await command()).toContain('--clear')
    await click('[aria-label="Pick a b"]')
    expect(await command()).toBe('')
  })

  test('enlarges a picture and steps through what is shown by keyboard', async () => {
    await click('[aria-label="Enlarge cup/top"]')
    const title = () => page.run(`${$('#large')}.open && ${$('#large-id')}.textContent`)
    expect(await title()).toBe('cup/top')
    expect(await page.run(`${$('#large-prompt')}.textContent`)).toBe('from <b>above</b>')
    await page.press('ArrowRight')
    expect(await title()).toBe('a b')
    await page.press('ArrowLeft')
    await page.press('ArrowLeft')
    expect(await title()).toBe('cup/front')
    await page.press('Escape')
    expect(await title()).toBe(false)
  })

  test('can be used with the keyboard alone: everything has a name and can be reached', async () => {
    const nameless = await page.run<string[]>(
      `[...document.querySelectorAll('button, input, select, textarea, a[href]')]
        .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).map((e) => e.outerHTML)`,
    )
    expect(nameless).toEqual([])
    expect(await page.run(`[...document.querySelectorAll('img')].every((i) => i.hasAttribute('alt'))`)).toBe(
      true,
    )
  })
})
