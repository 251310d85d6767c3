// proofsheet plan: what would be made, why, and for how much. Sends no picture request and writes nothing.
import { EXIT, type ExitCode } from '../exit.ts'
import type { Io } from '../io.ts'
import { isToMake } from '../plan/plan.ts'
import { prepare } from '../prepare.ts'
import { planJson } from '../views/json.ts'
import { planLines, workerPhrase } from '../views/plan.ts'

export type PlanOptions = {
  manifest: string
  worker?: string
  refused: boolean
  uncertain: boolean
  json: boolean
  exitCode: boolean
}

export async function plan(options: PlanOptions, io: Io): Promise<ExitCode> {
  const { manifest, worker, refused, uncertain } = options
  const { plan, session } = await prepare({ manifest, worker, repeat: { refused, uncertain } }, false, io)
  try {
    const toMake = plan.items.filter((p) => isToMake(p.state)).length
    if (options.json) io.stdout.write(`${JSON.stringify(planJson(plan, session.name), null, 2)}\n`)
    else {
      const lines = planLines(plan, { manifest, worker: workerPhrase(plan, session.name) })
      const next = toMake > 0 ? `Nothing was sent.  proofsheet run ${manifest}` : 'There is nothing to make.'
      io.stdout.write(`${lines.join('\n')}\n${next}\n`)
    }
    return options.exitCode && toMake > 0 ? EXIT.toMake : EXIT.done
  } finally {
    await session.release()
  }
}
