// The soak (test/faults/soak.test.ts): inside workerd like the other tests of the worker, with an emulator and storage of
// its own. SOAK_SEED repeats what was drawn; SOAK_GENERATIONS and SOAK_MINUTES make it longer.
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

// Nothing here leaves the host, not even for the description of the connection that a request pretends to come from.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'
process.env.ADMIN_TOKEN = 'admin-token'

const { SOAK_SEED = '', SOAK_GENERATIONS = '', SOAK_MINUTES = '' } = process.env

export default defineConfig({
  plugins: [
    cloudflareTest(async ({ inject }) => {
      const emulator = inject('emulatorUrl')
      return {
        wrangler: { configPath: './wrangler.toml' },
        miniflare: {
          bindings: {
            ADMIN_TOKEN: 'admin-token',
            WEBHOOK_SECRET: 'whsec_cHJvb2ZzaGVldCBzaWducyBpdHMgd2ViaG9va3Mu',
            GOOGLE_API_KEY: 'google-key',
            GOOGLE_BASE_URL: `${emulator}/google`,
            APIYI_API_KEY: 'apiyi-key',
            APIYI_BASE_URL: `${emulator}/apiyi`,
            TOKAIFY_API_KEY: 'tokaify-key',
            TOKAIFY_BASE_URL: `${emulator}/tokaify`,
            PROVIDERS: JSON.stringify({ google: { concurrency: 8 }, apiyi: { perMinute: 600 } }),
            EMULATOR: emulator,
            MIGRATIONS: await readD1Migrations('migrations'),
            SOAK_SEED,
            SOAK_GENERATIONS,
            SOAK_MINUTES,
          },
        },
      }
    }),
  ],
  test: {
    name: 'soak',
    // After the other tests: it takes all that the machine has.
    sequence: { groupOrder: 1 },
    include: ['test/faults/soak.test.ts'],
    globalSetup: ['test/soak-provider.ts'],
    setupFiles: ['test/worker/setup/migrate.ts'],
  },
})
