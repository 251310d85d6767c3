// Entries of the lock for the tests of state and picks: the least that is valid, changed by what a test is about.
import type { LockEntry } from '../../runner/state/lock.ts'

export function made(id: string, changes: Partial<LockEntry> = {}): LockEntry {
  return {
    id,
    key: `key-of-${id}`,
    fingerprint: `key-of-${id}`,
    edition: 1,
    inputs: { model: 'gemini-3.1-flash-image', prompt: id, size: '1K', references: [] },
    generation: `gen_${id}`,
    status: 'succeeded',
    provider: 'google',
    model: 'gemini-3.1-flash-image',
    emulated: false,
    image: {
      url: `http://worker/images/${id.replace('#', '-')}.png`,
      mimeType: 'image/png',
      bytes: 3,
      width: 1,
      height: 1,
      sha256: '0'.repeat(64),
    },
    cost: 0.067,
    charged: 'yes',
    recordedAt: 1,
    ...changes,
  }
}
