// Tokens and what they may spend, as the API speaks of them.
import { z } from 'zod'
import { BUDGET_PERIODS } from './api.ts'

export const SCOPES = ['generate', 'read', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

const Limit = z.number().positive().max(1_000_000).optional()

const Instant = z.iso.datetime()

export const TokenRequestSchema = z
  .strictObject({
    name: z.string().min(1).max(100).describe('For people: who or what uses it.'),
    workspace: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'lower-case letters, digits and dashes')
      .optional()
      .describe('Whose pictures it makes and sees. Default: that of the token that asks.'),
    scopes: z
      .array(z.enum(SCOPES))
      .min(1)
      .optional()
      .describe('`generate`, `read`, `admin`. Default: generate and read. `admin` holds the others.'),
    budget: z
      .strictObject({ day: Limit, month: Limit, total: Limit })
      .refine(
        (limits) => Object.keys(limits).length > 0,
        'give day, month or total; without `budget` it is unlimited',
      )
      .optional()
      .describe('USD that it may spend; days and months are those of UTC. Absent: unlimited.'),
    perMinute: z.int().positive().max(100_000).optional().describe('Calls of the API in a minute.'),
    expiresAt: Instant.optional(),
  })
  .meta({ id: 'TokenRequest' })

const Standing = z.object({ limit: z.number(), committed: z.number(), remaining: z.number() })

export const TokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    workspace: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    budget: z
      .partialRecord(z.enum(BUDGET_PERIODS), Standing)
      .describe('USD by period: the limit, what is spent or held, what is left. Empty: unlimited.'),
    perMinute: z.int().nullable(),
    createdAt: Instant,
    expiresAt: Instant.nullable(),
    revokedAt: Instant.nullable(),
  })
  .meta({ id: 'Token', description: 'Who may do what, and spend how much.' })
export type TokenView = z.output<typeof TokenSchema>

export const NewTokenSchema = TokenSchema.extend({
  token: z.string().describe('The token itself. It is told this once: only its hash is stored.'),
}).meta({ id: 'NewToken' })

export const TokenListSchema = z
  .object({
    tokens: z.array(TokenSchema),
    cursor: z.string().nullable().describe('Pass it as ?cursor= for the next page; null at the end.'),
  })
  .meta({ id: 'TokenList' })
