import type { GuestNeed } from '../../support/kernel/need.ts'

/** A bus with three chips, each 256 registers without a meaning of their own; it knows SMBus transfers only. */
export const need: GuestNeed = { modules: ['i2c-dev', 'i2c-stub chip_addr=0x40,0x48,0x76'] }
