// The tests of vitest.worker.config.ts that have a workerd for each file.
import { defineConfig } from 'vitest/config'
import { ALONE, inWorkerd, USUAL } from './vitest.worker.config.ts'

export default defineConfig({
  plugins: [inWorkerd()],
  test: { ...USUAL, name: 'alone', include: ALONE },
})
