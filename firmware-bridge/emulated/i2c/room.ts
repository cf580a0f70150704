import type { ChipOptions } from './chip.ts'

const MEAN_CEL = 22
const SWING_CEL = 0.6
const PERIOD_S = 900

/** A room around 22 °C whose heating goes on and off; 22.5 °C for good in instant mode. */
export function roomTemperature({ nowS, noise, instant }: ChipOptions): () => number {
  const phase = noise.uniform()
  return () => (instant ? 22.5 : MEAN_CEL + SWING_CEL * Math.sin(2 * Math.PI * (nowS() / PERIOD_S + phase)))
}
