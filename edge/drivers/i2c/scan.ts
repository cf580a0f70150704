import type { FoundAddress } from '@fernlab/firmware-bridge/i2c/adapter'
import type { I2cBus } from '@fernlab/firmware-bridge/i2c/bus'
import type { I2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { chipModels } from './chips.ts'

/** An address of a bus at which there is something, with the chips, as in node.yaml, that can be there. */
export type FoundChip = FoundAddress & { readonly chips: readonly string[] }

/**
 * Who is on the bus, in order of the addresses. What answers is not asked what it is: a question to the wrong chip may be
 * a command. Rejects with the bus's own errors: not enabled, no permission.
 */
export async function scanBus(bus: I2cBus, signal: AbortSignal): Promise<FoundChip[]> {
  const found = await bus.scan(signal)
  return found.map((one) => ({
    ...one,
    chips: chipModels.filter(({ addresses }) => addresses.includes(one.address)).map(({ name }) => name),
  }))
}

/** How long a scan waits for its turn on a bus. */
const turnMs = 10_000

/** `scanBus` by the number of a bus. */
export const scanOf =
  (buses: I2cBuses) =>
  (bus: number): Promise<FoundChip[]> =>
    scanBus(buses.bus(bus), AbortSignal.timeout(turnMs))
