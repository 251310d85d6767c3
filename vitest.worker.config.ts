// Tests that run inside workerd, against the local R2, D1 and Durable Objects, with the emulator as every provider.
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

// Nothing here leaves the host, not even for the description of the connection that a request pretends to come from.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'
process.env.ADMIN_TOKEN = 'admin-token'

const relay = {
  wire: { 'nano-banana-2': 'gemini-3.1-flash-image' },
  prices: { 'nano-banana-2': { perRequest: 0.03 } },
}

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
            // With keys the emulator is a provider like any other: what it draws counts as bought.
            GOOGLE_API_KEY: 'google-key',
            GOOGLE_BASE_URL: `${emulator}/google`,
            APIYI_API_KEY: 'apiyi-key',
            APIYI_BASE_URL: `${emulator}/apiyi`,
            TOKAIFY_API_KEY: 'tokaify-key',
            TOKAIFY_BASE_URL: `${emulator}/tokaify`,
            // Relays of an operator's own: one whose key is refused, one that cannot be reached, one for a test that limits
            // it, and some for tests that leave a gate behind that others must not meet (setup/relay.ts).
            PROVIDERS: JSON.stringify({
              locked: { baseUrl: `${emulator}/locked`, ...relay, keyVariable: 'BAD_KEY' },
              silent: { baseUrl: inject('closedUrl'), ...relay, keyVariable: 'ANY_KEY' },
              ...Object.fromEntries(
                ['limited', ...Array.from({ length: 16 }, (_, index) => `relay-${index + 1}`)].map((id) => [
                  id,
                  { baseUrl: `${emulator}/${id}`, ...relay, keyVariable: 'ANY_KEY' },
                ]),
              ),
            }),
            BAD_KEY: 'bad-key',
            ANY_KEY: 'any-key',
            EMULATOR: emulator,
            RECORDER: inject('recorderUrl'),
            MIGRATIONS: await readD1Migrations('migrations'),
          },
        },
      }
    }),
  ],
  test: {
    include: ['test/worker/**/*.test.ts', 'test/faults/**/*.test.ts'],
    // With an emulator of its own: vitest.soak.config.ts.
    exclude: ['test/faults/soak.test.ts'],
    globalSetup: ['test/provider.ts'],
    setupFiles: ['test/worker/setup/migrate.ts', 'test/worker/setup/gates.ts'],
  },
})
