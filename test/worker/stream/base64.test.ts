import { expect, test } from 'vitest'
import { Base64Decoder, Base64Encoder, Base64Error, encodedLength } from '../../../worker/stream/base64.ts'
import { concat, seeded, shatter } from './random.ts'

const ascii = (text: string) => new TextEncoder().encode(text)

function decode(pieces: readonly Uint8Array[]): Uint8Array {
  const decoder = new Base64Decoder()
  return concat([...pieces.map((piece) => decoder.push(piece).slice()), decoder.end()])
}

function encode(pieces: readonly Uint8Array[]): string {
  const encoder = new Base64Encoder()
  return new TextDecoder().decode(concat([...pieces.map((p) => encoder.push(p).slice()), encoder.end()]))
}

test('what is cut anywhere, in either alphabet, with white space and without padding, decodes to its bytes', () => {
  const random = seeded(1)
  for (let n = 0; n < 2_000; n++) {
    const bytes = random.bytes(random.below(200))
    let text = bytes.toBase64({ alphabet: random.chance(0.5) ? 'base64' : 'base64url' })
    if (random.chance(0.5)) text = text.replace(/=+$/, '')
    if (random.chance(0.5)) text = text.replace(/(.{19})/g, '$1\r\n ')
    expect(decode(shatter(ascii(text), random, random.pick([1, 5, 300])))).toEqual(bytes)
  }
})

test('what is encoded in pieces is the Base64 of the whole, in the length that was told', () => {
  const random = seeded(2)
  for (let n = 0; n < 2_000; n++) {
    const bytes = random.bytes(random.below(200))
    const text = encode(shatter(bytes, random, random.pick([1, 2, 5, 300])))
    expect(text).toBe(bytes.toBase64())
    expect(encodedLength(bytes.length)).toBe(text.length)
  }
})

test.for([
  ['a character outside of the alphabets', 'QUJ*'],
  ['a byte beyond ASCII', 'QUJ\u00e9'],
  ['a digit after padding', 'QQ==QUJD'],
  ['a single digit at the end', 'QUJDR'],
])('%s is an error', ([, text]) => {
  expect(() => decode([ascii(text!)])).toThrow(Base64Error)
  expect(() => decode([...text!].map(ascii))).toThrow(Base64Error)
})
