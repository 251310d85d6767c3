// Every page of this folder is a spec of the command line and is run as it stands. UPDATE_TRANSCRIPTS=1 writes what was
// printed into the pages; read what changed before it is kept.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Stack, startStack } from '../runner/sandbox.ts'
import { readSpec } from './spec.ts'
import { play } from './transcript.ts'

const FOLDER = import.meta.dirname
const IS_UPDATE = process.env.UPDATE_TRANSCRIPTS === '1'

const SPECS = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .sort()
  .map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }))
  .map((spec) => ({ ...spec, title: `${spec.name}: ${readSpec(spec.text).title}` }))

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
}, 120_000)
afterAll(() => stack.close(), 60_000)

// All specs share one worker: a picture that another spec bought would be found there and not bought again.
const owners = new Map<string, string>()

test.for(SPECS)('$title', { timeout: 240_000 }, async ({ name, text }) => {
  const { mismatches, bugs, accepted, keys } = await play(text, `test/cli/${name}`, stack)
  if (IS_UPDATE) writeFileSync(join(FOLDER, name), accepted)
  const wrong = IS_UPDATE ? bugs : [...bugs, ...mismatches]
  if (wrong.length > 0) expect.fail(wrong.join('\n\n'))
  for (const key of new Set(keys)) {
    expect(owners.get(key) ?? name, `${name} buys a picture of another spec: change its prompt`).toBe(name)
    owners.set(key, name)
  }
})
