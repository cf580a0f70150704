/** Who answers on an I2C bus, and which chip that may be. */
import { hex } from '@fernlab/firmware-bridge/i2c/adapter'
import type { FoundChip } from '../drivers/i2c/scan.ts'
import type { Seen } from './find.ts'

/** What a scan of a bus found; an address tells only which chips can be there. */
export function seeI2cChips(bus: number, found: readonly FoundChip[]): Seen[] {
  return found.map((one): Seen => {
    const { address, state, chips } = one
    const where = `i2c:${bus}:${hex(address)}`
    return {
      group: 'I2C',
      find: {
        id: where,
        kind: 'i2c-chip',
        title: `bus ${bus}, ${hex(address)}`,
        path: `/dev/i2c-${bus}`,
        keys: [where],
        chips,
      },
      facts: [
        chips.length === 0 ? 'answers; no chip that is known here has that address' : `answers: ${either(chips)}`,
      ],
      ...(state === 'kernel' ? { trouble: ofKernel(one.driver) } : {}),
    }
  })
}

const ofKernel = (driver: string | undefined): NonNullable<Seen['trouble']> => ({
  verdict: 'look',
  detail:
    driver === undefined
      ? "the kernel's own driver has it; take its dtoverlay out of config.txt"
      : `the kernel's own driver ${driver} has it; take its dtoverlay out of config.txt`,
})

const either = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
