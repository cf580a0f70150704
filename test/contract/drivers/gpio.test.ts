import { createGpioDriver } from '@fernlab/edge/drivers/gpio/gpio'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import { type DriverUnderTest, driverContract } from '../driver-contract.ts'

const context = {
  name: 'header-1',
  clock: systemClock,
  log: silentLog,
  configFolder: '.',
  openTransport: async () => {
    throw new LabError({ code: 'no-transport', kind: 'bug', message: 'pins need no transport' })
  },
}

const pins = (out: number, back: number) => ({
  led: { pin: out, direction: 'out' },
  back: { pin: back, direction: 'in' },
})

const under = (config: unknown, rest: Pick<DriverUnderTest, 'settable' | 'readable' | 'action'>) => async () => ({
  driver: createGpioDriver(),
  config,
  context,
  release: async () => {},
  ...rest,
})

driverContract(
  'gpio, emulated',
  under(
    {
      backend: 'emulated',
      emulated: {
        jumpers: [[17, 27]],
        pulses: [{ pin: 22, frequencyHz: 200 }],
        switches: [{ pin: 5, everyS: 0.05 }],
      },
      pins: {
        ...pins(17, 27),
        flow: { pin: 22, direction: 'counter' },
        door: { pin: 5, direction: 'in', pull: 'up', debounceMs: 5, activeLow: true },
        fan: { pin: 18, direction: 'pwm', frequencyHz: 1000 },
      },
    },
    {
      settable: { name: 'led', values: [true, false] },
      readable: ['led', 'back', 'back_edges', 'back_since', 'flow', 'flow_frequency', 'door', 'fan'],
      action: 'reset_flow',
    },
  ),
)
driverContract(
  'gpio, emulated, PWM by software',
  under(
    { backend: 'emulated', pins: { lamp: { pin: 4, direction: 'pwm', frequencyHz: 50 } } },
    { settable: { name: 'lamp', values: [25, 80] }, readable: ['lamp'] },
  ),
)

/**
 * The same on a real header, whose two pins a wire joins: FERNLAB_GPIO_CHIP='pinctrl-bcm2711:17:27', the pin that is driven
 * first, and FERNLAB_GPIO_BACKEND=sysfs where not all that the machine has is to be tried.
 */
const [chip, out, back] = (process.env.FERNLAB_GPIO_CHIP ?? '').split(':')
if (chip !== undefined && out !== undefined && back !== undefined) {
  for (const backend of (process.env.FERNLAB_GPIO_BACKEND ?? 'sysfs').split(',')) {
    driverContract(
      `gpio, ${chip} by ${backend}`,
      under(
        { chip, backend, pins: pins(Number(out), Number(back)) },
        { settable: { name: 'led', values: [true, false] }, readable: ['led', 'back', 'back_edges', 'back_since'] },
      ),
    )
  }
}
