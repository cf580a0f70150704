/**
 * What is wired to the emulated board: a lamp at 13; a wire from 8 to 7; from the PWM at 9 a low-pass (10 kΩ, 10 µF) to A0;
 * a divider that gives 1.65 V at A1; a TMP102 at 0x48; an MCP4725 at 0x60 whose output is at A2.
 */

import type { EmulatedChip } from '../i2c/chip.ts'
import { emulateMcp4725 } from '../i2c/mcp4725.ts'
import { emulateTmp102 } from '../i2c/thermometers.ts'
import { createNoise } from '../noise.ts'

const SUPPLY_V = 5
const LOW_PASS_S = 0.1
const DIVIDER_V = 1.65
const NOISE_V = 0.002
const ROOM_CEL = 22.4

export interface RigOptions {
  readonly seed: string
  readonly nowS: () => number
  /** No noise, and capacitors are charged at once. */
  readonly instant: boolean
}

export interface Rig {
  readonly i2c: ReadonlyMap<number, EmulatedChip>
  /** What is wired to the pin drives it to that level; undefined where nothing does. */
  level(pin: number, drivenAt: (pin: number) => boolean | undefined): boolean | undefined
  volts(channel: number): number
  /** The duty of the PWM at pin 9 from now on, 0 to 1. */
  duty(share: number): void
}

export function createRig({ seed, nowS, instant }: RigOptions): Rig {
  const noise = createNoise(`${seed}/rig`)
  let [from, to, sinceS] = [0, 0, nowS()]
  const capacitorV = () => (instant ? to : to + (from - to) * Math.exp(-Math.max(0, nowS() - sinceS) / LOW_PASS_S))
  const chip = emulateTmp102({
    nowS,
    noise: createNoise(`${seed}/tmp102`),
    instant,
    temperatureCel: () => ROOM_CEL,
  })
  const dac = emulateMcp4725({ nowS, noise: createNoise(`${seed}/mcp4725`), instant, supplyV: SUPPLY_V })
  for (const each of [chip, dac]) each.powerOn()
  return {
    i2c: new Map<number, EmulatedChip>([
      [0x48, chip],
      [0x60, dac],
    ]),
    level: (pin, drivenAt) => (pin === 7 ? drivenAt(8) : pin === 8 ? drivenAt(7) : undefined),
    volts: (channel) => {
      const still = [capacitorV, () => DIVIDER_V, dac.outputVolts][channel]?.() ?? 0
      return Math.min(SUPPLY_V, Math.max(0, still + (instant ? 0 : NOISE_V * noise.normal())))
    },
    duty: (share) => {
      from = capacitorV()
      to = share * SUPPLY_V
      sinceS = nowS()
    },
  }
}
