import type { GuestNeed } from '../../support/kernel/need.ts'

/** Two chips, of 8 and of 54 lines; the first number of the second one is 458, as a Raspberry Pi has it on Linux 6.1. */
export const need: GuestNeed = { modules: ['gpio-mockup gpio_mockup_ranges=100,108,458,512'] }
