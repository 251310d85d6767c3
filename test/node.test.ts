// Which Node is needed where: what the README promises is what package.json asks for.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import pkg from '../package.json' with { type: 'json' }

const README = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8')

test('the host needs the Node that package.json asks for, and the rest runs on the one that the project brings', () => {
  expect(README).toContain(`Any host Node from version ${pkg.engines.node.replace('>=', '')} will do`)
  const [own] = pkg.devDependencies.node.split('.')
  expect(README).toMatch(new RegExp(`npm ci. brings\\s+Node ${own}`))
  expect(process.versions.node).toBe(pkg.devDependencies.node)
})
