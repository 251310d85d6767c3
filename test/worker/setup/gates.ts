// After each test the gates forget what providers said in it: the tests of a file share them, and a delay or a used-up quota
// of one would hold up the next.
import { listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { afterEach } from 'vitest'
import { env } from './bindings.ts'

afterEach(async () => {
  for (const id of await listDurableObjectIds(env.GATE))
    await runInDurableObject(env.GATE.get(id), (_, { storage }) => {
      for (const table of ['waiting', 'leases', 'refused', 'sent']) storage.sql.exec(`DELETE FROM ${table}`)
      storage.kv.delete('pace')
    })
})
