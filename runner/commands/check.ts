// proofsheet check: is the manifest right? Sends nothing.
import { EXIT, type ExitCode } from '../exit.ts'
import type { Io } from '../io.ts'
import { checkManifest } from '../prepare.ts'
import { count } from '../views/format.ts'

export async function check(options: { manifest: string; worker?: string }, io: Io): Promise<ExitCode> {
  const { manifest, session, warnings } = await checkManifest(options, io)
  try {
    io.stdout.write(
      `${options.manifest}: ${count(manifest.items.length, 'picture')}, ${warnings > 0 ? 'no error' : 'no problem found'}. Nothing was sent.\n`,
    )
    return EXIT.done
  } finally {
    await session.release()
  }
}
