// What every test inside workerd is given: the secrets, and the emulator as each of the providers. With keys the emulator is a
// provider like any other: what it draws counts as bought.
import { readD1Migrations } from '@cloudflare/vitest-plugin'

/** Bindings of the worker beside those of wrangler.toml. Nothing leaves the host from here on, not even for the description
 *  of the connection that a request pretends to come from. */
export async function usualBindings(emulator: string) {
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'
  process.env.ADMIN_TOKEN = 'admin-token'
  return {
    ADMIN_TOKEN: 'admin-token',
    WEBHOOK_SECRET: 'whsec_cHJvb2ZzaGVldCBzaWducyBpdHMgd2ViaG9va3Mu',
    GOOGLE_API_KEY: 'google-key',
    GOOGLE_BASE_URL: `${emulator}/google`,
    APIYI_API_KEY: 'apiyi-key',
    APIYI_BASE_URL: `${emulator}/apiyi`,
    TOKAIFY_API_KEY: 'tokaify-key',
    TOKAIFY_BASE_URL: `${emulator}/tokaify`,
    EMULATOR: emulator,
    MIGRATIONS: await readD1Migrations('migrations'),
  }
}
