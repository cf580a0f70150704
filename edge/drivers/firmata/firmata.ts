/** The driver `firmata`: boards that already run StandardFirmata, or another Firmata of 2.2 or later. */
import type { Driver } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { firmataClaims, firmataConfigSchema, firmataFindings } from './config.ts'
import { FirmataInstrument } from './firmata-instrument.ts'

/** The driver for node.yaml's `driver: firmata`. */
export function createFirmataDriver(): Driver {
  return driverOf({
    kind: 'firmata',
    schema: firmataConfigSchema,
    findings: firmataFindings,
    claims: firmataClaims,
    create: async (config, context) => new FirmataInstrument({ config, context }),
  })
}
