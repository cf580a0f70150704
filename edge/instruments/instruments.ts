import type { OpenTransport } from '@fernlab/firmware-bridge/transports/transport'
import type { InstrumentEntry } from '@fernlab/shared/contracts/node-file'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Driver } from '../drivers/driver.ts'
import { createInstrumentHandle, type InstrumentHandle } from './instrument-handle.ts'
import { type InstrumentPort, instrumentPort } from './instrument-port.ts'

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
  /** Why a bench of the instrument can not be disturbed now; undefined when nobody uses one. */
  readonly inUse: (instrument: string) => string | undefined
  readonly clock: Clock
  readonly log: Log
}

/** Makes the node's instruments without touching hardware; rejects with a configuration-kind LabError. */
export async function createInstruments(options: CreateInstrumentsOptions): Promise<Instruments> {
  const { entries, drivers, openTransport, configFolder, inUse, clock, log } = options
  const all = new Map<string, InstrumentHandle>()
  const ports: InstrumentPort[] = []
  for (const [name, entry] of Object.entries(entries)) {
    const driver = drivers.find(({ kind }) => kind === entry.driver)
    if (driver === undefined) throw unknownDriver(name, entry.driver)
    const port = await instrumentPort({
      name,
      entry,
      openTransport,
      configFolder,
      inUse: () => inUse(name),
      clock,
      log: log.child({ instrument: name }),
    })
    ports.push(port)
    const instrument = await driver.create(entry.config, {
      name,
      clock,
      log: log.child({ instrument: name }),
      openTransport: port.openTransport,
      configFolder,
    })
    all.set(name, createInstrumentHandle({ name, instrument, clock, log }))
  }
  return {
    all,
    start: () => {
      for (const handle of all.values()) handle.start()
      for (const port of ports) port.start()
    },
    close: async () => {
      await Promise.all([...all.values(), ...ports].map((each) => each.close()))
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
