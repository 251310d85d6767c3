// The log: one line of JSON per request (http/log.ts) and one per attempt (generation/object.ts). Never prompts, keys or
// tokens.

/** Writes a line of the log. */
export type Log = (line: { event: string; [field: string]: string | number | boolean | null }) => void

/** The log of a deployed worker: lines of JSON on the console. */
export const consoleLog: Log = (line) => console.log(JSON.stringify(line))
