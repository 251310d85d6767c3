// What is made, read again: show, export and report against the real worker, with the emulator as every provider.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readReport } from './reports.ts'
import { type Sandbox, type Stack, sandbox, startStack } from './sandbox.ts'

const CATALOG = `name: Reading
vars: { light: north light }
refs: { logo: ./logo.png }
defaults: { model: nano-banana-2, size: 512 }
profiles: { draft: { size: 1K } }
items:
  packshot:
    matrix: { product: { table: ./products.csv, key: sku } }
    tags: ["\${product.kind}"]
    metadata: { sku: "\${product}" }
    refs: [{ image: "@logo", as: logo }]
    prompt: |
      Studio packshot of \${product.name}, with \${image.logo}, in \${light}, on a table of pale oak wood.
  scene:
    samples: 2
    refs: [{ from: packshot/ff-1, as: cup }]
    prompt: Place \${image.cup} on an oak table.
overrides:
  packshot/ff-2: { aspect: 16:9 }
`

let stack: Stack
let box: Sandbox
beforeAll(async () => {
  stack = await startStack()
  box = sandbox(stack)
  const logo = sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } })
  box.write('logo.png', await logo.png().toBuffer())
  box.write('products.csv', 'sku,name,kind\nff-1,a cup,cup\nff-2,a lamp,lamp\n')
  box.write('catalog.yaml', CATALOG)
}, 60_000)
afterAll(async () => {
  rmSync(box.folder, { recursive: true, force: true })
  await stack.close()
}, 60_000)

const urlOf = (id: string) => {
  const lines = box.read('catalog.lock.jsonl').trim().split('\n')
  return lines.map((line) => JSON.parse(line)).find((entry) => entry.id === id).image.url as string
}

describe('before anything is made', () => {
  test('show gives each value with the place it came from, and the request', async () => {
    const { code, stdout, stderr } = await box.proofsheet('show packshot/ff-2')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [state, fields, references, request] = stdout.split('\n\n')
    expect(state).toMatch(/^packshot\/ff-2 {2}new: it was never made\n {2}price: /)
    const rows = fields!.split('\n').map((line) => line.trim().split(/ {2,}/))
    expect(rows).toContainEqual(['model', 'nano-banana-2', 'catalog.yaml:4'])
    expect(rows).toContainEqual(['size', '512', 'catalog.yaml:4'])
    expect(rows).toContainEqual(['aspect', '16:9', 'catalog.yaml:19'])
    expect(rows.find(([name]) => name === 'product.name')).toEqual([
      'product.name',
      'a lamp',
      expect.stringMatching(/products\.csv:3$/),
    ])
    const prompt = 'Studio packshot of a lamp, with image 1, in north light, on a table of pale oak wood.'
    expect(fields).toMatch(/\n {2}prompt {2,}catalog\.yaml:1[12]\n/)
    expect(fields).toContain(`\n    ${prompt}\n`)
    expect(references).toMatch(
      /^references\n {2}image 1 {2}logo {2}\S*logo\.png {2}[0-9a-f]{12} {2}image\/png, 1 KB$/,
    )
    expect(request).toMatch(/^request \(POST \/api\/generations, Idempotency-Key: [0-9a-f]{64}\)\n/)
    expect(JSON.parse(request!.slice(request!.indexOf('\n')))).toEqual({
      model: 'gemini-3.1-flash-image',
      provider: 'google',
      prompt,
      references: [{ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      size: '512',
      aspect: '16:9',
      metadata: { sku: 'ff-2', item: 'packshot/ff-2' },
    })
    expect(box.calls()).toBe(0)
  })

  test('show follows flags, and names the flag a value came from', async () => {
    const { stdout } = await box.proofsheet([
      'show',
      'packshot/ff-1',
      '--profile',
      'draft',
      '--set',
      'seed=7',
    ])
    expect(stdout).toMatch(/\n {2}size +1K +catalog\.yaml:5\n/)
    expect(stdout).toMatch(/\n {2}seed +7 +--set seed=7/)
  })

  test.for<[string, string, string]>([
    [
      'a folder',
      'packshot',
      'proofsheet: `packshot` is 2 pictures; show one of them:\n  packshot/ff-1\n  packshot/ff-2\n',
    ],
    [
      'a misspelt id',
      'packshot/f-2',
      'proofsheet: nothing in catalog.yaml is called `packshot/f-2`; closest: packshot/ff-2, packshot/ff-1\n',
    ],
    [
      'an id like no other',
      'zzz',
      'proofsheet: nothing in catalog.yaml is called `zzz`; there are packshot/ff-1, packshot/ff-2, scene, scene#2\n',
    ],
  ])('show of %s says what there is', async ([, id, stderr]) => {
    expect(await box.proofsheet(['show', id])).toEqual({ code: 2, stdout: '', stderr })
  })

  test('export is empty and says so', async () => {
    expect(await box.proofsheet('export')).toEqual({
      code: 0,
      stdout: '{}\n',
      stderr:
        'no picture is made yet, so the export is empty\nleft out: 4 not made yet (proofsheet run catalog.yaml makes what can be made)\n',
    })
  })
})

describe('after a run', () => {
  beforeAll(async () => {
    expect((await box.proofsheet('run --yes')).code).toBe(0)
    expect((await box.proofsheet('pick scene#2')).code).toBe(0)
    box.calls()
  }, 60_000)

  test('show gives the picture, its file, its mark and its history; x#1 is x', async () => {
    const { stdout } = await box.proofsheet('show scene#2')
    expect(stdout).toMatch(/^scene#2 {2}done, picked\n/)
    expect(stdout).toContain(`\npicture\n  ${urlOf('scene#2')}\n  ${join('out', 'scene#2')}`)
    expect(stdout).toMatch(/\nhistory\n.* UTC {2}succeeded {2}nano-banana-2 {2}\$\S+ {2}http\S+\n/)
    expect((await box.proofsheet('show scene#1')).stdout).toMatch(/^scene {2}done\n/)
  })

  test('show --json holds the same, with what each reference stands for', async () => {
    const shown = JSON.parse((await box.proofsheet('show scene#2 --json')).stdout)
    expect(shown).toMatchObject({
      format: 'proofsheet-item',
      version: 1,
      id: 'scene#2',
      state: 'done',
      review: 'picked',
      references: [{ name: 'packshot/ff-1', as: 'cup', is: expect.stringMatching(/^fingerprint:/) }],
      request: { references: [{ generation: expect.stringMatching(/^gen_/) }] },
      picture: { url: urlOf('scene#2'), emulated: false },
      history: [{ status: 'succeeded', url: urlOf('scene#2') }],
    })
    expect(shown.fields).toContainEqual({ field: 'samples', value: 2, file: 'catalog.yaml', line: 15 })
  })

  test('export gives addresses, sizes, tags, metadata and files; the pick stands for its samples', async () => {
    const { stdout, stderr } = await box.proofsheet('export')
    const catalog = JSON.parse(stdout)
    expect(Object.keys(catalog)).toEqual(['packshot/ff-1', 'packshot/ff-2', 'scene'])
    expect(catalog['packshot/ff-2']).toMatchObject({
      url: urlOf('packshot/ff-2'),
      width: 688,
      height: 384,
      tags: ['lamp'],
      metadata: { sku: 'ff-2' },
      emulated: false,
    })
    expect(catalog.scene).toMatchObject({ sample: 2, url: urlOf('scene#2') })
    for (const { file } of Object.values<{ file: string }>(catalog))
      expect(existsSync(join(box.folder, file))).toBe(true)
    expect(stderr).toContain('3 addresses lead to this machine')
    expect(box.calls()).toBe(0)
  })

  test('export writes to a file and leaves stdout alone; a selection narrows it', async () => {
    box.write('src/catalog.ts', '')
    const { stdout, stderr } = await box.proofsheet('export --format ts -o src/catalog.ts -s tag:cup')
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^1 picture written to src\/catalog\.ts\n/)
    expect(box.read('src/catalog.ts')).toContain('  "packshot/ff-1": {"url":"http')
    expect((await box.proofsheet('export -s tag:chair')).code).toBe(2)
  })

  test('report is one page with every item; its pictures are those on the disk', async () => {
    box.write('pages/report.html', '')
    const { code, stdout, stderr } = await box.proofsheet('report -o pages/report.html')
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pages/report.html\n' })
    expect(stderr).toMatch(
      /^4 pictures of 4 items, \d+ KB\n4 pictures shown from files beside the page; --inline/,
    )
    const { name, rows, cost } = readReport(box.read('pages/report.html'))
    expect({ name, rows: rows.map((row) => [row.name, row.pictures.map((p) => p.label)]) }).toEqual({
      name: 'Reading',
      rows: [
        ['packshot', ['ff-1', 'ff-2']],
        ['scene', ['#1', '#2']],
      ],
    })
    expect(cost).toMatch(/^\$\d+\.\d+ paid$/)
    const [, sample] = rows[1]!.pictures
    expect(sample).toMatchObject({ id: 'scene#2', state: 'done', review: 'picked' })
    expect(sample!.image!.thumb).toMatch(/^\.\.\/out\/scene%232\.\w+$/)
  })

  test('report --inline needs no other file', async () => {
    await box.proofsheet('report --inline -s scene')
    const { rows } = readReport(box.read('report.html'))
    const seen = rows.flatMap(({ pictures }) => pictures.map(({ image }) => image!.thumb.slice(0, 23)))
    expect(seen).toEqual(['data:image/webp;base64,', 'data:image/webp;base64,'])
  })

  test('an edited item is shown with what changed, left out of the export, and in the report as it was', async () => {
    box.edit('catalog.yaml', 'pale oak wood', 'dark ash wood')
    try {
      const { stdout } = await box.proofsheet('show packshot/ff-2')
      expect(stdout).toMatch(/^packshot\/ff-2 {2}changed since /)
      expect(stdout).toContain('[-pale oak-]{+dark ash+} wood.')
      expect(stdout).toMatch(/\nhistory\n.*succeeded/)
      const exported = await box.proofsheet('export -s packshot')
      expect(exported.stdout).toBe('{}\n')
      expect(exported.stderr).toContain('left out: 2 changed since made')
      await box.proofsheet('report -s packshot')
      const [row] = readReport(box.read('report.html')).rows
      expect(row!.pictures[0]).toMatchObject({ state: 'changed', reason: 'prompt', image: {} })
    } finally {
      box.edit('catalog.yaml', 'dark ash wood', 'pale oak wood')
    }
  })

  test('show of what is no longer wanted says where its picture is', async () => {
    box.edit('products.csv', 'ff-2,a lamp,lamp\n', '')
    box.edit('catalog.yaml', 'packshot/ff-2: { aspect: 16:9 }', 'packshot/ff-1: { aspect: 16:9 }')
    const { code, stderr } = await box.proofsheet('show packshot/ff-2')
    expect(code).toBe(2)
    expect(stderr).toBe(
      `proofsheet: \`packshot/ff-2\` is no longer in catalog.yaml; what was made of it is kept: ${urlOf('packshot/ff-2')}\n`,
    )
  })
})
