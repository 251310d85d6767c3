// Which faults a call meets: those its prompt names, and those of standing rules drawn by chance.
// Keeps count of `times` per prompt and model; chance is seeded, so that a run can be repeated.
import { FAULTS, type Fault, type FaultName, type Marker, type Parameters } from './faults.ts'
import { type Plan, usualPlan } from './plan.ts'
import { type Random, randomOf } from './random.ts'
import type { Wanted } from './request.ts'

/** A fault that occurs by itself. */
export type FaultRule = {
  fault: FaultName
  /** 0 to 1, drawn once per call. */
  probability: number
  /** Same seed, same draws in the order of calls. Default: the fault's name. */
  seed?: string | number
  parameters?: Parameters
}

/** What a call will be answered with. `faults` names what befell it, `charged` whether it goes on the bill. */
export type Fate = { plan: Plan; charged: boolean; faults: FaultName[] }

/** Decides calls one after the other; `reset` forgets every count and rewinds chance. */
export function createMischief(rules: readonly FaultRule[]) {
  const counts = new Map<string, number>()
  const begin = () => rules.map((rule) => randomOf(String(rule.seed ?? rule.fault)))
  let chances: Random[] = begin()

  const isDue = (key: string, times: string | undefined): boolean => {
    if (times === undefined) return true
    const met = counts.get(key) ?? 0
    counts.set(key, met + 1)
    return met < Number(times)
  }

  return {
    reset(): void {
      counts.clear()
      chances = begin()
    },
    /** `model` is the wire id, which a quota error names. */
    fateOf(wanted: Wanted, markers: readonly Marker[], model: string, refusalCharged: boolean): Fate {
      const named = markers.filter(({ parameters }, index) =>
        isDue(`${index} ${model} ${wanted.prompt}`, parameters.times),
      )
      const drawn = rules
        .filter((rule, index) => chances[index]!.next() < rule.probability)
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
