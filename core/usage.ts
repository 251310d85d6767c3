// What was spent, as the worker reports it from its ledger.
import { z } from 'zod'

/** What a row of the report stands for. */
export const USAGE_BY = ['day', 'model', 'provider', 'token', 'batch'] as const
export type UsageBy = (typeof USAGE_BY)[number]

const Usd = z.number().describe('USD')

const Sums = z.object({
  generations: z.int().describe('Generations for which a provider was called.'),
  attempts: z.int().describe('Provider calls, free ones and those under way included.'),
  pictures: z.int().describe('Calls that brought a picture.'),
  cost: Usd.describe('USD of all charges whose amount is known.'),
  unpriced: z
    .int()
    .describe('Calls that were charged, at a price that is not known; `cost` does not hold them.'),
  uncertain: z
    .int()
    .describe('Calls of which nobody can say whether they were charged; `cost` does not hold them.'),
  uncertainAtMost: Usd.describe('USD that the uncertain calls cost at most, where that is known.'),
  running: z
    .int()
    .describe(
      'Calls that have not ended: they are neither charged nor uncertain, and `cost` does not hold them.',
    ),
  runningAtMost: Usd.describe('USD that the calls under way cost at most, where that is known.'),
})

export const UsageReportSchema = z
  .object({
    by: z.enum(USAGE_BY),
    from: z.iso.datetime().nullable().describe('Calls that were sent from this instant on.'),
    to: z.iso.datetime().nullable().describe('And before this one: the end of the day that was asked for.'),
    currency: z.literal('USD'),
    emulated: z.boolean().describe('Sums of what the emulator drew, at list prices: nothing was paid.'),
    rows: z.array(
      Sums.extend({
        name: z
          .string()
          .nullable()
          .describe('The day, model, provider, or id of the token or batch; null: without a batch.'),
      }),
    ),
    total: Sums.describe('Of the whole span, whatever page this is.'),
    cursor: z.string().nullable().describe('Pass it as ?cursor= for the next rows; null at the end.'),
  })
  .meta({
    id: 'Usage',
    description: 'Sums of the ledger. A call counts once, at the instant it was sent.',
  })
export type UsageReport = z.output<typeof UsageReportSchema>
