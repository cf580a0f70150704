/**
 * What a BME280 measured, from what its converter says and the trimming values in its memory: Bosch BST-BME280-DS002,
 * section 4.2.2 "Trimming parameter readout" and the formulas for double precision in appendix A, section 8.1.
 */

export interface Trimming {
  readonly t: readonly [number, number, number]
  readonly p: readonly number[]
  readonly h: readonly [number, number, number, number, number, number]
}

/** From the memory at 0x88 (26 bytes) and 0xE1 (7 bytes); the low byte comes first. */
export function bme280Trimming(low: Uint8Array, high: Uint8Array): Trimming {
  const first = new DataView(low.buffer, low.byteOffset, low.length)
  const second = new DataView(high.buffer, high.byteOffset, high.length)
  const nibbles = second.getUint8(4)
  return {
    t: [first.getUint16(0, true), first.getInt16(2, true), first.getInt16(4, true)],
    p: Array.from({ length: 9 }, (_, i) => (i === 0 ? first.getUint16(6, true) : first.getInt16(6 + 2 * i, true))),
    h: [
      first.getUint8(25),
      second.getInt16(0, true),
      second.getUint8(2),
      second.getInt8(3) * 16 + (nibbles & 0x0f),
      second.getInt8(5) * 16 + (nibbles >> 4),
      second.getInt8(6),
    ],
  }
}

/** 5120 times the temperature in °C, which the other two formulas need. */
export function fineTemperature({ t: [t1, t2, t3] }: Trimming, adc: number): number {
  const first = (adc / 16384 - t1 / 1024) * t2
  const difference = adc / 131072 - t1 / 8192
  return first + difference * difference * t3
}

/** In Pa; NaN where the trimming values make no sense. */
export function pressurePa({ p }: Trimming, adc: number, fine: number): number {
  const [p1 = 0, p2 = 0, p3 = 0, p4 = 0, p5 = 0, p6 = 0, p7 = 0, p8 = 0, p9 = 0] = p
  const half = fine / 2 - 64000
  let offset = (half * half * p6) / 32768
  offset = (offset + half * p5 * 2) / 4 + p4 * 65536
  const span = (1 + ((p3 * half * half) / 524288 + p2 * half) / 524288 / 32768) * p1
  if (span === 0) return Number.NaN
  const raw = ((1048576 - adc - offset / 4096) * 6250) / span
  return raw + ((p9 * raw * raw) / 2147483648 + (raw * p8) / 32768 + p7) / 16
}

/** In % of relative humidity, from 0 to 100. */
export function humidityPercent({ h }: Trimming, adc: number, fine: number): number {
  const [h1, h2, h3, h4, h5, h6] = h
  const above = fine - 76800
  const slope = (h2 / 65536) * (1 + (h6 / 67108864) * above * (1 + (h3 / 67108864) * above))
  const linear = (adc - (h4 * 64 + (h5 / 16384) * above)) * slope
  return Math.min(100, Math.max(0, linear * (1 - (h1 * linear) / 524288)))
}
