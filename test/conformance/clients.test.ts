// docs/clients.md says which client was proven at which version: here that is compared with what is installed and called.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')

/** The rows of the table: package, version, test files. */
const ROWS = readFileSync(join(ROOT, 'docs', 'clients.md'), 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter((cells) => /^\d+\.\d+\.\d+$/.test(cells[2] ?? ''))
  .map(([, name, version, , tests]) => ({
    name: name!.replaceAll('`', ''),
    version,
    tests: [...tests!.matchAll(/`([^`]+)`/g)].map(([, file]) => file!),
  }))

/** What a test file imports, types aside. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(import.meta.dirname, file), 'utf8')
  return [...text.matchAll(/^import (?!type ).* from '([^']+)'$/gm)].map(([, name]) => name!)
}

const CLIENTS = /^(@google\/genai|google-genai-\d|openai|ai|@ai-sdk\/.+)$/

test('every client that is called here has its row', () => {
  const called = readdirSync(import.meta.dirname).flatMap(importsOf)
  const clients = [...new Set(called.filter((name) => CLIENTS.test(name)))]
  expect(ROWS.map(({ name }) => name).sort()).toEqual(clients.sort())
})

describe.for(ROWS)('$name', ({ name, version, tests }) => {
  test('is installed in the version that the page says', () => {
    const installed = readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')
    expect(JSON.parse(installed).version).toBe(version)
  })

  test('is called by the tests that the page names', () => {
    expect(tests).not.toEqual([])
    for (const file of tests) {
      expect(existsSync(join(import.meta.dirname, file)), file).toBe(true)
      expect(importsOf(file), file).toContain(name)
    }
  })
})
