import type { GuestNeed } from '../../support/kernel/need.ts'

/** As many chips as i2c-stub has, each 256 registers without a meaning of their own, and a kernel's driver for one of them. */
export const need: GuestNeed = {
  modules: ['i2c-dev', 'i2c-stub chip_addr=0x20,0x40,0x43,0x48,0x49,0x4a,0x4b,0x4f,0x60,0x76', 'lm75'],
}
