// A command as one types it, for messages that say what to do next.

/** `proofsheet <verb> [manifest] …`, with every word quoted that a shell would take apart. A flag without a value is
 *  `true`; absent and false ones are left out, lists repeat the flag. */
export function commandLine(
  verb: string,
  manifest: string | undefined,
  flags: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>,
): string {
  const words = Object.entries(flags).flatMap(([flag, value]): string[] => {
    if (value === undefined || value === false) return []
    if (value === true) return [flag]
    return (Array.isArray(value) ? value : [value]).flatMap((each) => [flag, String(each)])
  })
  return ['proofsheet', verb, ...(manifest === undefined ? [] : [manifest]), ...words].map(quote).join(' ')
}

function quote(word: string): string {
  if (/^[\p{L}\p{N}_@%+=:,./-][\p{L}\p{N}_@%+=:,./#-]*$/u.test(word)) return word
  return `'${word.replaceAll("'", "'\\''")}'`
}
