// What `proofsheet run` is told.
import type { MicroUsd } from '../../core/money.ts'
import type { ManifestFlags, RepeatFlags, SelectionFlags } from '../flags.ts'
import type { ProgressKind } from '../views/progress.ts'

export type RunOptions = ManifestFlags &
  SelectionFlags &
  RepeatFlags & {
    manifest: string
    /** A saved plan: what is made is what it says, or nothing. */
    plan?: string
    /** All is handed over to the worker as one batch, and not waited for. */
    detach: boolean
    /** A batch that was handed over is followed: the one with this id, or the last one. */
    attach?: string | true
    yes: boolean
    concurrency: number
    download: boolean
    /** Where pictures go; default: `out/` beside the manifest. */
    outDir?: string
    /** What the run may spend; the manifest's budget may be less. */
    maxCost?: MicroUsd
    /** At most so many pictures. */
    limit?: number
    failFast: boolean
    json: boolean
    progress: ProgressKind
  }
