// Tests that run inside workerd, against the local R2, D1 and Durable Objects, with the emulator as every provider.
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { FILES_AT_ONCE } from './test/pace.ts'
import { usualBindings } from './test/workerd.ts'

const relay = {
  wire: { 'nano-banana-2': 'gemini-3.1-flash-image' },
  prices: { 'nano-banana-2': { perRequest: 0.03 } },
}

/** Files that need a workerd of their own (vitest.alone.config.ts), because work of the file before may go on for a moment:
 *  those that leave such work behind, in the queue, and those that say of the whole storage what is in it. */
export const ALONE = [
  'test/worker/batches/**/*.test.ts',
  'test/worker/workspaces.test.ts',
  'test/worker/listing.test.ts',
  'test/worker/problems.test.ts',
  'test/worker/references.test.ts',
  'test/worker/scopes.test.ts',
]

export const inWorkerd = () =>
  cloudflareTest(async ({ inject }) => {
    const emulator = inject('emulatorUrl')
    return {
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        bindings: {
          ...(await usualBindings(emulator)),
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
          RECORDER: inject('recorderUrl'),
          THOROUGH: process.env.THOROUGH ?? '',
        },
      },
    }
  })

export const USUAL = {
  maxWorkers: FILES_AT_ONCE,
  globalSetup: ['test/provider.ts'],
  setupFiles: ['test/worker/setup/quiet.ts', 'test/worker/setup/storage.ts', 'test/worker/setup/gates.ts'],
  // A line that vitest passes on while a file ends keeps it waiting for ever (cloudflare/workers-sdk#15719).
  disableConsoleIntercept: true,
}

export default defineConfig({
  plugins: [inWorkerd()],
  test: {
    ...USUAL,
    name: 'worker',
    include: ['test/faults/**/*.test.ts', ...(process.env.THOROUGH ? [] : ['test/worker/**/*.test.ts'])],
    // With an emulator of its own: vitest.soak.config.ts.
    exclude: ['test/faults/soak.test.ts', ...ALONE],
    isolate: false,
  },
})
