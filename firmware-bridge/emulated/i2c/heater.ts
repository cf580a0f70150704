import type { ChipOptions } from './chip.ts'

export interface HeaterOptions extends ChipOptions {
  /** What it turns into heat, now. */
  readonly watts: () => number
}

const CEL_PER_WATT = 12
const SETTLING_S = 20

/** By how many °C a block is warmer than its room: one time constant of 20 s, none in instant mode. */
export function createHeater({ nowS, instant, watts }: HeaterOptions): () => number {
  let cel = 0
  let lastS = nowS()
  let lastW = 0
  return () => {
    const now = nowS()
    // Since the last look it had the power of then: whoever changes that looks.
    const target = lastW * CEL_PER_WATT
    cel = target + (cel - target) * Math.exp(-(now - lastS) / SETTLING_S)
    lastS = now
    lastW = watts()
    return instant ? lastW * CEL_PER_WATT : cel
  }
}
