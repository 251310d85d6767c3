// Reads a JSON text as it arrives and hands the long Base64 strings in it, decoded, to a sink; what is left is a small
// JSON value with their indexes in their places. The Base64 may be a whole string or the end of a data URL. Holds that
// skeleton and one slice of decoded bytes, whatever the size of the blobs (promise 3). Knows strings, nesting and keys;
// the grammar of everything else is JSON.parse's, at the end.
// Untrusted input: it ends with a value, or with an error that says how.
import { Base64Decoder, Base64Error } from './base64.ts'
import { chunksOf } from './chunks.ts'
import { DataUrlPrefix } from './dataurl.ts'
import { unescaped } from './escape.ts'
import { isUnfinishedWord, ScanError, Skeleton } from './skeleton.ts'

export { ScanError }

export type BlobSink = {
  /** A blob begins. */
  open(): void | Promise<void>
  /** Decoded bytes, in order. The view is valid only until the returned promise resolves. */
  write(bytes: Uint8Array): void | Promise<void>
  /** It ended well. Not called when the text breaks off or turns out malformed inside the blob. */
  close(): void | Promise<void>
  /** It is no Base64: the rest of it is passed over, `close` is not called, and it keeps its index. Without this the
   *  whole text is refused. */
  fail?(error: Base64Error): void | Promise<void>
}

export type ScanOptions = {
  /** Whether the string under `key` is a blob; `parentKey` is the key under which its object, or the list that holds
   *  its object, stands. */
  isBlob: (key: string, parentKey: string | undefined) => boolean
  /** Whether the string under `key` may be a data URL: the Base64 of one that begins with `data:<type>;base64,` is a
   *  blob too, and the skeleton keeps `data:<type>;base64,<index>`. Any other string there is kept as it is. A string
   *  that stands in a list itself is under the list's key. */
  isDataUrl?: ScanOptions['isBlob'] | undefined
  sink: BlobSink
  /** Bound of everything but the blobs, in bytes; default 4 MiB, room for long thought signatures. */
  maxSkeletonBytes?: number
  /** Text that is no UTF-8 is refused: for what a caller writes. In what was paid for, a broken word is no reason. */
  isStrict?: boolean
  /** On an error the rest of the body is left to be read by the caller, instead of being cancelled. */
  leavesBody?: boolean
}

/** The pictures of a Gemini answer: `data` directly inside `inlineData`, in either casing. */
export const isInlineData: ScanOptions['isBlob'] = (key, parentKey) =>
  key === 'data' && (parentKey === 'inlineData' || parentKey === 'inline_data')

/** The skeleton of `body`: its JSON value with each blob replaced by its index, from 0 in document order. Throws
 *  ScanError; an error of the sink, or of `body` before the value is complete, is thrown as it is. Each write is awaited
 *  before more is read. White space inside a blob is skipped, also where JSON would want it escaped. */
export async function scanJson(body: ReadableStream<Uint8Array>, options: ScanOptions): Promise<unknown> {
  const chunks = chunksOf(body, SLICE_BYTES)
  const scanner = new Scanner(options)
  try {
    for (;;) {
      const chunk = await chunks.next().catch((error: unknown) => {
        // Nothing is missing of a value that is complete: a connection that breaks after it takes nothing away.
        if (!scanner.isComplete) throw error
      })
      if (!chunk) return scanner.end()
      await scanner.push(chunk)
    }
  } catch (error) {
    if (options.leavesBody) chunks.release()
    else chunks.cancel(error)
    throw error
  }
}

/** Text read and decoded at a time. */
const SLICE_BYTES = 64 * 1024
const MAX_DEPTH = 128

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const BOM = [0xef, 0xbb, 0xbf]

/** An open object or list. `name`: the key it stands under, seen through lists. */
type Frame = { isObject: boolean; name: string | undefined; key: string | undefined; expectsKey: boolean }

class Scanner {
  readonly #options: ScanOptions
  readonly #skeleton: Skeleton
  readonly #stack: Frame[] = []
  /** Where the scanner stands: between tokens, in a string that is kept or that may turn out a data URL, or in a blob. */
  #state: 'between' | 'string' | 'prefix' | 'blob' = 'between'
  /** Characters of an escape seen so far, the backslash not counted; undefined outside of one. */
  #escape: number[] | undefined
  /** Where the string that is kept begins in the skeleton, its quote included. */
  #stringStart = 0
  #isKey = false
  /** The string that may be, or is, a data URL. */
  #prefix: DataUrlPrefix | undefined
  #decoder = new Base64Decoder()
  /** The blob turned out to be no Base64. */
  #isBroken = false
  #blobs = 0
  #offset = 0
  /** The top-level value: not begun, a bare word or number in progress, an open bracket or string, complete. */
  #top: 'none' | 'word' | 'open' | 'complete' = 'none'

  constructor(options: ScanOptions) {
    this.#options = options
    this.#skeleton = new Skeleton(options.maxSkeletonBytes ?? 4 * 1024 * 1024)
  }

  get isComplete(): boolean {
    return this.#top === 'complete'
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let i = 0; i < bytes.length; ) {
      if (this.#state === 'blob') i = await this.#scanBlob(bytes, i)
      else if (this.#state === 'string') i = this.#scanString(bytes, i)
      else if (this.#state === 'prefix') await this.#scanPrefix(bytes[i++]!)
      else {
        if (this.#offset + i < 3 && bytes[i] === BOM[this.#offset + i]) i++
        else if (bytes[i] === QUOTE) {
          await this.#beginString()
          i++
        } else this.#scanToken(bytes[i++]!)
      }
    }
    this.#offset += bytes.length
  }

  end(): unknown {
    const text = this.#skeleton.text()
    if (this.#top === 'none' || this.#top === 'open' || (this.#top === 'word' && isUnfinishedWord(text)))
      throw new ScanError('truncated', `the JSON ended after ${this.#offset} bytes, before it was complete`)
    try {
      return JSON.parse(this.#options.isStrict ? this.#skeleton.text(0, true) : text)
    } catch (cause) {
      const what = cause instanceof TypeError ? 'its text is not UTF-8' : 'this is not JSON'
      throw new ScanError('malformed', what, { cause })
    }
  }

  /** One byte outside of strings. */
  #scanToken(byte: number): void {
    const frame = this.#stack.at(-1)
    if (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      if (this.#top === 'word') this.#top = 'complete'
      this.#skeleton.space()
      return
    }
    if (this.#top === 'complete') throw new ScanError('malformed', 'something follows the JSON value')
    const char = String.fromCharCode(byte)
    if (char === '{' || char === '[') {
      if (this.#top === 'word') throw new ScanError('malformed', 'this is not JSON')
      if (this.#stack.length === MAX_DEPTH)
        throw new ScanError('too_deep', `the JSON is nested deeper than ${MAX_DEPTH} levels`)
      const isObject = char === '{'
      const name = frame?.isObject ? frame.key : frame?.name
      this.#stack.push({ isObject, name, key: undefined, expectsKey: isObject })
      this.#top = 'open'
    } else if (char === '}' || char === ']') {
      if (frame?.isObject !== (char === '}'))
        throw new ScanError('malformed', `the JSON closes with ${char} what is not open`)
      this.#stack.pop()
      if (this.#stack.length === 0) this.#top = 'complete'
    } else if (char === ',' && frame) frame.expectsKey = frame.isObject
    else if (char === ':' && frame) frame.expectsKey = false
    else if (!frame) this.#top = 'word'
    this.#skeleton.push(byte)
  }

  async #beginString(): Promise<void> {
    if (this.#top === 'complete' || this.#top === 'word')
      throw new ScanError('malformed', 'something follows the JSON value')
    this.#top = 'open'
    const frame = this.#stack.at(-1)
    this.#isKey = frame?.expectsKey ?? false
    const { isBlob, isDataUrl, sink } = this.#options
    if (!this.#isKey && frame?.key !== undefined && isBlob(frame.key, frame.name)) {
      this.#state = 'blob'
      await sink.open()
      return
    }
    const [key, parent] = frame?.isObject ? [frame.key, frame.name] : [frame?.name, undefined]
    const isPossible = !this.#isKey && key !== undefined && isDataUrl?.(key, parent)
    if (isPossible) this.#prefix = new DataUrlPrefix()
    this.#state = isPossible ? 'prefix' : 'string'
    this.#stringStart = this.#skeleton.length
    this.#skeleton.push(QUOTE)
  }

  /** One byte of a string that may be a data URL: kept, whatever it turns out to be. */
  async #scanPrefix(byte: number): Promise<void> {
    this.#skeleton.push(byte)
    if (!this.#escape && byte === QUOTE) {
      this.#prefix = undefined
      this.#endString()
      return
    }
    if (!this.#escape && byte === BACKSLASH) {
      this.#escape = []
      return
    }
    this.#escape?.push(byte)
    const code = this.#escape ? unescaped(this.#escape) : byte
    if (code === undefined) return
    this.#escape = undefined
    const verdict = this.#prefix!.push(code)
    if (verdict === 'undecided') return
    this.#state = verdict === 'data' ? 'blob' : 'string'
    if (verdict === 'data') await this.#options.sink.open()
    else this.#prefix = undefined
  }

  /** Keeps a string up to its quote; returns where it stopped. */
  #scanString(bytes: Uint8Array, from: number): number {
    let i = from
    while (i < bytes.length) {
      // The character after a backslash ends nothing; longer escapes are JSON.parse's.
      if (this.#escape) {
        this.#escape = undefined
        i++
        continue
      }
      const byte = bytes[i++]!
      if (byte === BACKSLASH) this.#escape = []
      else if (byte === QUOTE) {
        this.#skeleton.append(bytes.subarray(from, i))
        this.#endString()
        return i
      }
    }
    this.#skeleton.append(bytes.subarray(from, i))
    return i
  }

  #endString(): void {
    this.#state = 'between'
    const frame = this.#stack.at(-1)
    if (!frame) this.#top = 'complete'
    else if (this.#isKey) {
      const text = this.#skeleton.text(this.#stringStart)
      frame.key = text.includes('\\') ? parseKey(text) : text.slice(1, -1)
      frame.expectsKey = false
    }
  }

  /** Decodes a blob up to its quote or its next escape; returns where it stopped. */
  async #scanBlob(bytes: Uint8Array, from: number): Promise<number> {
    const { sink } = this.#options
    if (this.#escape) {
      this.#escape.push(bytes[from]!)
      const code = unescaped(this.#escape)
      if (code !== undefined) {
        this.#escape = undefined
        await this.#decode(() => this.#decoder.push(Uint8Array.of(code)))
      }
      return from + 1
    }
    let i = from
    while (i < bytes.length && bytes[i] !== QUOTE && bytes[i] !== BACKSLASH) i++
    if (i > from) await this.#decode(() => this.#decoder.push(bytes.subarray(from, i)))
    if (i === bytes.length) return i
    if (bytes[i] === BACKSLASH) this.#escape = []
    else {
      await this.#decode(() => this.#decoder.end())
      this.#decoder = new Base64Decoder()
      if (!this.#isBroken) await sink.close()
      this.#isBroken = false
      this.#state = 'between'
      // Spaces, so that the index cannot join a number beside it and turn nonsense into JSON.
      const index = this.#prefix ? `${this.#blobs++}"` : ` ${this.#blobs++} `
      this.#prefix = undefined
      this.#skeleton.append(new TextEncoder().encode(index))
    }
    return i + 1
  }

  async #decode(step: () => Uint8Array): Promise<void> {
    if (this.#isBroken) return
    const { sink } = this.#options
    let decoded: Uint8Array
    try {
      decoded = step()
    } catch (cause) {
      if (!(cause instanceof Base64Error)) throw cause
      if (sink.fail) {
        this.#isBroken = true
        return sink.fail(cause)
      }
      throw new ScanError('base64', `image ${this.#blobs + 1}: ${cause.message}`, { cause })
    }
    if (decoded.length > 0) await sink.write(decoded)
  }
}

function parseKey(text: string): string | undefined {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ScanError('malformed', 'the JSON holds a broken key', { cause })
  }
}
