// The result of a run for programs, on stdout when it has ended.
import { type MicroUsd, toUsd } from '../../core/money.ts'
import type { RunEvent } from '../run/events.ts'
import { pictureView, summaryView } from './events.ts'
import { inOrder, type RunResult } from './summary.ts'

export type Blocked = Extract<RunEvent, { type: 'blocked' }>

/** The result as JSON. Money is decimal USD, null where it is not known; pictures are in the order of the manifest. */
export function resultJson(
  { plan, summary, made, failures, files, adopted }: RunResult,
  { limit, blocked }: { limit?: MicroUsd | undefined; blocked: readonly Blocked[] },
) {
  return {
    format: 'proofsheet-run',
    version: 1,
    profile: plan.profile ?? null,
    emulated: plan.emulated,
    summary: {
      ...summaryView(summary, plan),
      limit: limit === undefined ? null : toUsd(limit),
      adopted: adopted + (summary.found ?? 0),
    },
    pictures: inOrder(plan, made).map((entry) => ({
      id: entry.id,
      file: files.get(entry.id) ?? null,
      ...pictureView(entry),
    })),
    failures: failures.map(({ id, failure }) => ({ id, ...failure })),
    blocked: blocked.map(({ id, by }) => ({ id, by })),
  }
}
