// The tests of vitest.worker.config.ts whose batches go through the queue. What it delivers late would reach the next file of
// the same workerd, so each has one of its own.
import { defineConfig } from 'vitest/config'
import { inWorkerd, QUEUED, USUAL } from './vitest.worker.config.ts'

export default defineConfig({
  plugins: [inWorkerd()],
  test: { ...USUAL, name: 'queue', include: QUEUED },
})
