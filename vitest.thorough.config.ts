// All faults at length (`npm run soak`): the crash tests at every moment of every kind of answer, 500 pictures by the objects
// against a limit, and the long soak.
import { defineConfig } from 'vitest/config'

process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'
process.env.WRANGLER_SEND_METRICS = 'false'
process.env.THOROUGH = 'yes'

export default defineConfig({
  test: { projects: ['./vitest.worker.config.ts', './vitest.soak.config.ts'] },
})
