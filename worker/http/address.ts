// Which addresses of callers are asked: https on public hosts.

/** Why an address is not asked, or undefined. Names that resolve to private addresses do not matter on the platform:
 *  a Worker's fetch leaves from outside every private network. `address` is a URL. */
export function refusalOf(address: string): string | undefined {
  const { protocol, hostname, username, password } = new URL(address)
  if (protocol !== 'https:') return 'only https addresses are fetched'
  if (username || password) return 'an address with a user name or password is not fetched'
  // The URL parser has turned every spelling of an IPv4 address (hex, octal, one number) into dotted form.
  const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(hostname) || hostname.startsWith('[')
  // A dot at the end of a name only says that it is complete.
  const name = hostname.replace(/\.$/, '')
  const isPrivate = !name.includes('.') || /\.(localhost|local|internal|home\.arpa)$/.test(name)
  if (isAddress || isPrivate) return `${hostname} is not a public host name`
  return undefined
}
