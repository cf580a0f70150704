/** The chip on the header's I2C bus, which gets warm and cold at the test's word. */
import type { GuestNeed } from '../../support/kernel/need.ts'
import { thermometer } from '../../support/kernel/raspberry-pi.ts'

export const need: GuestNeed = {
  modules: ['i2c-bcm2835', 'i2c-dev'],
  host: async ({ qmp }) => ({
    operations: {
      'make it': async (celsius: number) => {
        const path = `/machine/peripheral/${thermometer}`
        await qmp.execute('qom-set', { path, property: 'temperature', value: celsius * 1000 })
      },
    },
    close: async () => {},
  }),
}
