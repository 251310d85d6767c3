// What the queue carries: which lines of a batch are to be handed to their Generation objects.

/** At most 20 lines. */
export type BatchMessage = { batch: string; lines: readonly number[] }
