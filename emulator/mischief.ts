// Which faults a call meets: those its prompt names, and those of standing rules drawn by chance.
// Keeps count per prompt and model, of `times` and for chance: what a call meets follows from the seed, its provider, model
// and prompt and how often it came before, and not from the order of the calls. So a run with many at once can be repeated.
import type { Fault, Parameters } from './fault.ts'
import { FAULTS, type FaultName, type Marker } from './faults.ts'
import { type Plan, usualPlan } from './plan.ts'
import { randomOf } from './random.ts'
import type { Wanted } from './request.ts'

/** A fault that occurs by itself. */
export type FaultRule = {
  fault: FaultName
  /** 0 to 1, drawn once per call. */
  probability: number
  /** Same seed, same draws. Default: the fault's name. */
  seed?: string | number
  /** The only provider that it befalls; absent: all. */
  provider?: string
  parameters?: Parameters
}

/** What a call will be answered with. `faults` names what befell it, `charged` whether it goes on the bill. */
export type Fate = { plan: Plan; charged: boolean; faults: FaultName[] }

/** Who is asked for what: the wire id, which a quota error names, and whether refusals are charged there. */
export type Place = { provider: string; model: string; refusalCharged: boolean }

/** Decides calls one after the other; `reset` forgets every count, and every rule that was set later. */
export function createMischief(rules: readonly FaultRule[]) {
  const counts = new Map<string, number>()
  let standing = rules

  /** How often this was asked before. */
  const count = (key: string): number => {
    const before = counts.get(key) ?? 0
    counts.set(key, before + 1)
    return before
  }
  const isDue = (key: string, times: string | undefined): boolean =>
    times === undefined || count(key) < Number(times)

  return {
    reset(): void {
      counts.clear()
      standing = rules
    },
    /** Replaces the rules for one provider alone. */
    set(provider: string, own: readonly Omit<FaultRule, 'provider'>[]): void {
      standing = [
        ...standing.filter((rule) => rule.provider !== provider),
        ...own.map((rule) => ({ ...rule, provider })),
      ]
    },
    fateOf(wanted: Wanted, markers: readonly Marker[], { provider, model, refusalCharged }: Place): Fate {
      const named = markers.filter(({ parameters }, index) =>
        isDue(`${index} ${model} ${wanted.prompt}`, parameters.times),
      )
      const call = `${provider} ${model} ${wanted.prompt}`
      const take = count(`call ${call}`)
      const drawn = standing
        .filter((rule) => rule.provider === undefined || rule.provider === provider)
        .filter(
          ({ fault, seed = fault, probability }, index) =>
            randomOf(`${seed} ${index} ${take} ${call}`).next() < probability,
        )
        .map((rule) => ({ name: rule.fault, parameters: rule.parameters ?? {} }))
      let plan: Plan = usualPlan(wanted)
      let charged = true
      const faults: FaultName[] = []
      for (const { name, parameters } of [...named, ...drawn]) {
        if (plan.kind !== 'answer') break
        const fault: Fault = FAULTS[name]
        plan = fault.change(plan, parameters, model)
        faults.push(name)
        charged = charged && isCharged(fault, parameters, refusalCharged)
      }
      return { plan, charged, faults }
    },
  }
}

function isCharged(fault: Fault, { charged }: Parameters, refusalCharged: boolean): boolean {
  if (charged === 'yes' || charged === 'no') return charged === 'yes'
  return fault.charged === 'refusal' ? refusalCharged : fault.charged === 'yes'
}
