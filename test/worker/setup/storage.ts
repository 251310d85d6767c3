// Gives each test file empty storage and its database. Most files share a workerd, for it and its modules take seconds to
// start.
import { applyD1Migrations, reset } from 'cloudflare:test'
import { env } from './bindings.ts'

await reset()
await applyD1Migrations(env.DB, env.MIGRATIONS)
