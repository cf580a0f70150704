/** What emulated instruments share: a circuit with terminals, known at every moment up to now. */

/** A supply as set: holds `volts` until it would have to give more than `limitAmps`; off, it holds 0 V. */
export interface SupplyDrive {
  readonly on: boolean
  readonly volts: number
  readonly limitAmps: number
}

/** A generator as set; off, it is bypassed. `amplitudeV` is the peak value. */
export interface GeneratorDrive {
  readonly on: boolean
  readonly shape: 'sine' | 'square' | 'dc'
  readonly frequencyHz: number
  readonly amplitudeV: number
  readonly offsetV: number
}

export const SUPPLY_OFF: SupplyDrive = { on: false, volts: 0, limitAmps: 0.1 }
export const GENERATOR_OFF: GeneratorDrive = {
  on: false,
  shape: 'sine',
  frequencyHz: 1000,
  amplitudeV: 0.05,
  offsetV: 0,
}

/** Times are seconds of the world's clock, not later than now; the last minute is remembered. */
export interface Circuit {
  setSupply(drive: SupplyDrive): void
  setGenerator(drive: GeneratorDrive): void
  /** At the supply's terminals. */
  supplyVolts(timeS: number): number
  supplyAmps(timeS: number): number
  /** Across the part under test. */
  volts(timeS: number): number
  /** Through the part under test. */
  amps(timeS: number): number
}

/** How long a circuit remembers, seconds: longer than any meter integrates. */
export const MEMORY_S = 60

/** The last element that began at `timeS` or before; the first when all began later. */
export function segmentAt<Segment extends { readonly startS: number }>(
  segments: readonly Segment[],
  timeS: number,
): Segment {
  for (let i = segments.length - 1; i > 0; i--) {
    const segment = segments[i] as Segment
    if (segment.startS <= timeS) return segment
  }
  return segments[0] as Segment
}

/** Drops what ended before the circuit's memory. */
export function forget<Segment extends { readonly startS: number }>(segments: Segment[], nowS: number): void {
  while (segments.length > 1 && (segments[1] as Segment).startS < nowS - MEMORY_S) segments.shift()
}
