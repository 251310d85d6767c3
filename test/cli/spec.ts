// A spec is a Markdown page that can be run: blocks of files, and blocks of commands with what they print. Knows the
// page, not what a command does.

/** A file that lies in the folder before the next commands. */
export type FileBlock = { kind: 'file'; line: number; name: string; content: string }

/** A command and what it should print: lines as `match.ts` reads them. */
export type CommandBlock = {
  kind: 'command'
  /** Of the command, from 1. */
  line: number
  command: string
  expected: string[]
}

export type Spec = { title: string; isEmbedded: boolean; blocks: (FileBlock | CommandBlock)[] }

const FENCE = /^(`{3,})(\S*)(?: +(.*\S))?\s*$/
const EMBEDDED = '<!-- worker: embedded -->'

/** Reads a page. Throws where it can only be a slip: a block of an unknown kind, output without a command. */
export function readSpec(text: string): Spec {
  const lines = text.split('\n')
  const blocks: Spec['blocks'] = []
  let open: { fence: string; line: number; kind: string; name: string; body: string[] } | undefined
  for (const [index, line] of lines.entries()) {
    if (open && line === open.fence) {
      blocks.push(...blocksOf(open))
      open = undefined
    } else if (open) open.body.push(line)
    else {
      const [, fence, kind, name = ''] = FENCE.exec(line) ?? []
      if (fence) open = { fence, line: index + 1, kind: kind!, name, body: [] }
    }
  }
  if (open) throw new Error(`line ${open.line}: the block does not end`)
  const title = lines.find((line) => line.startsWith('# '))?.slice(2)
  if (!title) throw new Error('a spec begins with a title: `# What it shows`')
  return { title, isEmbedded: lines[0] === EMBEDDED, blocks }
}

function blocksOf({ kind, name, line, body }: { kind: string; name: string; line: number; body: string[] }) {
  if (kind === 'file') {
    if (!name) throw new Error(`line ${line}: a file block has a name`)
    return [{ kind: 'file' as const, line, name, content: body.map((text) => `${text}\n`).join('') }]
  }
  if (kind !== 'console')
    throw new Error(`line ${line}: a block is \`console\` or \`file NAME\`, not \`${kind}\``)
  const commands: CommandBlock[] = []
  for (const [index, text] of body.entries()) {
    if (text.startsWith('$ '))
      commands.push({ kind: 'command', line: line + 1 + index, command: text.slice(2), expected: [] })
    else if (commands.length > 0) commands.at(-1)!.expected.push(text)
    else throw new Error(`line ${line + 1 + index}: output without a command`)
  }
  return commands
}

/** The page with other expectations, by the line of their command. */
export function rewriteSpec(text: string, printed: ReadonlyMap<number, readonly string[]>): string {
  const commands = readSpec(text).blocks.filter((block) => block.kind === 'command')
  const lines = text.split('\n')
  for (const { line, expected } of commands.reverse()) {
    const wanted = printed.get(line)
    // Blank lines before the next command are the page's, not the output's.
    const blank = [...expected].reverse().findIndex((text) => text !== '')
    const kept = blank === -1 ? expected.length : blank
    if (wanted) lines.splice(line, expected.length - kept, ...wanted)
  }
  return lines.join('\n')
}
