// Signs beyond ASCII, and what stands for them where a terminal cannot show them. Views write them as they are and pass
// their lines through here once; JSON never does, because it is data.
import type { Output } from '../io.ts'

const SPELLED: Readonly<Record<string, string>> = {
  '✓': '+',
  '✗': 'x',
  '→': '->',
  '≥': '>=',
  '≡': '=',
  '±': '+-',
  '×': 'x',
  '–': '-',
  '—': '-',
  '…': '...',
  '·': '*',
  '━': '=',
  '─': '-',
  '“': '"',
  '”': '"',
  '‘': "'",
  '’': "'",
}

const SIGN = new RegExp(`[${Object.keys(SPELLED).join('')}]`, 'g')

/** A text as an output can show it. */
export function spelled(text: string, { unicode }: Pick<Output, 'unicode'>): string {
  return unicode ? text : text.replace(SIGN, (sign) => SPELLED[sign]!)
}

/** Whether signs beyond ASCII may be written: not where the locale names another encoding than UTF-8. No locale at all
 *  says nothing of the terminal, and nearly all take UTF-8. */
export function isUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG
  return locale === undefined || locale === '' || /utf-?8/i.test(locale)
}
