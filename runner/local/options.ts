// What passes from a client to the server it starts: arguments for everybody to see, never a key; and how a server that
// came too late says so.

export type ServeOptions = {
  stateDir: string
  /** 0 or absent: the preferred one if it is free, else any. */
  port?: number | undefined
  preferredPort?: number | undefined
  /** How long the emulator takes for a picture, in ms; absent: as it likes. */
  emulatorLatencyMs?: number | undefined
  /** Nothing is made. */
  paused?: boolean | undefined
}

/** Exit code of a server that found the storage or its port taken. */
export const TAKEN = 75

/** Where the local worker listens unless told otherwise: wrangler's own default. */
export const LOCAL_PORT = 8787
