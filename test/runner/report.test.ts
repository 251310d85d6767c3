// A report: what its rows hold, where its pictures come from, and that nothing in it can break out of its place. What the
// page does in a browser is in report.browser.test.ts.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, describe, expect, test } from 'vitest'
import { costOf, rowsOf } from '../../runner/report/data.ts'
import { reportPage } from '../../runner/report/page.ts'
import { sourcesOf } from '../../runner/report/sources.ts'
import { entry, item, lockOf, plan } from './items.ts'
import { readReport } from './reports.ts'

describe('the rows of a report', () => {
  const shape = (ids: string[]) =>
    rowsOf(plan(ids.map((id) => item(id))).items, new Map()).map(
      ({ name, pictures }) => `${name}: ${pictures.map(({ label }) => label).join(' ')}`,
    )

  test('are cells, with a column for each value of the last axis', () => {
    expect(shape(['packshot/mug/front', 'packshot/mug/top', 'packshot/lamp/front'])).toEqual([
      'packshot/mug: front top',
      'packshot/lamp: front',
    ])
  })

  test('are pictures with their samples, where there are samples', () => {
    expect(shape(['endpaper', 'endpaper#2', 'at-home/mug', 'at-home/mug#2', 'at-home/lamp'])).toEqual([
      'endpaper: #1 #2',
      'at-home/mug: #1 #2',
      'at-home: lamp',
    ])
  })

  test('are a single picture where an item has no matrix', () => {
    expect(shape(['hero'])).toEqual(['hero: '])
  })
})

describe('a picture of a report', () => {
  test('that was refused gives the words of the model', () => {
    const items = [item('a')]
    const error = { code: 'refused', message: 'I cannot draw this.' }
    const { image, ...refused } = entry(plan(items).items[0]!, { status: 'refused', error })
    const [row] = rowsOf(plan(items, new Map([['a', refused]])).items, new Map())
    expect(row!.pictures[0]).toMatchObject({
      state: 'refused',
      reason: 'I cannot draw this.',
      cost: '$0.067',
    })
    expect(row!.pictures[0]).not.toHaveProperty('image')
  })

  test('that has changed since is the picture it was', () => {
    const lock = lockOf(plan([item('a')]))
    const [changed] = plan([item('a', { prompt: 'other' })], lock).items
    const sources = new Map([['a', { url: 'a.png', thumb: 'a.png' }]])
    expect(rowsOf([changed!], sources)[0]!.pictures[0]).toMatchObject({
      state: 'changed',
      reason: 'prompt',
      image: { url: 'a.png' },
    })
  })

  test('costs what was paid; the sum counts a shared picture once and says what it does not know', () => {
    const cost = (...made: ReturnType<typeof plan>[]) => costOf(made.flatMap(({ items }) => items))
    const items = [item('a'), item('b', { prompt: 'other' })]
    const lock = new Map(lockOf(plan(items)))
    expect(cost(plan(items, lock))).toBe('$0.134 paid')
    lock.set('b', { ...lock.get('b')!, cost: null })
    expect(cost(plan(items, lock))).toBe('≥ $0.067 paid')
    const twins = [item('a', { prompt: 'x' }), item('b', { prompt: 'x' })]
    const [own] = lockOf(plan([twins[0]!])).values()
    const both = new Map(['a', 'b'].map((id) => [id, { ...own!, id }]))
    expect(cost(plan(twins, both))).toBe('$0.067 paid')
  })

  test('costs nothing where the emulator drew it', () => {
    const drawn = plan([item('a')], lockOf(plan([item('a')]), { emulated: true }), { emulated: true })
    expect(costOf(drawn.items)).toBe('$0.067 at list prices, drawn by the emulator')
  })
})

describe('the pictures of a report', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  async function seen(url: string, { inline = false, saved = true } = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'proofsheet-report-'))
    folders.push(folder)
    mkdirSync(join(folder, 'out', 'a b'), { recursive: true })
    const path = join(folder, 'out', 'a b', 'c#2.png')
    if (saved)
      await sharp({ create: { width: 2000, height: 100, channels: 3, background: 'red' } }).toFile(path)
    const made = plan([item('a')])
    const lock = lockOf(made, { image: { ...entry(made.items[0]!).image!, url } })
    const pictures = plan([item('a')], lock).items.map((p) => ({ item: p.item, entry: p.entry! }))
    const files = new Map(saved ? [['a', path]] : [])
    const { of, ...counts } = await sourcesOf(pictures, { inline, folder, saved: files })
    return { ...of.get('a')!, ...counts }
  }

  const remote = 'https://pictures.example/a.png'
  const local = 'http://127.0.0.1:8787/images/a.png'

  test('are seen at their own addresses', async () => {
    expect(await seen(remote)).toEqual({ url: remote, thumb: remote, files: 0, local: 0 })
  })

  test('are seen on disk where their addresses are of this machine', async () => {
    const place = 'out/a%20b/c%232.png'
    expect(await seen(local)).toEqual({ url: place, thumb: place, files: 1, local: 0 })
    expect(await seen(local, { saved: false })).toEqual({ url: local, thumb: local, files: 0, local: 1 })
  })

  test('are in the page itself on request, at most 512 pixels wide or high', async () => {
    const { url, thumb } = await seen(remote, { inline: true })
    expect(url).toBe(remote)
    const bytes = Buffer.from(thumb.replace('data:image/webp;base64,', ''), 'base64')
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width: 512, height: 26 })
    const sent = await seen(local, { inline: true })
    expect(sent.url).toBe(sent.thumb)
    expect(await seen(remote, { inline: true, saved: false })).toMatchObject({ thumb: remote })
  })
})

describe('the page', () => {
  const hostile = '</script><script>alert(1)</script><!-- <b>&amp;'
  const page = reportPage({
    name: hostile,
    manifest: 'catalog.yaml',
    madeAt: '2026-11-21T00:00:00.000Z',
    cost: '$1.00',
    rows: rowsOf(plan([item('a', { prompt: hostile })]).items, new Map()),
  })

  test('loads nothing but pictures', () => {
    expect(page).not.toMatch(/<link\b|<script[^>]+src=|@import|url\(/)
    expect(page).toContain("default-src 'none'")
  })

  test('holds texts of others as data, which end no element', () => {
    expect(page.match(/<\/script>/g)).toHaveLength(2)
    expect(page).not.toContain('<b>')
    expect(page).toContain('<title>&lt;/script&gt;')
    expect(readReport(page).rows[0]!.pictures[0]!.prompt).toBe(hostile)
  })

  test('allows its own script and style, and no others', () => {
    const policy = /content="(default-src[^"]+)"/.exec(page)![1]!
    const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, code]) => code!)
    const styles = [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, code]) => code!)
    expect(scripts).toHaveLength(1)
    expect(styles).toHaveLength(1)
    expect(policy).toContain(`script-src ${digest(scripts[0]!)}`)
    expect(policy).toContain(`style-src ${digest(styles[0]!)}`)
    expect(policy).not.toContain('unsafe')
  })
})
