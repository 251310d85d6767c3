// The same without objects, for many pictures: the pace of worker/providers/pace.ts, the limit of the emulator, and a
// queue that is a number. What refuses answers after a tenth of a second.
import type { RpcError } from '../../../core/gemini/rpc.ts'
import { classifyStatus } from '../../../core/outcome.ts'
import { PROVIDERS } from '../../../core/providers.ts'
import { createLimits, type Limits } from '../../../emulator/limits.ts'
import {
  capacityOf,
  freshPace,
  opensAt,
  type PaceReport,
  paceAfter,
  reportOf,
  underRules,
} from '../../../worker/providers/pace.ts'

const REFUSAL_MS = 100
const RULES = { concurrency: 64 }
const APIYI = PROVIDERS.find(({ id }) => id === 'apiyi')!

type Out = { endsAt: number; sentAt: number; report: PaceReport; leave?: () => void }

/** Makes `count` pictures; ms of the clock, and the calls that were refused. */
export function simulate(count: number, limits: Limits, latencyMs: (call: number) => number) {
  const { enter } = createLimits([{ provider: 'apiyi', ...limits }])
  let [pace, now, waiting, made, refused] = [freshPace(RULES), 0, count, 0, 0]
  let out: Out[] = []
  const call = (): Out => {
    try {
      const leave = enter('apiyi', 'model', now)
      return { endsAt: now + latencyMs(made++), sentAt: now, report: { kind: 'done' }, leave }
    } catch (error) {
      refused++
      const { code, body } = error as RpcError
      const verdict = classifyStatus(code, JSON.stringify(body), null, APIYI, now)
      return { endsAt: now + REFUSAL_MS, sentAt: now, report: reportOf(verdict) }
    }
  }
  while (waiting > 0 || out.length > 0) {
    for (; waiting > 0 && out.length < capacityOf(pace, RULES, now); waiting--) out.push(call())
    now = Math.min(...out.map(({ endsAt }) => endsAt), ...(opensAt(pace) > now ? [opensAt(pace)] : []))
    for (const one of out.filter(({ endsAt }) => endsAt <= now)) {
      out = out.filter((other) => other !== one)
      one.leave?.()
      const isUsed = waiting > 0 || (out.length + 1) * 2 >= pace.limit
      pace = underRules(
        paceAfter(pace, one.report, { sentAt: one.sentAt, others: out.length, isUsed }, now),
        RULES,
      )
      if (one.report.kind !== 'done') waiting++
    }
  }
  return { ms: now, made, refused }
}
