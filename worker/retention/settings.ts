// What the operator wants to keep, and for how long. Anything but a whole number of days deletes nothing: a slip of the
// pen must not cost a picture.
import type { Env } from '../env.ts'

const DAY_MS = 86_400_000

/** Days that input images and conversations are kept at least, whatever is set: a generation may wait a day for its turn
 *  (`deadline`), and needs them then. */
export const LEAST_INPUT_DAYS = 2

export type Retention = {
  /** Epoch ms: pictures of generations that ended before this are deleted. Absent: none are. */
  picturesBefore?: number
  /** The same for input images and conversations that were stored before this. */
  inputsBefore?: number
  /** What is set and cannot be used, in words. */
  problems: readonly string[]
}

/** The settings of RETAIN_PICTURES_DAYS and RETAIN_REFERENCES_DAYS. `now` is epoch ms. */
export function retentionOf(
  env: Pick<Env, 'RETAIN_PICTURES_DAYS' | 'RETAIN_REFERENCES_DAYS'>,
  now: number,
): Retention {
  const problems: string[] = []
  const before = (variable: 'RETAIN_PICTURES_DAYS' | 'RETAIN_REFERENCES_DAYS', least: number) => {
    // A number in wrangler.toml arrives as one.
    const text = String(env[variable] ?? '').trim()
    if (text === '') return undefined
    if (/^[1-9]\d{0,4}$/.test(text)) return now - Math.max(Number(text), least) * DAY_MS
    problems.push(
      `${variable} is ${JSON.stringify(text)}: give whole days, 1 or more; nothing is deleted by it`,
    )
    return undefined
  }
  const picturesBefore = before('RETAIN_PICTURES_DAYS', 1)
  const inputsBefore = before('RETAIN_REFERENCES_DAYS', LEAST_INPUT_DAYS)
  return {
    ...(picturesBefore === undefined ? {} : { picturesBefore }),
    ...(inputsBefore === undefined ? {} : { inputsBefore }),
    problems,
  }
}
