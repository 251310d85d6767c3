// What every dress of the progress is and is given.
import type { Quote } from '../../core/cost.ts'
import type { Io, Output } from '../io.ts'
import type { RunEvent } from '../run/events.ts'

export type Progress = {
  event(event: RunEvent): void
  /** Leaves the terminal as it should be. */
  end(): void
}

export type ProgressContext = {
  stderr: Output
  /** Pictures to be made. */
  total: number
  /** What they are expected to cost. */
  quote: Quote
  emulated: boolean
  now: () => number
  every: Io['every']
}
