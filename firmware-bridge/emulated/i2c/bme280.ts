/**
 * BME280 at its registers: Bosch BST-BME280-DS002. What its converter would say is found by halving, with the formulas
 * for whole numbers of section 4.2.3, so that who reads it with those for double precision is held against the others.
 */
import { type ChipOptions, type EmulatedChip, registerChip } from './chip.ts'

export interface Bme280Options extends ChipOptions {
  readonly temperatureCel: () => number
  readonly pressurePa: () => number
  readonly humidityPercent: () => number
}

/** Of temperature and pressure: the worked example of Bosch's BST-BMP280-DS001, section 3.12; of humidity: typical ones. */
const T = [27504, 26435, -1000] as const
const P = [36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000] as const
const H = [75, 362, 0, 313, 50, 30] as const

/** 5120 times the temperature. */
export function bme280Fine(adc: number): number {
  const first = (((adc >> 3) - (T[0] << 1)) * T[1]) >> 11
  const difference = (adc >> 4) - T[0]
  return first + ((((difference * difference) >> 12) * T[2]) >> 14)
}

/** In 1/256 Pa. */
export function bme280Pressure(adc: number, fine: number): number {
  const [p1, p2, p3, p4, p5, p6, p7, p8, p9] = P.map(BigInt) as [bigint, ...bigint[]] as bigint[]
  if (p1 === undefined || p2 === undefined || p3 === undefined || p4 === undefined) return 0
  if (p5 === undefined || p6 === undefined || p7 === undefined || p8 === undefined || p9 === undefined) return 0
  const half = BigInt(fine) - 128000n
  let second = half * half * p6
  second += (half * p5) << 17n
  second += p4 << 35n
  let first = ((half * half * p3) >> 8n) + ((half * p2) << 12n)
  first = (((1n << 47n) + first) * p1) >> 33n
  if (first === 0n) return 0
  const raw = (((1048576n - BigInt(adc)) << 31n) - second) * 3125n
  const pressure = raw / first
  const correction = (p9 * (pressure >> 13n) * (pressure >> 13n)) >> 25n
  return Number(((pressure + correction + ((p8 * pressure) >> 19n)) >> 8n) + (p7 << 4n))
}

/** In 1/1024 %. */
export function bme280Humidity(adc: number, fine: number): number {
  const above = fine - 76800
  const offset = ((adc << 14) - (H[3] << 20) - H[4] * above + 16384) >> 15
  const slope = ((((((above * H[5]) >> 10) * (((above * H[2]) >> 11) + 32768)) >> 10) + 2097152) * H[1] + 8192) >> 14
  const linear = offset * slope
  const bent = linear - (((((linear >> 15) * (linear >> 15)) >> 7) * H[0]) >> 4)
  return Math.max(0, Math.min(419430400, bent)) >> 12
}

/** The trimming values as they lie in its memory, from 0x88 on and from 0xE1 on. */
export function bme280Memory(): { low: Uint8Array; high: Uint8Array } {
  const low = new DataView(new ArrayBuffer(26))
  for (const [i, value] of [...T, ...P].entries()) low.setUint16(2 * i, value & 0xffff, true)
  low.setUint8(25, H[0])
  const high = new DataView(new ArrayBuffer(7))
  high.setInt16(0, H[1], true)
  high.setUint8(2, H[2])
  high.setUint8(3, (H[3] >> 4) & 0xff)
  high.setUint8(4, (H[3] & 0x0f) | ((H[4] & 0x0f) << 4))
  high.setUint8(5, (H[4] >> 4) & 0xff)
  high.setInt8(6, H[5])
  return { low: new Uint8Array(low.buffer), high: new Uint8Array(high.buffer) }
}

/** The reading at which a formula that grows, or falls, with it reaches the wanted value. */
function adcFor(wanted: number, bits: number, formula: (adc: number) => number): number {
  const grows = formula(2 ** bits - 1) > formula(0)
  let low = 0
  let high = 2 ** bits - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (formula(middle) < wanted === grows) low = middle + 1
    else high = middle
  }
  return low
}

const times = (field: number): number => (field === 0 ? 0 : 2 ** (Math.min(field, 5) - 1))

export function emulateBme280(options: Bme280Options): EmulatedChip {
  const { nowS, noise, instant } = options
  const error = (size: number) => (instant ? 0 : size * noise.normal())
  const offset = { cel: error(0.4), pa: error(50), percent: error(1.5) }
  const registers = new Uint8Array(256)
  let readyS = 0
  let waiting: Uint8Array | undefined

  /** What is not measured reads as the middle of its scale. */
  const data = ([tTimes = 0, pTimes = 0, hTimes = 0]: number[]): Uint8Array => {
    const scatter = { cel: error(0.005), pa: error(3.3), percent: error(0.02) }
    const t = adcFor(5120 * (options.temperatureCel() + offset.cel + scatter.cel), 20, bme280Fine)
    const fine = bme280Fine(t)
    const p = adcFor(256 * (options.pressurePa() + offset.pa + scatter.pa), 20, (adc) => bme280Pressure(adc, fine))
    const h = adcFor(1024 * (options.humidityPercent() + offset.percent + scatter.percent), 16, (adc) =>
      bme280Humidity(adc, fine),
    )
    const twenty = (adc: number) => [adc >> 12, (adc >> 4) & 0xff, (adc & 15) << 4]
    return Uint8Array.from([
      ...twenty(pTimes === 0 ? 0x80000 : p),
      ...twenty(tTimes === 0 ? 0x80000 : t),
      ...(hTimes === 0 ? [0x80, 0] : [h >> 8, h & 0xff]),
    ])
  }
  const settle = () => {
    if (waiting === undefined || nowS() < readyS) return
    registers.set(waiting, 0xf7)
    registers[0xf3] = 0
    registers[0xf4] = (registers[0xf4] ?? 0) & 0xfc
    waiting = undefined
  }
  const begin = () => {
    const control = registers[0xf4] ?? 0
    const averaged = [times(control >> 5), times((control >> 2) & 7), times((registers[0xf2] ?? 0) & 7)]
    const [t = 0, p = 0, h = 0] = averaged
    const ms = 1 + 2 * t + (p === 0 ? 0 : 2 * p + 0.5) + (h === 0 ? 0 : 2 * h + 0.5)
    waiting = data(averaged)
    readyS = instant ? 0 : nowS() + ms / 1000
    registers[0xf3] = 0x08
    settle()
  }
  return registerChip({
    bytesAt: (pointer, length) => {
      settle()
      return Uint8Array.from({ length }, (_, i) => registers[(pointer + i) & 0xff] ?? 0)
    },
    // Writes are pairs of register and byte; the pointer does not move by itself.
    store: (pointer, [value = 0]) => {
      settle()
      if (pointer !== 0xf2 && pointer !== 0xf4 && pointer !== 0xf5) return true
      registers[pointer] = value
      if (pointer === 0xf4 && (value & 3) !== 0) begin()
      return true
    },
    powerOn: () => {
      registers.fill(0)
      waiting = undefined
      const { low, high } = bme280Memory()
      registers.set(low, 0x88)
      registers.set(high, 0xe1)
      registers[0xd0] = 0x60
      registers.set([0x80, 0, 0, 0x80, 0, 0, 0x80, 0], 0xf7)
    },
  })
}
