// What passes from a client to the server it starts: arguments for everybody to see, never a key; and how a server that
// came too late says so.

export type ServeOptions = {
  stateDir: string
  /** 0 or absent: any free one. */
  port?: number | undefined
  /** How long the emulator takes for a picture, in ms; absent: as it likes. */
  emulatorLatencyMs?: number | undefined
  /** Nothing is made. */
  paused?: boolean | undefined
}

/** Exit code of a server that found the storage taken. */
export const TAKEN = 75

/** Where the local worker listens unless told otherwise: wrangler's own default. */
export const LOCAL_PORT = 8787
