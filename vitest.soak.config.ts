// The soak (test/faults/soak.test.ts), of `npm test` and `npm run soak`: inside workerd like the other tests of the
// worker, with an emulator and storage of its own. SOAK_SEED repeats what was drawn; SOAK_GENERATIONS and SOAK_MINUTES make it longer.
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { FILES_AT_ONCE } from './test/pace.ts'
import { usualBindings } from './test/workerd.ts'

const { SOAK_SEED = '', SOAK_GENERATIONS = '', SOAK_MINUTES = '', THOROUGH = '' } = process.env

export default defineConfig({
  plugins: [
    cloudflareTest(async ({ inject }) => ({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        bindings: {
          ...(await usualBindings(inject('emulatorUrl'))),
          PROVIDERS: JSON.stringify({ google: { concurrency: 8 }, apiyi: { perMinute: 600 } }),
          SOAK_SEED,
          SOAK_GENERATIONS,
          SOAK_MINUTES,
          THOROUGH,
        },
      },
    })),
  ],
  test: {
    maxWorkers: FILES_AT_ONCE,
    name: 'soak',
    // After the other tests: it takes all that the machine has.
    sequence: { groupOrder: 1 },
    include: ['test/faults/soak.test.ts'],
    globalSetup: ['test/faults/soak/provider.ts'],
    setupFiles: ['test/worker/setup/quiet.ts', 'test/worker/setup/storage.ts'],
    // As in vitest.worker.config.ts.
    disableConsoleIntercept: true,
  },
})
