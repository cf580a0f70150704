/** Chips on an emulated board, for tests. */
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { createI2cDriver } from '@fernlab/edge/drivers/i2c/i2c'
import { createBoard } from '@fernlab/firmware-bridge/emulated/i2c/boards'
import type { EmulatedWires } from '@fernlab/firmware-bridge/emulated/i2c/emulated-adapter'
import { createI2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'

export interface TestBoard {
  readonly wires: EmulatedWires
  /** Makes an instrument for the chip; not yet open. */
  chip(chip: string, address: number, settings?: object): Promise<Instrument>
}

/** A board whose chips answer at once and exactly, unless told otherwise. */
export function testBoard({ instant = true }: { readonly instant?: boolean } = {}): TestBoard {
  const wires = createBoard('bench', { clock: systemClock, instant })
  const driver = createI2cDriver(createI2cBuses({ clock: systemClock, boards: new Map([['bench', wires]]) }))
  const openTransport = async () => {
    throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a chip needs no transport' })
  }
  return {
    wires,
    chip: (chip, address, settings = {}) =>
      driver.create(
        { chip, address, settings, bus: { emulated: 'bench' } },
        { name: `${chip}-1`, clock: systemClock, log: silentLog, openTransport, configFolder: '.' },
      ),
  }
}

/** Opens it, works with it, and closes it. */
export async function withOpen<T>(instrument: Instrument, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal } = new AbortController()
  await instrument.open(signal)
  try {
    return await work(signal)
  } finally {
    await instrument.close()
  }
}
