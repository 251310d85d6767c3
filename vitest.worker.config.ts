// Tests that run inside workerd, against the local R2, D1 and Durable Objects. `npm test` starts them.
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

// Nothing here leaves the host, not even for the description of the connection that a request pretends to come from.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'

export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: { bindings: { ADMIN_TOKEN: 'admin-token' } },
    }),
  ],
  test: { include: ['test/worker/**/*.test.ts'] },
})
