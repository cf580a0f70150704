import type { OpenTransport } from '@fernlab/firmware-bridge/transports/transport'
import type { InstrumentEntry } from '@fernlab/shared/contracts/node-file'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Driver } from '../drivers/driver.ts'
import { createInstrumentHandle, type InstrumentHandle } from './instrument-handle.ts'

export interface Instruments {
  readonly all: ReadonlyMap<string, InstrumentHandle>
  /** Starts opening all of them, each on its own. */
  start(): void
  close(): Promise<void>
}

export interface CreateInstrumentsOptions {
  readonly entries: Readonly<Record<string, InstrumentEntry>>
  readonly drivers: readonly Driver[]
  readonly openTransport: OpenTransport
  readonly configFolder: string
  readonly clock: Clock
  readonly log: Log
}

/** Makes the node's instruments without touching hardware; rejects with a configuration-kind LabError. */
export async function createInstruments(options: CreateInstrumentsOptions): Promise<Instruments> {
  const { entries, drivers, openTransport, configFolder, clock, log } = options
  const all = new Map<string, InstrumentHandle>()
  for (const [name, entry] of Object.entries(entries)) {
    const driver = drivers.find(({ kind }) => kind === entry.driver)
    if (driver === undefined) throw unknownDriver(name, entry.driver)
    const instrument = await driver.create(entry.config, {
      name,
      clock,
      log: log.child({ instrument: name }),
      openTransport,
      configFolder,
    })
    all.set(name, createInstrumentHandle({ name, instrument, clock, log }))
  }
  return {
    all,
    start: () => {
      for (const handle of all.values()) handle.start()
    },
    close: async () => {
      await Promise.all([...all.values()].map((handle) => handle.close()))
    },
  }
}

function unknownDriver(instrument: string, driver: string): LabError {
  return new LabError({
    code: 'driver-unknown',
    kind: 'configuration',
    message: `instruments.${instrument}.driver: unknown driver ${driver}`,
  })
}
