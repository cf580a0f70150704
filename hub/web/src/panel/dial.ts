/** Dials run clockwise over three quarters of a circle, open at the bottom. */
const start = -135
const sweep = 270

/** Where a part (0 to 1) of the scale lies on a circle around (50, 50); y grows downwards. */
export function dialPoint(part: number, radius: number): { x: number; y: number } {
  const angle = ((start + sweep * part) * Math.PI) / 180
  return { x: 50 + radius * Math.sin(angle), y: 50 - radius * Math.cos(angle) }
}

/** An arc from the scale's start to a part of it, as the path of an SVG. */
export function dialArc(part: number, radius: number): string {
  const from = dialPoint(0, radius)
  const to = dialPoint(part, radius)
  return `M ${from.x} ${from.y} A ${radius} ${radius} 0 ${sweep * part > 180 ? 1 : 0} 1 ${to.x} ${to.y}`
}

/** The part of the scale that a value is at. */
export const dialPart = (value: number, { low, high }: { low: number; high: number }): number =>
  Math.min(1, Math.max(0, (value - low) / (high - low)))
