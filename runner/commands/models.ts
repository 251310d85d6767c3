// proofsheet models: what can be made, by whom, and for how much a picture.
import { catalogueOf } from '../../core/catalogue.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import type { Io } from '../io.ts'
import { openSession } from '../session.ts'
import { pathsOf } from '../state/state.ts'
import { usdOf } from '../views/format.ts'
import { alignRows } from '../views/table.ts'

export async function models(options: { worker?: string; json: boolean }, io: Io): Promise<ExitCode> {
  const session = await openSession(
    { worker: options.worker, stateFolder: pathsOf(`${io.cwd}/catalog.yaml`).folder },
    io,
  )
  const view = catalogueOf(session.market)
  if (options.json) {
    io.stdout.data(`${JSON.stringify(view, null, 2)}\n`)
    return EXIT.done
  }
  const ready = new Set(view.providers.filter((p) => p.configured).map((p) => p.id))
  const rows = view.models.flatMap((model) =>
    model.providers.map((offer, index) => [
      index === 0 ? model.short : '',
      index === 0 ? model.id : '',
      index === 0 ? String(model.references.max) : '',
      offer.id,
      Object.entries(offer.perPicture)
        .map(([size, usd]) => `${size} ${usdOf(usd)}`)
        .join('  '),
      offer.checkedOn ?? (offer.price ? 'undated' : ''),
      view.emulated ? 'emulated' : ready.has(offer.id) ? 'ready' : 'no key',
    ]),
  )
  const lines = alignRows(
    [['model', 'id', 'references', 'provider', 'a picture, without references', 'checked', ''], ...rows],
    ['left', 'left', 'right', 'left', 'left', 'left', 'left'],
  )
  const notes = view.models.flatMap(({ short, lifecycle }) =>
    lifecycle.status === 'deprecated'
      ? [
          `${short} is deprecated: ${lifecycle.note ?? ''}${lifecycle.successor ? `; successor ${lifecycle.successor}` : ''}`,
        ]
      : [],
  )
  io.stdout.write(`${[...lines, '', ...notes].join('\n')}\n`)
  return EXIT.done
}
