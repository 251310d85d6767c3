// Whether the lines of a batch can be made: everything that can be refused is refused before anything is accepted.
import { type BatchLine, BatchLineSchema } from '../../core/batch.ts'
import type { Quote } from '../../core/cost.ts'
import type { Market } from '../../core/market.ts'
import { formatUsd } from '../../core/money.ts'
import { fingerprint, type GenerationRequest, type ReferenceInput } from '../../core/request.ts'
import { quoteRoutes } from '../../core/routes.ts'
import type { Input } from '../generation/record.ts'
import { checkLimits, checkMaxCost, draftOf, findRoutes } from '../generation/wish.ts'
import { checkPriced } from '../http/budget.ts'
import { parse } from '../http/input.ts'
import { type FieldError, fieldProblem, Problem } from '../http/problem.ts'
import type { Budget } from '../money/budget.ts'
import type { Line } from './lines.ts'
import type { NewLine } from './rows.ts'

/** What lines are checked against. */
export type Checking = {
  /** Id of the batch. */
  id: string
  market: Market
  budget: Budget | undefined
  generationId: (key: string) => string
  /** SHA-256 of a text. */
  sha256: (text: string) => string
  checkWebhook: (url: string | undefined) => void
  /** What a reference that names something stored stands for. Throws Problem. */
  resolve: (reference: ReferenceInput) => Promise<Input>
}

/** A line that can be made. */
export type Checked = {
  row: NewLine
  quote: Quote
  /** That of its generation, where it is known before references are fetched or made. */
  fingerprint: string | undefined
  /** An equal line was there before: it is the same picture. */
  isRepeat: boolean
}

/** Most stored images and generations that are looked up for one batch; those beyond are looked up line by line when
 *  their turn comes. An invocation may call other services 10,000 times. */
const MAX_LOOKUPS = 4_000

type Reference = NonNullable<NewLine['request']['references']>[number]

/** A line that was read and not checked yet. */
export type Read = { number: number; digest: string; asked: BatchLine }

/** Checks the lines of one batch, in their order. Remembers keys and what references stand for, nothing else. */
export class LineChecker {
  #fx: Checking
  #keys = new Map<string, { line: number; digest: string }>()
  #inputs = new Map<string, Promise<Input>>()

  constructor(fx: Checking) {
    this.#fx = fx
  }

  /** Reads a line, and begins to look up what it refers to. Throws a Problem whose fields are those of the line. */
  read({ number, value, json }: Line): Read {
    const asked = parse(BatchLineSchema, value)
    for (const reference of asked.references ?? []) this.#lookUp(reference)
    return { number, digest: this.#fx.sha256(json), asked }
  }

  /** Throws a Problem whose fields are those of the line. */
  async check({ number, digest, asked }: Read): Promise<Checked> {
    const { key = `${this.#fx.id}.${number}`, ...request } = asked
    const first = this.#keys.get(key)
    if (first && first.digest !== digest)
      throw fieldProblem(
        'key',
        `line ${first.line} has this key for another request; a key names one picture`,
      )
    const needs = this.#needsOf(request.references ?? [])
    const quote = await this.#price(request)
    const fingerprint = await this.#fingerprintOf(request)
    if (!first) this.#keys.set(key, { line: number, digest })
    return {
      row: {
        line: number,
        key,
        generation: this.#fx.generationId(key),
        ...(needs.length > 0 ? { needs } : {}),
        request,
      },
      quote,
      fingerprint,
      isRepeat: first !== undefined,
    }
  }

  /** What a reference that names something stored stands for; undefined for any other, and for those that are looked up
   *  when their turn comes. */
  #lookUp(reference: Reference): Promise<Input> | undefined {
    if (isMadeHere(reference) || !('sha256' in reference || 'generation' in reference)) return undefined
    const name = 'generation' in reference ? reference.generation : reference.sha256
    const known = this.#inputs.get(name)
    if (known || this.#inputs.size >= MAX_LOOKUPS) return known
    const found = this.#fx.resolve(reference)
    // Whoever waits for it is told; a line before may have ended everything.
    found.catch(() => {})
    this.#inputs.set(name, found)
    return found
  }

  async #fingerprintOf(request: NewLine['request']): Promise<string | undefined> {
    const names: string[] = []
    for (const reference of request.references ?? []) {
      const input = 'fileUri' in reference ? reference : await this.#lookUp(reference)
      if (!input) return undefined
      names.push('fileUri' in input ? `uri:${input.fileUri}` : `sha256:${input.sha256}`)
    }
    return fingerprint({ ...request, references: names }, this.#fx.sha256)
  }

  /** The earlier lines that are named as references. */
  #needsOf(references: readonly Reference[]): number[] {
    const lines = references.flatMap((reference, index) => {
      if (!isMadeHere(reference)) return []
      const earlier = this.#keys.get(reference.key)
      if (earlier) return [earlier.line]
      throw fieldProblem(
        `references[${index}].key`,
        `no earlier line has the key ${reference.key}; put the line that makes this picture first`,
      )
    })
    return [...new Set(lines)]
  }

  async #price(request: NewLine['request']): Promise<Quote> {
    const { market, budget } = this.#fx
    const inputs: Parameters<typeof checkLimits>[1][number][] = []
    for (const [index, reference] of (request.references ?? []).entries())
      inputs.push(await this.#claimOf(reference, index))
    // Lines name pictures of their own batch as well; nothing here looks into references.
    const asked = request as GenerationRequest
    const routes = findRoutes(market, asked)
    checkLimits(asked, inputs, routes)
    this.#fx.checkWebhook(asked.webhook)
    const quote = quoteRoutes(routes, draftOf(asked))
    checkMaxCost(asked, quote)
    checkFits(quote, budget)
    return quote
  }

  /** What is known of a reference before it is fetched or made. */
  async #claimOf(reference: Reference, index: number): Promise<Parameters<typeof checkLimits>[1][number]> {
    if ('data' in reference)
      throw fieldProblem(
        `references[${index}].data`,
        'upload the image first (POST /api/references), then name its sha256',
      )
    if ('fileUri' in reference) return reference
    try {
      return (await this.#lookUp(reference)) ?? {}
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      // It was resolved alone: the path in it is not that of this line.
      throw fieldProblem(`references[${index}]`, error.errors?.[0]?.message ?? error.message, error.code)
    }
  }
}

function isMadeHere(reference: Reference): reference is { key: string } {
  return Object.keys(reference).length === 1 && 'key' in reference
}

/** Refuses what the budget of the token never has room for. What is left of it is a matter of the batch as a whole
 *  (spent.ts). Throws `budget_exceeded`. */
function checkFits(quote: Quote, budget: Budget | undefined): void {
  const [period, limit] = Object.entries(budget ?? {}).sort(([, a], [, b]) => a - b)[0] ?? []
  checkPriced(budget, quote)
  if (limit !== undefined && quote.atMost > limit)
    throw new Problem(
      'budget_exceeded',
      `it may cost up to ${formatUsd(quote.atMost)}; this token may spend ${formatUsd(limit)} ${period === 'total' ? 'in all' : `a ${period}`}`,
    )
}

/** What is wrong with the lines of a batch: collected, so that all of it is told at once. */
export class Faults {
  #told: FieldError[] = []
  #code: Problem['code'] | undefined
  #count = 0

  get count(): number {
    return this.#count
  }

  add(path: string, problem: Problem): void {
    this.#code ??= problem.code
    for (const error of problem.errors ?? [{ path: '', message: problem.message }]) {
      this.#count++
      const field = error.path ? `${path}.${error.path}` : path
      if (this.#told.length < MAX_TOLD) this.#told.push({ path: field, message: error.message })
    }
  }

  /** One problem of all of it, with the code of the first. */
  problem(): Problem {
    const told = this.#told.map(({ path, message }) => `${path}: ${message}`).slice(0, 3)
    const more = this.#count - told.length
    return new Problem(
      this.#code ?? 'invalid_request',
      `${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}. Nothing was accepted.`,
      { errors: this.#told },
    )
  }
}

/** Most faults that are told one by one. */
const MAX_TOLD = 100
