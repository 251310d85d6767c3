// docs/conformance.md is complete and true: every demand has its row, and every proof that it names can be found.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

/** How many demands each part of the acceptance list has. */
const DEMANDS = { A: 16, B: 9, C: 15, D: 20, E: 9, F: 4, G: 9, H: 14 }

const rows = readFileSync(join(ROOT, 'docs/conformance.md'), 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, id]) => /^[A-H]\d+$/.test(id ?? ''))
  .map(([, id = '', demand = '', does = '', proof = '', ...rest]) => ({ id, demand, does, proof, rest }))

test('every demand has one row, in order', () => {
  const ids = Object.entries(DEMANDS).flatMap(([part, count]) =>
    Array.from({ length: count }, (_, index) => `${part}${index + 1}`),
  )
  expect(rows.map(({ id }) => id)).toEqual(ids)
})

test.for(rows)('$id is answered and proven, or said to be open', ({ demand, does, proof, rest }) => {
  // A stroke in a cell would move the proof out of its column.
  expect(rest).toEqual([''])
  expect(demand).not.toBe('')
  expect(does).not.toBe('')
  if (proof === '–') {
    // What has no proof says why.
    expect(does).toMatch(/\*\*open\*\*: \S+/)
    return
  }
  for (const each of proof.split('<br>')) {
    const [, file = '', title = ''] = /^`([^`]+)` › (.+)$/.exec(each) ?? expect.fail(`no proof: ${each}`)
    expect(existsSync(join(ROOT, file)), file).toBe(true)
    expect(holds(readFileSync(join(ROOT, file), 'utf8'), file, title), `${title} in ${file}`).toBe(true)
  }
})

/** Whether a file holds a title: as a string of its code, or as the heading of a page that is run. */
function holds(text: string, file: string, title: string): boolean {
  if (file.endsWith('.md')) return text.startsWith(`# ${title}\n`)
  return ["'", '"', '`'].some((quote) => text.includes(quote + title + quote))
}
