/**
 * Instruments that people made of what the node found, without a file to edit and without a restart.
 *
 * INVARIANTS: only what the node finds at this moment becomes an instrument, with its driver's draft and the settings that
 * the draft asks for, so that nobody at a hub has the node run a program or open a file of their choice; one change at a
 * time; an instrument is on disk before it exists, and off it before it ends; node.yaml is never written, and goes first;
 * what a bench has is not removed, so that no run is disturbed; what is
 * removed leaves no calibration behind, which another of its name would be given.
 */
import { join } from 'node:path'
import { filledConfig, wrongValues } from '@fernlab/shared/contracts/draft-values'
import {
  type AddedInstrument,
  type AddInstrumentRequest,
  addedInstrumentsSchema,
  type ShownInstrument,
} from '@fernlab/shared/contracts/hardware-drafts'
import type { InstrumentEntry } from '@fernlab/shared/contracts/node-file'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { openSettingsFile, type SettingsFile } from '@fernlab/shared/storage/settings-file'
import type * as z from 'zod'
import { misfit } from '../config/added-merge.ts'
import type { NodeConfig } from '../config/config.ts'
import type { Driver } from '../drivers/driver.ts'
import type { FaultHook } from '../fault-point.ts'
import type { Instruments } from '../instruments/instruments.ts'
import { draftsOf } from './draft.ts'
import { type Finding, notAsked } from './find.ts'

export interface Equipment {
  /** Every instrument that there is: of node.yaml, and added. */
  entries(): Readonly<Record<string, InstrumentEntry>>
  /** Those that were added. */
  list(): ShownInstrument[]
  /** Throws `find-unknown`, `find-not-usable`, `setting-wrong`, `instrument-unfit` and `instrument-failed`. */
  add(asked: AddInstrumentRequest, by: string): Promise<ShownInstrument>
  /** Throws `instrument-unknown` for one that was not added, and `instrument-of-bench`. */
  remove(name: string): Promise<void>
}

export type AddedFile = SettingsFile<z.infer<typeof addedInstrumentsSchema>>

/** In the node's data folder, which its service may write. */
const addedFileName = 'added-instruments.json'

export function openAddedFile(dataFolder: string, log: Log): Promise<AddedFile> {
  return openSettingsFile({ path: join(dataFolder, addedFileName), schema: addedInstrumentsSchema, initial: {}, log })
}

export interface CreateEquipmentOptions {
  readonly file: AddedFile
  readonly config: NodeConfig
  readonly drivers: readonly Driver[]
  readonly instruments: Pick<Instruments, 'all' | 'make' | 'remove'>
  /** What the machine has now; with `scan`, chips on its I2C buses too. */
  readonly find: (scan: boolean) => Promise<readonly Finding[]>
  /** Forgets what is kept of an instrument elsewhere: its calibrations. */
  readonly forget: (name: string) => Promise<void>
  readonly clock: Clock
  readonly log: Log
  /** There is another instrument, or one less. */
  readonly onChange: () => void
  readonly faultPoint?: FaultHook | undefined
}

export function createEquipment(options: CreateEquipmentOptions): Equipment {
  const { file, config, drivers, instruments, find, forget, clock, log, onChange, faultPoint } = options
  const leftOut = new Map(config.leftOut)
  let entries: Readonly<Record<string, InstrumentEntry>> = config.file.instruments
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work)
    turn = next.catch(() => {})
    return next
  }
  const benchOf = (name: string): string | undefined =>
    Object.entries(config.file.benches).find(([, { parts }]) => Object.values(parts).includes(name))?.[0]
  const shown = (name: string, added: AddedInstrument): ShownInstrument => {
    const why = leftOut.get(name) ?? (instruments.all.has(name) ? undefined : gone)
    const bench = why === undefined ? benchOf(name) : undefined
    return { name, ...added, ...(why === undefined ? {} : { leftOut: why }), ...(bench === undefined ? {} : { bench }) }
  }

  const commit = async (change: (data: AddedFile['data']) => void) => {
    faultPoint?.('before-added-commit')
    await file.update(change)
    faultPoint?.('after-added-commit')
  }

  const add = async (asked: AddInstrumentRequest, by: string): Promise<ShownInstrument> => {
    const { name, driver, settings } = asked
    const config = configOf(asked, await find(isChip(asked.find)))
    const entry = { driver, config, shared: false }
    const why = misfit(name, entry, { ...reserved(), ...entries }, drivers)
    if (why !== undefined) throw refuse('instrument-unfit', why)
    const made = await instruments.make(name, entry).catch((thrown: unknown) => {
      const { message, cause } = asLabError(thrown)
      throw new LabError({ code: 'instrument-failed', kind: 'instrument', retry: 'later', message, cause })
    })
    const added = { driver, config, find: asked.find, by, at: new Date(clock.now()).toISOString() }
    try {
      await commit((data) => {
        data[name] = added
      })
    } catch (error) {
      await made.discard()
      throw error
    }
    made.put()
    entries = { ...entries, [name]: entry }
    log.info({ instrument: name, driver, find: asked.find, by, settings }, 'an instrument was made of a find')
    onChange()
    return shown(name, added)
  }

  const remove = async (name: string): Promise<void> => {
    const added = Object.hasOwn(file.data, name) ? file.data[name] : undefined
    if (added === undefined)
      throw refuse('instrument-unknown', `${name} was not added on the hub's page; what node.yaml has stays there`)
    const { bench } = shown(name, added)
    if (bench !== undefined)
      throw refuse('instrument-of-bench', `bench ${bench} of node.yaml has ${name}; take it out of there first`)
    // One that was left out has no instrument of its own: that of its name is node.yaml's.
    const isAnothers = leftOut.has(name) && Object.hasOwn(entries, name)
    // Before it is off the disk, or a node killed between would start with calibrations of nothing.
    if (!isAnothers) await forget(name)
    await commit((data) => {
      delete data[name]
    })
    leftOut.delete(name)
    if (!isAnothers) {
      await instruments.remove(name)
      entries = Object.fromEntries(Object.entries(entries).filter(([each]) => each !== name))
      // It may have been calibrated until now.
      await forget(name)
    }
    log.info({ instrument: name }, 'an added instrument was removed')
    onChange()
  }

  /** Names that are kept for those that were left out: they come back once node.yaml lets them. */
  const reserved = (): Record<string, InstrumentEntry> =>
    Object.fromEntries(
      [...leftOut.keys()]
        .filter((name) => Object.hasOwn(file.data, name))
        .map((name) => [name, { driver: 'none', config: {}, shared: false }]),
    )

  return {
    entries: () => entries,
    list: () => Object.entries(file.data).map(([name, added]) => shown(name, added)),
    add: (asked, by) => inTurn(() => add(asked, by)),
    remove: (name) => inTurn(() => remove(name)),
  }
}

const gone = 'it could not be made as the node started; its log says why'

/** `i2c:1:0x76`: found by asking the bus only. */
const isChip = (find: string): boolean => /^i2c:\d+:/.test(find)

/** What the find drafts for the driver, with the settings; throws what keeps it from being an instrument. */
export function configOf(
  { find: id, driver, settings }: AddInstrumentRequest,
  findings: readonly Finding[],
): Record<string, unknown> {
  const finding = findings.find(({ find }) => find?.id === id)
  if (finding?.find === undefined) {
    const bus = findings.find(
      ({ find }) => find !== undefined && find.kind === 'i2c-bus' && id.startsWith(`${find.id}:`),
    )
    const why = bus?.trouble ?? bus?.facts?.find((fact) => fact.startsWith(notAsked('')))
    throw refuse(
      'find-unknown',
      why === undefined
        ? `the node does not find ${id} now; look again`
        : `the node does not find ${id} now (${why}); look again`,
    )
  }
  const { find, verdict, detail, trouble } = finding
  if (find.kind !== 'gpio' && find.instruments.length > 0)
    throw refuse('find-not-usable', `${id} is the instrument ${find.instruments.join(' and ')} already`)
  if (verdict !== 'ok') throw refuse('find-not-usable', `${id} can not be used yet: ${trouble ?? detail}`)
  const draft = draftsOf(find).find((each) => each.driver === driver)
  if (draft === undefined) throw refuse('find-not-usable', `${id} is nothing for the driver ${driver}`)
  const [wrong] = wrongValues(draft, settings)
  if (wrong !== undefined) throw refuse('setting-wrong', `settings.${wrong[0]}: ${wrong[1]}`)
  return filledConfig(draft, settings)
}

const refuse = (code: string, message: string): LabError => new LabError({ code, kind: 'caller', message })
