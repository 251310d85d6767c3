// What `init` proposes: the text of a manifest, what it is about, and what it leaves out.

export type Proposal = {
  /** The manifest, without its modeline. */
  text: string
  /** What it makes, in one phrase. */
  about: string
  /** What was guessed, or could not be told, a sentence each. */
  notes: string[]
  /** What is left out of it: what, and why. */
  left: [what: string, why: string][]
}

/** What the prompts of a proposal ask for, after the subject. */
export const LOOK = [
  'standing before a seamless warm off-white backdrop with one soft shadow. Even daylight, the whole object in the',
  'frame and in focus, no text, no props.',
]

/** A text between quotes, as both flow and block YAML read it; `$` keeps its meaning. */
export function quoted(text: string): string {
  return JSON.stringify(text)
}

/** A text from outside in a place where `${…}` has a meaning. */
export function literal(text: string): string {
  return text.replaceAll('${', '$${')
}
