// Whose pictures and sums a call tells: those of its own workspace, and for ADMIN_TOKEN those of any.
import type { Context } from 'hono'
import { z } from 'zod'
import { TokenRequestSchema } from '../../core/accounts.ts'
import type { AppEnv } from '../env.ts'
import { ADMIN, storedAs } from './auth.ts'
import { parse } from './input.ts'
import { Problem } from './problem.ts'

const Wanted = z.object({ workspace: TokenRequestSchema.shape.workspace })

/** The workspace of `?workspace=`, as it is stored; the caller's own without it. Throws `invalid_request` and, for
 *  another's, `forbidden`. */
export function workspaceOf(c: Context<AppEnv>, query: { workspace?: string | undefined }): string {
  const { caller, market } = c.var
  const { workspace = caller.workspace } = parse(Wanted, { workspace: query.workspace })
  if (workspace !== caller.workspace && caller.token !== ADMIN.token)
    throw new Problem(
      'forbidden',
      `workspace: this token sees the workspace ${caller.workspace} only; leave \`workspace\` out, or use ADMIN_TOKEN`,
    )
  return storedAs(market, workspace)
}
