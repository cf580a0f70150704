import type { OpenTransport } from '@fernlab/firmware-bridge/transports/transport'
import type { InstrumentEntry } from '@fernlab/shared/contracts/node-file'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Driver, Instrument } from '../drivers/driver.ts'
import { createInstrumentHandle, type InstrumentHandle } from './instrument-handle.ts'
import { type InstrumentPort, instrumentPort } from './instrument-port.ts'
import { outOfUse, outOfUseReason } from './out-of-use.ts'

export interface Instruments {
  readonly all: ReadonlyMap<string, InstrumentHandle>
  /** Of all, those that could not be made, with the reason: what they can do is not known. */
  readonly outOfUse: ReadonlyMap<string, string>
  /** Starts opening all of them, each on its own. */
  start(): void
  /** Makes one more, without opening it; it is one of all once it is put. Rejects as `createInstruments`. */
  make(name: string, entry: InstrumentEntry): Promise<MadeInstrument>
  /** Closes one that no bench has, and forgets it; nothing where there is none. */
  remove(name: string): Promise<void>
  close(): Promise<void>
}

export interface MadeInstrument {
  /** It is one of all, and is opened. */
  put(): void
  /** It is none. */
  discard(): Promise<void>
}

export interface CreateInstrumentsOptions {
  readonly entries: Readonly<Record<string, InstrumentEntry>>
  /** Of the entries, those that were added beside node.yaml: one that can not be made, and no bench wants, is left out. */
  readonly added?: ReadonlySet<string>
  readonly drivers: readonly Driver[]
  readonly openTransport: OpenTransport
  readonly configFolder: string
  /** What `configFolder` is to instruments beside node.yaml. */
  readonly addedFolder?: string
  /** Where drivers keep what they have learned; without one, `configFolder`. */
  readonly keptFolder?: string
  /** Whether a bench has the instrument as a part. */
  readonly wanted?: (instrument: string) => boolean
  /** Why a bench of the instrument can not be disturbed now; undefined when nobody uses one. */
  readonly inUse: (instrument: string) => string | undefined
  readonly clock: Clock
  readonly log: Log
}

interface Made {
  readonly handle: InstrumentHandle
  readonly port: InstrumentPort
}

/**
 * Makes the node's instruments without touching hardware; rejects with a configuration-kind LabError. One whose driver
 * `failsAlone` is out of use instead.
 */
export async function createInstruments(options: CreateInstrumentsOptions): Promise<Instruments> {
  const { entries, added = new Set(), drivers, openTransport, wanted = () => true, inUse, clock, log } = options
  const { configFolder: ownFolder, addedFolder = ownFolder, keptFolder = ownFolder } = options
  const all = new Map<string, InstrumentHandle>()
  const ports = new Map<string, InstrumentPort>()
  const unmade = new Map<string, string>()

  const make = async (
    name: string,
    entry: InstrumentEntry,
    configFolder: string,
    failed: (thrown: unknown, driver: Driver) => Instrument,
  ): Promise<Made> => {
    const driver = drivers.find(({ kind }) => kind === entry.driver)
    if (driver === undefined) throw unknownDriver(name, entry.driver)
    const own = log.child({ instrument: name })
    const use = () => inUse(name)
    const port = await instrumentPort({ name, entry, openTransport, configFolder, inUse: use, clock, log: own })
    const context = { name, clock, log: own, openTransport: port.openTransport, configFolder, keptFolder }
    const instrument = await driver.create(entry.config, context).catch((thrown: unknown) => failed(thrown, driver))
    return { handle: createInstrumentHandle({ name, instrument, clock, log }), port }
  }
  /** What stands for an instrument that may fail alone; only as the node starts, for one that is added is refused. */
  const without = (name: string) => (thrown: unknown, driver: Driver) => {
    const error = asLabError(thrown)
    if (error.kind !== 'configuration' || driver.failsAlone?.(error) !== true) throw thrown
    const why = outOfUseReason(error)
    log.error({ instrument: name, reason: why }, 'an instrument is out of use')
    unmade.set(name, why)
    return outOfUse({ name, driver: driver.kind }, why)
  }
  const keep = (name: string, { handle, port }: Made) => {
    all.set(name, handle)
    ports.set(name, port)
  }

  for (const [name, entry] of Object.entries(entries)) {
    const isAdded = added.has(name)
    const mayBeLeftOut = isAdded && !wanted(name)
    try {
      const failed = mayBeLeftOut ? rethrow : without(name)
      keep(name, await make(name, entry, isAdded ? addedFolder : ownFolder, failed))
    } catch (error) {
      if (!mayBeLeftOut) throw error
      log.warn({ instrument: name, error: asLabError(error).message }, 'an added instrument is left out')
    }
  }
  return {
    all,
    outOfUse: unmade,
    start: () => {
      for (const handle of all.values()) handle.start()
      for (const port of ports.values()) port.start()
    },
    make: async (name, entry) => {
      const made = await make(name, entry, addedFolder, rethrow)
      return {
        put: () => {
          keep(name, made)
          made.handle.start()
          made.port.start()
        },
        discard: async () => void (await Promise.all([made.handle.close(), made.port.close()])),
      }
    },
    remove: async (name) => {
      const [handle, port] = [all.get(name), ports.get(name)]
      all.delete(name)
      ports.delete(name)
      unmade.delete(name)
      await Promise.all([handle?.close(), port?.close()])
    },
    close: async () => {
      await Promise.all([...all.values(), ...ports.values()].map((each) => each.close()))
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

function rethrow(thrown: unknown): never {
  throw thrown
}
