/** The I2C buses of this process, each made when it is first asked for, and the same one for all who ask. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { createBoard } from '../emulated/i2c/boards.ts'
import type { EmulatedWires } from '../emulated/i2c/emulated-adapter.ts'
import { I2cBus } from './bus.ts'
import { openKernelAdapter } from './kernel-adapter.ts'

/** Which bus, as in node.yaml: the number of /dev/i2c-N, or the name of an emulated board. */
export type BusConfig = number | { readonly emulated: string }

export interface I2cBuses {
  bus(config: BusConfig): I2cBus
}

export interface I2cBusesOptions {
  readonly clock: Clock
  /** Emulated boards by name, in place of the usual one of that name. */
  readonly boards?: ReadonlyMap<string, EmulatedWires>
}

export function createI2cBuses({ clock, boards }: I2cBusesOptions): I2cBuses {
  const buses = new Map<string, I2cBus>()
  const make = (config: BusConfig): I2cBus => {
    if (typeof config === 'number') return new I2cBus(`I2C bus ${config}`, () => openKernelAdapter(config))
    const wires = boards?.get(config.emulated) ?? createBoard(config.emulated, { clock })
    const name = `the emulated board ${config.emulated}`
    return new I2cBus(name, async () => wires.adapter(name))
  }
  return {
    bus: (config) => {
      const key = busKey(config)
      const bus = buses.get(key) ?? make(config)
      buses.set(key, bus)
      return bus
    },
  }
}

/** Equal for equal buses: `1`, `emulated:room`. */
export const busKey = (config: BusConfig): string =>
  typeof config === 'number' ? `${config}` : `emulated:${config.emulated}`
