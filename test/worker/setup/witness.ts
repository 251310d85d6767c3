// What the emulator and the recorder (test/provider.ts) tell of the requests they were sent.

/** A call as the emulator saw it. */
export type SeenCall = {
  id: string
  provider: string
  /** The provider's own id of the model. */
  model: string
  /** Without fault markers. */
  prompt: string
  references: number
  /** `picture`, a fault's name, `client-left`, or the status of an error. */
  outcome: string
  status: number | null
  charged: boolean
}

/** What the emulator charged for a call. */
export type SeenCharge = { call: string; costMicroUsd: number | null; delivered: boolean }

/** A request as it came to the recorder. */
export type RecordedRequest = {
  method: string
  path: string
  headers: Record<string, string | string[] | undefined>
  body: string
}
