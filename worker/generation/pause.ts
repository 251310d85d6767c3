// Whether the operator has paused the deployment: what is accepted stays queued then, and nothing is sent. Whoever wants a
// pause writes it in many ways, and a misread one spends money: only what plainly says no is no pause.
import type { State } from './state.ts'

/** Words of PAUSED that are no pause. */
const NO_PAUSE = ['', 'false']

/** Whether nothing may be sent. `PAUSED` is what the operator has written: text, or a boolean of wrangler.toml. */
export function isPaused({ PAUSED }: { PAUSED?: unknown }): boolean {
  return !NO_PAUSE.includes(
    String(PAUSED ?? '')
      .trim()
      .toLowerCase(),
  )
}

/** The generation has noticed that it waits because of a pause, or does not any more; the index hears of it. */
export function notedPause({ record, owed }: State, paused: boolean): State {
  const { paused: _, ...rest } = record
  const noted = { ...rest, ...(paused ? { paused } : {}), version: record.version + 1 }
  return { record: noted, owed: { ...owed, index: noted.version } }
}
