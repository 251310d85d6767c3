// Files that a flag names: only what a command of the same kind wrote is replaced, and what the path is wrong with is told
// in words, before anything is asked of a worker.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { PLAN_BEGINS, readPlan } from '../../runner/plan/file.ts'
import { reasonOf, targetOf } from '../../runner/target.ts'
import { type Sandbox, sandbox } from './sandbox.ts'

const open: Sandbox[] = []
afterEach(() => {
  for (const { folder } of open.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const MANIFEST = `items:
  mug:
    model: nano-banana-2
    matrix: { product: { table: ./products.csv, key: sku } }
    prompt: file:./prompt.md
`
const TABLE = 'sku\nff-1\n'

function shop(files: Record<string, string> = {}): Sandbox {
  const box = sandbox()
  open.push(box)
  const all = { 'catalog.yaml': MANIFEST, 'products.csv': TABLE, 'prompt.md': 'a ${product}', ...files }
  for (const [name, content] of Object.entries(all)) box.write(name, content)
  return box
}

const refusal = (message: string) => ({ code: 2, stdout: '', stderr: `proofsheet: ${message}\n` })

test.for<[string, string, string]>([
  ['export -o catalog.yaml', 'catalog.yaml', 'is the manifest'],
  ['report -o ./catalog.yaml', 'catalog.yaml', 'is the manifest'],
  ['export -o catalog.lock.jsonl', 'catalog.lock.jsonl', 'is the lock of catalog.yaml'],
  ['export --format csv -o products.csv', 'products.csv', 'exists and is no CSV export'],
  ['export -o prompt.md', 'prompt.md', 'exists and is no JSON export'],
  ['export --format ts -o data.json', 'data.json', 'exists and is no TypeScript export'],
  ['report -o index.html', 'index.html', 'exists and is no report of ours'],
])('%s leaves what is there as it is', async ([command, file, why]) => {
  const data = '{ "mug": { "title": "Mug", "url": "https://shop.example/mug" } }'
  const box = shop({ 'index.html': '<!doctype html>\n<title>My shop</title>\n', 'data.json': data })
  const before = existsSync(join(box.folder, file)) ? box.read(file) : undefined
  const shown = command.split(' ').at(-1)!
  expect(await box.proofsheet(command)).toEqual(refusal(`${shown} ${why}; name another file with -o`))
  expect(existsSync(join(box.folder, file)) ? box.read(file) : undefined).toBe(before)
})

test.for<[string, string]>([
  ['export -o catalog.json', 'catalog.json'],
  ['export --format csv -o catalog.csv', 'catalog.csv'],
  ['export --format ts -o catalog.ts', 'catalog.ts'],
  ['report -o report.html', 'report.html'],
])('%s replaces what it wrote itself, and an empty file', async ([command, file]) => {
  const box = shop({ [file]: '' })
  expect((await box.proofsheet(command)).code).toBe(0)
  const first = statSync(join(box.folder, file))
  expect(first.size).toBeGreaterThan(0)
  expect((await box.proofsheet(command)).code).toBe(0)
  // In one step: the new file is another one, and nothing is left beside it.
  expect(statSync(join(box.folder, file)).ino).not.toBe(first.ino)
  expect(readdirSync(box.folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
})

test('an export that the manifest reads is not replaced, by whatever name', async () => {
  const box = shop({ 'catalog.yaml': MANIFEST.replace('key: sku', 'key: id') })
  rmSync(join(box.folder, 'products.csv'))
  box.write('first.yaml', 'items: { a: { model: nano-banana-2, prompt: x } }')
  expect((await box.proofsheet('export first.yaml --format csv -o products.csv')).code).toBe(0)
  box.write('products.csv', `${box.read('products.csv')}a,,,,,,,,,,,,,\r\n`)
  symlinkSync('products.csv', join(box.folder, 'link.csv'))
  const before = box.read('products.csv')
  for (const name of ['products.csv', 'link.csv'])
    expect(await box.proofsheet(`export --format csv -o ${name}`)).toEqual(
      refusal(`${name} is read by catalog.yaml; name another file with -o`),
    )
  symlinkSync('.', join(box.folder, 'data'))
  box.edit('catalog.yaml', './products.csv', './data/products.csv')
  expect((await box.proofsheet('export --format csv -o products.csv')).stderr).toContain('is read by')
  expect(box.read('products.csv')).toBe(before)
})

test('a link is kept, and what it leads to is replaced', async () => {
  const box = shop({ 'site/catalog.json': '{}\n' })
  symlinkSync('site/catalog.json', join(box.folder, 'catalog.json'))
  const before = statSync(join(box.folder, 'site/catalog.json')).ino
  expect((await box.proofsheet('export -o catalog.json')).code).toBe(0)
  expect(lstatSync(join(box.folder, 'catalog.json')).isSymbolicLink()).toBe(true)
  expect(statSync(join(box.folder, 'site/catalog.json')).ino).not.toBe(before)
})

test.for<[string, string]>([
  ['pages', 'pages is a folder'],
  ['src/catalog.json', 'there is no folder src to write catalog.json into; make it, or'],
  ['prompt.md/catalog.json', 'prompt.md is no folder'],
  [`${'x'.repeat(300)}.json`, `the name ${'x'.repeat(300)}.json is too long`],
])('a path that cannot be written is told in words: %s', async ([path, why]) => {
  const box = shop()
  mkdirSync(join(box.folder, 'pages'))
  const name = `${why}${why.endsWith('or') ? '' : ';'} name another file with -o`
  for (const verb of ['export', 'report'])
    expect(await box.proofsheet([verb, '-o', path])).toEqual(refusal(name))
  expect(existsSync(join(box.folder, 'src'))).toBe(false)
})

test.for<[string, string | undefined]>([
  ['EACCES', 'a/b.csv may not be written: permission is denied'],
  ['EPERM', 'a/b.csv may not be written: permission is denied'],
  ['EROFS', 'a/b.csv lies on a disk that can only be read'],
  ['ELOOP', 'a/b.csv is a link that leads to itself'],
  ['ENOSPC', undefined],
])('what the system calls %s of a path', ([code, words]) => {
  expect(reasonOf(Object.assign(new Error(code), { code }), 'a/b.csv')).toBe(words)
})

// Not a device of the system: a mistake here would replace it.
test.skipIf(process.platform === 'win32')('a pipe takes what it is given', async () => {
  const box = shop()
  const pipe = join(box.folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void reader.kill())
  const io = { cwd: box.folder, pid: 1 }
  const target = targetOf('pipe', { name: 'export', flag: '-o', begins: /^x/ }, 'catalog.yaml', io)
  target.write('some text', new Set())
  expect(statSync(pipe).isFIFO()).toBe(true)
  expect(await text(reader.stdout)).toBe('some text')
})

test('a saved plan is known by its beginning', async () => {
  const box = shop()
  expect((await box.proofsheet('plan --out spring.json')).code).toBe(0)
  expect(() => readPlan(box.read('spring.json'), 'spring.json')).not.toThrow()
  expect(box.read('spring.json')).toMatch(PLAN_BEGINS)
})
