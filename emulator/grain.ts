// Fine grain over a drawn picture: without it, smooth gradients in 8 bits show as bands and rings.
// Always the same noise, so that equal pictures stay equal; it is made once for all of them.

// In levels of 255, to either side: about one step of a gradient.
const STRENGTH = 2

/** The noise as far as it was needed yet, one level per pixel, and where it goes on. */
let noise = new Int8Array(0)
let state = 0x9e3779b9 | 0

/** Adds grain to RGB pixels in place, the same to all three channels of a pixel. */
export function addGrain(rgb: Uint8Array): void {
  const pixels = Math.floor(rgb.length / 3)
  if (noise.length < pixels) extendTo(pixels)
  const clamped = new Uint8ClampedArray(rgb.buffer, rgb.byteOffset, 3 * pixels)
  for (let pixel = 0, at = 0; pixel < pixels; pixel++, at += 3) {
    const level = noise[pixel]!
    clamped[at] = clamped[at]! + level
    clamped[at + 1] = clamped[at + 1]! + level
    clamped[at + 2] = clamped[at + 2]! + level
  }
}

function extendTo(pixels: number): void {
  const longer = new Int8Array(pixels)
  longer.set(noise)
  for (let pixel = noise.length; pixel < pixels; pixel++) {
    // xorshift32 (Marsaglia, 2003): fast, and even enough for the eye.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    longer[pixel] = ((state >>> 8) % (2 * STRENGTH + 1)) - STRENGTH
  }
  noise = longer
}
