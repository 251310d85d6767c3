// The storage of a Generation object, and what its steps work with beside it.
import type { Env } from '../env.ts'
import type { Log } from '../log.ts'
import type { GenerationRecord } from './record.ts'
import { OWES_NOTHING, type Owed, type State } from './state.ts'

/** What the steps of a generation work with. */
export type Rim = {
  env: Env
  store: Store
  log: Log
  now: () => number
  fetch: (input: string, init?: RequestInit) => Promise<Response>
}

const RECORD = 'record'
const OWED = 'owed'

/** Record and what is owed: read from the storage each time, because whatever was awaited may have changed them. */
export class Store {
  readonly #kv: SyncKvStorage

  constructor(kv: SyncKvStorage) {
    this.#kv = kv
  }

  record(): GenerationRecord | undefined {
    return this.#kv.get<GenerationRecord>(RECORD)
  }

  state(): State | undefined {
    const record = this.record()
    return record && { record, owed: this.#kv.get<Owed>(OWED) ?? OWES_NOTHING }
  }

  /** Both in one synchronous block: the platform stores both or neither. */
  save({ record, owed }: State): void {
    this.#kv.put(RECORD, record)
    this.#kv.put(OWED, owed)
  }

  /** Changes what is stored; only once there is a record. */
  change(next: (state: State) => State): State {
    const state = this.state()!
    const changed = next(state)
    if (changed !== state) this.save(changed)
    return changed
  }

  owe(next: (owed: Owed) => Owed): void {
    this.change(({ record, owed }) => ({ record, owed: next(owed) }))
  }

  isQueued(): boolean {
    return this.record()?.status === 'queued'
  }
}
