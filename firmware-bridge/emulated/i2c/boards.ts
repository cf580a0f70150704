/** Emulated boards by name: I2C buses with a chip of each kind that Fernlab knows. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { createNoise } from '../noise.ts'
import { emulateAds1115 } from './ads1115.ts'
import { emulateBme280 } from './bme280.ts'
import type { ChipOptions } from './chip.ts'
import { EmulatedWires } from './emulated-adapter.ts'
import { createRoom } from './room.ts'
import { emulateSht31 } from './sht31.ts'
import { emulateLm75, emulateTmp102, emulateTmp105 } from './thermometers.ts'

export interface BoardOptions {
  readonly clock: Clock
  readonly instant?: boolean
}

/** The board of that name; the same name has the same tolerances in every process. */
export function createBoard(name: string, { clock, instant = false }: BoardOptions): EmulatedWires {
  const wires = new EmulatedWires({ clock, instant })
  const nowS = () => clock.monotonic() / 1000
  const made = (address: number): ChipOptions => ({ nowS, noise: createNoise(`${name}/${address}`), instant })
  const room = createRoom({ nowS, noise: createNoise(`${name}/room`), instant })
  wires.attach(0x48, emulateTmp102({ ...made(0x48), ...room }))
  wires.attach(0x49, emulateTmp105({ ...made(0x49), ...room }))
  wires.attach(0x4a, emulateLm75({ ...made(0x4a), ...room }))
  wires.attach(0x44, emulateSht31({ ...made(0x44), ...room }))
  wires.attach(0x76, emulateBme280({ ...made(0x76), ...room }))
  wires.attach(0x4b, emulateAds1115({ ...made(0x4b), volts: () => [1.25, 0.625, 3.3, 0] }))
  return wires
}
