// The pictures of a soak: what was paid is stored, shown and served.
import { createHash } from 'node:crypto'
import type { GenerationView } from '../../../core/api.ts'
import type { Call } from './clients.ts'
import { WHO } from './demand.ts'
import type { Facts } from './facts.ts'
import { entriesOf } from './money.ts'

/** What was delivered whole and paid is there, unless our own storage refused it or the object died before it had it; and
 *  what is stored is shown. */
export function findLost({ records, calls, bill, ledger, pictures }: Facts): string[] {
  const whole = new Set(bill.filter(({ delivered }) => delivered).map(({ call }) => call))
  const drawn = new Set(
    calls.filter(({ id, outcome }) => whole.has(id) && isPicture(outcome)).map(({ id }) => id),
  )
  const attempts = new Map(
    records.flatMap((record) =>
      record.attempts.map((each) => [`${record.id} ${each.number}`, each] as const),
    ),
  )
  const missing = entriesOf(ledger).flatMap(({ generation, attempt, last }) => {
    if (!drawn.has(last.request_id ?? '')) return []
    const ending = attempts.get(`${generation} ${attempt}`)?.ending
    if (ending?.picture) return []
    const outcome = ending?.verdict.outcome
    return outcome === 'not_stored' || outcome === 'cut_off' || outcome === 'timed_out'
      ? []
      : [`${generation} attempt ${attempt}: ${last.request_id} brought a picture, and it is ${outcome}`]
  })
  const forgotten = records.flatMap(({ id, attempts: own }) =>
    own.flatMap(({ pictureName, ending, number }) => {
      const stored = [...pictures].filter((key) => key.startsWith(`pictures/${pictureName}`))
      return stored.length > 0 && !ending?.picture
        ? [`${id} attempt ${number}, ${ending?.verdict.outcome}, does not show ${stored}`]
        : []
    }),
  )
  const gone = records.flatMap(({ id, attempts: own }) =>
    own.flatMap(({ ending }) =>
      [...(ending?.picture ? [ending.picture] : []), ...(ending?.others ?? [])]
        .filter(({ key }) => !pictures.has(key))
        .map(({ key }) => `${id} names ${key}, which is not stored`),
    ),
  )
  return [...missing, ...forgotten, ...gone]
}

const PICTURES =
  /^(picture|slow|big|thoughts|lone-thought|drafts|storyboard|mime-first|data-first|escaped|mislabelled|trickle)$/

function isPicture(outcome: string): boolean {
  return PICTURES.test(outcome)
}

/** Pictures are served, byte for byte. */
export async function findUnserved({ records }: Facts, call: Call): Promise<string[]> {
  const findings: string[] = []
  for (const { id, workspace } of records) {
    const who = WHO.findIndex((each) => each.workspace === workspace)
    const view = await (await call(who, `/api/generations/${id}`)).json<GenerationView>()
    for (const image of [...(view.image ? [view.image] : []), ...view.moreImages]) {
      const response = await call(who, new URL(image.url).pathname)
      const bytes = new Uint8Array(await response.arrayBuffer())
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      if (
        response.status !== 200 ||
        bytes.length !== image.bytes ||
        (image.sha256 && sha256 !== image.sha256)
      )
        findings.push(`${id}: ${image.url} is ${response.status} with ${bytes.length} bytes`)
    }
  }
  return findings
}
