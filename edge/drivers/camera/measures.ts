/** What a small grey picture says of the camera. Pure. */

export interface Measures {
  /** Mean, in % of white. */
  readonly brightness: number
  /** Standard deviation over the picture, in % of white. */
  readonly contrast: number
  /** Mean difference to the picture before, in % of white; 0 for the first. */
  readonly change: number
}

/** Of a picture of one byte a pixel. */
export function measuresOf(grey: Uint8Array, before: Uint8Array | undefined): Measures {
  let sum = 0
  let squares = 0
  let moved = 0
  for (const [i, level] of grey.entries()) {
    sum += level
    squares += level * level
    moved += Math.abs(level - (before?.[i] ?? level))
  }
  const mean = sum / grey.length
  const percent = (level: number) => (100 * level) / 255
  return {
    brightness: percent(mean),
    contrast: percent(Math.sqrt(Math.max(0, squares / grey.length - mean * mean))),
    change: percent(moved / grey.length),
  }
}
