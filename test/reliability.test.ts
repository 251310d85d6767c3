// docs/reliability.md is complete and true: every fault of the emulator has its place in it, and every test that it names
// can be found.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FAULTS } from '../emulator/faults.ts'

const ROOT = join(import.meta.dirname, '..')

const COLUMNS = ['fault', 'what happens', 'charged', 'repeated', 'tested by']

const tables = readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8')
  .split(/\n{2,}/)
  .map((block) => block.split('\n').map((line) => line.split('|').map((cell) => cell.trim())))
  .filter(([header = []]) => header[1] === 'fault')

const rows = tables
  .flatMap((table) => table.slice(2))
  .map(([, fault = '', happens = '', charged = '', repeated = '', proof = '', ...rest]) => ({
    fault,
    told: [happens, charged, repeated],
    proof,
    rest,
  }))

test('every table of faults has the same columns', () => {
  expect(tables.length).toBeGreaterThan(3)
  for (const [header] of tables) expect(header).toEqual(['', ...COLUMNS, ''])
})

test.for(Object.keys(FAULTS))('the fault %s has its place', (name) => {
  const named = rows.filter((row) =>
    [...[row.fault, ...row.told].join(' ').matchAll(/`([^`]+)`/g)].some(
      ([, code]) => code!.split(' ')[0] === name,
    ),
  )
  expect(named.length).toBeGreaterThan(0)
})

test.for(rows)('$fault: what happens is told and tested', ({ fault, told, proof, rest }) => {
  // A stroke in a cell would move the proof out of its column.
  expect(rest).toEqual([''])
  for (const cell of [fault, ...told]) expect(cell).not.toBe('')
  for (const each of proof.split('<br>')) {
    const [, file = '', title = ''] = /^`([^`]+)` › (.+)$/.exec(each) ?? expect.fail(`no proof: ${each}`)
    expect(existsSync(join(ROOT, file)), file).toBe(true)
    expect(holds(readFileSync(join(ROOT, file), 'utf8'), title), `${title} in ${file}`).toBe(true)
  }
})

/** Whether the code of a file, its comments apart, holds a title as one of its strings, or as the end of one. */
function holds(text: string, title: string): boolean {
  // A line comment begins a line or follows white space: `https://` in a string does neither.
  const code = text.replace(/^\s*\/?\*.*$/gm, '').replace(/(^|\s)\/\/ .*$/gm, '')
  return ["'", '"', '`'].some(
    (quote) => code.includes(quote + title + quote) || code.includes(` ${title}${quote}`),
  )
}
