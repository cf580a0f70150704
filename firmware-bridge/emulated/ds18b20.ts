/** A DS18B20 behind the kernel's driver: Maxim datasheet 19-7487, rev. 6: scratchpad, resolution, conversion time. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { W1Sensor } from '../one-wire/sensor.ts'
import { createNoise } from './noise.ts'

/** What goes wrong with it. */
export type Ds18b20Fault =
  /** Away for so many looks; its power comes on then. */
  | { readonly kind: 'absent'; readonly forLooks: number }
  /** Its power fails during the conversion, so that the scratchpad holds what it does after power-on. */
  | { readonly kind: 'power-lost' }
  | { readonly kind: 'garbled' }
  /** The data line is on ground: every byte is 0, and so is its checksum. */
  | { readonly kind: 'shorted' }

export interface EmulatedDs18b20 extends W1Sensor {
  setFault(fault: Ds18b20Fault | undefined): void
}

export interface Ds18b20Options {
  readonly name: string
  readonly clock: Clock
  readonly temperatureCel: () => number
  /** Conversions take no time, and are exact. */
  readonly instant?: boolean
}

const CONVERSION_12_BITS_MS = 750
const POWER_ON = [0x50, 0x05, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10]

export function emulateDs18b20({ name, clock, temperatureCel, instant = false }: Ds18b20Options): EmulatedDs18b20 {
  const noise = createNoise(`${name}/ds18b20`)
  const offsetCel = instant ? 0 : 0.15 * noise.normal()
  let bits = 12
  let fault: Ds18b20Fault | undefined
  let looksLeft = 0

  const look = () => {
    if (fault?.kind !== 'absent') return
    if (looksLeft-- <= 0) {
      fault = undefined
      bits = 12
      return
    }
    throw new LabError({
      code: 'one-wire-absent',
      kind: 'link',
      retry: 'later',
      message: `the emulated sensor ${name} does not answer`,
    })
  }
  const scratchpad = (): number[] => {
    if (fault?.kind === 'power-lost') {
      bits = 12
      return POWER_ON
    }
    const cel = temperatureCel() + offsetCel + (instant ? 0 : 0.02 * noise.normal())
    const counts = Math.round(cel * 16) & ~((1 << (12 - bits)) - 1)
    const word = counts & 0xffff
    return [word & 0xff, word >> 8, 0x4b, 0x46, ((bits - 9) << 5) | 0x1f, 0xff, 0x10 - (word & 0x0f), 0x10]
  }
  return {
    slave: async () => {
      look()
      if (!instant) await clock.sleep(CONVERSION_12_BITS_MS / 2 ** (12 - bits))
      const bytes = fault?.kind === 'shorted' ? new Array<number>(8).fill(0) : scratchpad()
      const crc = crc8(bytes)
      const sent = [...bytes, fault?.kind === 'garbled' ? crc ^ 1 : crc]
      const text = sent.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
      const raw = ((((bytes[1] ?? 0) << 8) | (bytes[0] ?? 0)) << 16) >> 16
      const verdict = sent[8] === crc ? 'YES' : 'NO'
      return `${text} : crc=${crc.toString(16).padStart(2, '0')} ${verdict}\n${text} t=${Math.trunc((raw * 1000) / 16)}\n`
    },
    check: async () => look(),
    setBits: async (wanted) => {
      look()
      bits = wanted
    },
    setFault: (next) => {
      fault = next
      looksLeft = next?.kind === 'absent' ? next.forLooks : 0
    },
  }
}

/** x^8 + x^5 + x^4 + 1, the lowest bit first, from 0 on. */
function crc8(bytes: readonly number[]): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >> 1 : (crc >> 1) ^ 0x8c
  }
  return crc
}
