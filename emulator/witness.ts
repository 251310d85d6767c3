// Everything the emulator was asked and what it charged: the witness for "bought at most once".
// Writes the charge when a call is accepted, not when it is delivered, because leaving does not cancel a paid call.
import { settle } from '../core/cost.ts'
import type { Size } from '../core/models.ts'
import type { MicroUsd } from '../core/money.ts'
import type { PriceRow } from '../core/prices.ts'
import type { UsageMetadata } from './usage.ts'

/** One request as it was seen. */
export type Call = {
  /** `call-1`, `call-2`… in order of arrival; the `x-request-id` of its answer. */
  id: string
  provider: string
  /** The model part of the path, as it came. */
  model: string
  /** Without fault markers; empty when the body could not be read. */
  prompt: string
  size: Size | null
  aspect: string | null
  references: number
  /** Epoch ms. */
  receivedAt: number
  /** `running`, `picture`, a fault's name, `client-left`, or the `google.rpc` status of an error. */
  outcome: string
  /** HTTP status, or null while it runs and where no answer was sent. */
  status: number | null
  charged: boolean
}

/** One bought answer; a call has at most one. */
export type Charge = {
  /** The id of the call. */
  call: string
  provider: string
  /** Canonical model id. */
  model: string
  /** Null where the provider has no price row. */
  costMicroUsd: MicroUsd | null
  usage: UsageMetadata | null
  /** Whether the whole answer was taken by the client. */
  delivered: boolean
}

export type Witness = ReturnType<typeof createWitness>

/** An empty record; it holds every call until `reset`. `now`: a provider's clock, in epoch ms. */
export function createWitness(now: (provider: string) => number) {
  let calls: Call[] = []
  let bill: Charge[] = []
  let arrivals = 0
  return {
    calls: (): Call[] => calls.map((call) => ({ ...call })),
    bill: (): Charge[] => bill.map((charge) => ({ ...charge })),
    reset(): void {
      calls = []
      bill = []
      arrivals = 0
    },
    /** Notes a request. What becomes of it is written into the returned record. */
    arrive(provider: string, model: string): Call {
      arrivals += 1
      const call: Call = {
        id: `call-${arrivals}`,
        provider,
        model,
        prompt: '',
        size: null,
        aspect: null,
        references: 0,
        receivedAt: now(provider),
        outcome: 'running',
        status: null,
        charged: false,
      }
      calls.push(call)
      return call
    },
    /** Puts a call on the bill, undelivered; `usage` is what its answer reports, null where it has none. */
    charge(
      call: Call,
      model: string,
      row: PriceRow | undefined,
      usage: UsageMetadata | null,
      pictures: number,
    ) {
      const charge: Charge = {
        call: call.id,
        provider: call.provider,
        model,
        costMicroUsd: settle(row, usage ?? undefined, pictures) ?? null,
        usage,
        delivered: false,
      }
      call.charged = true
      bill.push(charge)
      return charge
    },
  }
}
