// Fine grain over a drawn picture: without it, smooth gradients in 8 bits show as bands and rings.
// Always the same noise, so that equal pictures stay equal.

// In levels of 255, to either side: about one step of a gradient.
const STRENGTH = 2

/** Adds grain to RGB pixels in place, the same to all three channels of a pixel. */
export function addGrain(rgb: Uint8Array): void {
  let state = 0x9e3779b9 | 0
  for (let at = 0; at + 2 < rgb.length; at += 3) {
    // xorshift32 (Marsaglia, 2003): fast, and even enough for the eye.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    const level = ((state >>> 8) % (2 * STRENGTH + 1)) - STRENGTH
    for (let channel = at; channel < at + 3; channel++)
      rgb[channel] = Math.max(0, Math.min(255, rgb[channel]! + level))
  }
}
