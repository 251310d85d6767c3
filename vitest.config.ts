// Two kinds of tests: in Node, and inside workerd. One command runs both.
import { defineConfig } from 'vitest/config'
import { FILES_AT_ONCE } from './test/pace.ts'

// Local workerd would fetch a description of the nearest data centre at every start.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'
process.env.WRANGLER_SEND_METRICS = 'false'

export default defineConfig({
  test: {
    // What a test that passes writes is no news.
    silent: 'passed-only',
    projects: [
      './vitest.worker.config.ts',
      './vitest.alone.config.ts',
      './vitest.soak.config.ts',
      {
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/worker/**', 'test/faults/**'],
          environment: 'node',
          testTimeout: 60_000,
          maxWorkers: FILES_AT_ONCE,
          isolate: false,
        },
      },
    ],
  },
})
