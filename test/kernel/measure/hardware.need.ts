/** A chip of 54 lines and a bus with one TMP102, and the benchmark on the host that says what is measured next. */

import { measurements } from '../../support/kernel/measurements.ts'
import type { GuestNeed } from '../../support/kernel/need.ts'

export const need: GuestNeed = {
  modules: ['gpio-mockup gpio_mockup_ranges=100,108,458,512', 'i2c-dev', 'i2c-stub chip_addr=0x48'],
  host: async () => ({
    operations: { next: () => measurements.next(), done: (figure: number) => measurements.done(figure) },
    close: async () => measurements.over(),
  }),
}
