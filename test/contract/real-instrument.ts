/**
 * The driver contract on hardware that one can touch, for whoever has it; where the variable is not set there is nothing.
 *
 * `FERNLAB_TEST_LINES='{"config": {…}, "settable": {"name": "setpoint", "values": [20, 25]}, "readable": ["setpoint"]}'`:
 * the config is that of node.yaml; what is set must be safe for what is connected. Left out, nothing is set.
 */
import type { Driver } from '@fernlab/edge/drivers/driver'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { driverContract } from './driver-contract.ts'

/** Runs the contract on what the variable of that name describes. */
export function realInstrument(variable: `FERNLAB_TEST_${string}`, driver: () => Driver): void {
  const real = process.env[variable]
  if (real === undefined) return
  driverContract(`${driver().kind}, as ${variable} says`, async () => ({
    ...JSON.parse(real),
    driver: driver(),
    context: {
      name: 'real-1',
      clock: systemClock,
      log: silentLog,
      openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
      configFolder: process.cwd(),
    },
    release: async () => {},
  }))
}
