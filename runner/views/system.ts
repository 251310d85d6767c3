// What the system says of files and disks, in words. Node names the code and the call; a person wants to know what is in
// the way, and where.

/** What is in the way, and what to do about it. */
const CODES: Record<string, readonly [what: string, advice: string]> = {
  ENOSPC: ['the disk is full', 'make room'],
  EDQUOT: ['what you may put on this disk is used up', 'make room'],
  ENOTDIR: ['a file is where a folder is needed', 'move it away'],
  EEXIST: ['a file is where a folder is needed', 'move it away'],
  EISDIR: ['a folder is where a file is needed', 'move it away'],
  EACCES: ['this user may not do that', 'give it the right to, or choose another place'],
  EPERM: ['this user may not do that', 'give it the right to, or choose another place'],
  EROFS: ['this disk can only be read', 'choose another place'],
  ENAMETOOLONG: ['the name is too long', 'shorten it'],
  EMFILE: ['too many files are open', 'close other programs, or lower -j'],
}

/** What is in the way and where; the system's own words where its code is none of those above. */
export function systemWords({ code, path, syscall, message }: NodeJS.ErrnoException): string {
  const [what] = CODES[code ?? ''] ?? []
  if (what === undefined) return message
  return path === undefined ? `${what} (${code}, ${syscall})` : `${what}: ${path} (${code}, ${syscall})`
}

/** The same with what to do about it. */
export function systemAdvice(error: NodeJS.ErrnoException): string {
  const [, advice] = CODES[error.code ?? ''] ?? []
  return advice === undefined
    ? systemWords(error)
    : `${systemWords(error)}; ${advice} and run the command again`
}
