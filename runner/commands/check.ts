// proofsheet check: is the manifest right? Sends nothing.
import { judge } from '../check.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { layersOf, type ManifestFlags } from '../flags.ts'
import type { Io } from '../io.ts'
import { diagnosticsJson, renderProblems } from '../manifest/frames.ts'
import { count } from '../views/format.ts'

export type CheckOptions = ManifestFlags & { manifest: string; json: boolean }

export async function check(options: CheckOptions, io: Io): Promise<ExitCode> {
  const { manifest: shown, worker, json } = options
  const { session, manifest, diagnostics } = await judge(
    { manifest: shown, worker, layers: layersOf(options) },
    io,
  )
  try {
    if (json) io.stdout.data(`${JSON.stringify(diagnosticsJson(diagnostics), null, 2)}\n`)
    else if (diagnostics.length > 0)
      io.stderr.write(`${renderProblems(diagnostics, { color: io.stderr.color })}\n`)
    if (!manifest) return EXIT.usage
    const verdict = diagnostics.length > 0 ? count(diagnostics.length, 'warning') : 'no problem found'
    if (!json)
      io.stdout.write(`${shown}: ${count(manifest.items.length, 'picture')}, ${verdict}. Nothing was sent.\n`)
    return EXIT.done
  } finally {
    await session.release()
  }
}
