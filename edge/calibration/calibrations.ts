/**
 * The calibrations of a node: kept in its settings, which a person may edit, and put on its instruments.
 *
 * INVARIANTS: what is in force on an instrument is the newest in the settings that was not undone; nothing is taken out of
 * a history while there is its instrument; a change is on disk before it counts, and nobody can take the bench of the
 * instrument meanwhile; one that does not do for its signal changes nothing.
 */
import type { Calibration, CalibrationHistories, CalibrationRecord } from '@fernlab/shared/contracts/calibrations'
import { isExpired, lastGood } from '@fernlab/shared/contracts/calibrations-in-force'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import type { SettingsFile } from '@fernlab/shared/storage/settings-file'
import type { Bench } from '../benches/bench.ts'
import type { FaultHook } from '../fault-point.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'
import type { NodeSettings } from '../settings/settings.ts'
import type { SignalCalibrations } from './calibrator.ts'

export interface Calibrations {
  /** All of them, by `instrument.signal`. */
  readonly histories: CalibrationHistories
  /**
   * Adds one to the signal's history and puts it in force. Throws `calibration-unfit`, `instrument-unknown`, and `bench-busy`
   * while somebody has the bench of the instrument.
   */
  add(key: string, calibration: Calibration, by: string): Promise<readonly CalibrationRecord[]>
  /** Puts the one before in force again; throws like `add`, and `calibration-none` where there is nothing to undo. */
  undo(key: string, by: string): Promise<readonly CalibrationRecord[]>
  /** Leaves out those of an instrument that is taken away, so that another of its name begins without. */
  forget(instrument: string): Promise<void>
  /** What is over, in words for the node's health. */
  expired(): string[]
}

export interface CreateCalibrationsOptions {
  readonly settings: SettingsFile<NodeSettings>
  readonly instruments: ReadonlyMap<string, InstrumentHandle>
  readonly benches: ReadonlyMap<string, Bench>
  /** Whether a run waits for the bench. */
  readonly awaited: (bench: string) => boolean
  readonly clock: Clock
  /** The specification of an instrument has changed. */
  readonly onChange: () => void
  readonly faultPoint?: FaultHook | undefined
}

/** Old ones are left out beyond this many of one signal. */
const MOST = 1000

/**
 * Puts those of the settings on the instruments; throws `settings-invalid` with the places of what does not fit. Those of
 * instruments that were `added` beside node.yaml wait where the instrument is left out, and those of one out of use for
 * the next start.
 */
export function applyCalibrations(
  histories: CalibrationHistories,
  instruments: ReadonlyMap<string, InstrumentHandle>,
  added: ReadonlySet<string> = new Set(),
  outOfUse: Pick<ReadonlyMap<string, unknown>, 'has'> = new Map(),
): void {
  const issues: Issue[] = []
  for (const [key, history] of Object.entries(histories)) {
    const record = lastGood(history)
    const name = instrumentIn(key)
    if (record === undefined || outOfUse.has(name) || (added.has(name) && !instruments.has(name))) continue
    const path = `calibrations.${key}.${history.indexOf(record)}`
    try {
      const { handle, signal } = resolve(key, instruments)
      handle.calibrator.check(signal, record)
    } catch (thrown) {
      issues.push({ path, message: asLabError(thrown).message })
    }
  }
  if (issues.length > 0) {
    const all = issues.map(({ path, message }) => `${path}: ${message}`).join('; ')
    throw new LabError({
      code: 'settings-invalid',
      kind: 'configuration',
      message: `settings.json of the node: ${all}`,
      issues,
    })
  }
  for (const [name, handle] of instruments) handle.calibrator.install(inForceOf(name, histories))
}

/** The calibrations of instruments on which those of the settings were put. */
export function createCalibrations(options: CreateCalibrationsOptions): Calibrations {
  const { settings, instruments, benches, awaited, clock, onChange, faultPoint } = options
  const histories = () => settings.data.calibrations ?? {}
  const historyOf = (key: string) => histories()[key] ?? []

  /** The bench of the instrument, if it has one. */
  const benchOf = (instrument: string): Bench | undefined =>
    [...benches.values()].find(({ entry }) => Object.values(entry.parts).includes(instrument))

  const change = async (key: string, next: readonly CalibrationRecord[]) => {
    const { handle, signal } = resolve(key, instruments)
    const record = lastGood(next)
    if (record !== undefined) handle.calibrator.check(signal, record)
    const bench = benchOf(handle.name)
    if (bench !== undefined && (bench.lease !== undefined || awaited(bench.name))) throw busy(bench.name, key)
    // Held while the disk takes it: a run would begin with one calibration and go on with another.
    const held = bench?.status.state === 'free' ? bench.acquire({ kind: 'direct', id: 'calibration' }) : undefined
    try {
      faultPoint?.('before-calibration-commit')
      await settings.update((data) => {
        data.calibrations = { ...data.calibrations, [key]: [...next] }
      })
      faultPoint?.('after-calibration-commit')
      handle.calibrator.install(inForceOf(handle.name, histories()))
    } finally {
      if (held !== undefined) await bench?.release(held)
    }
    onChange()
    return historyOf(key)
  }

  return {
    get histories() {
      return histories()
    },
    add: (key, calibration, by) => {
      const record = { ...calibration, by, at: new Date(clock.now()).toISOString() }
      return change(key, [...historyOf(key), record].slice(-MOST))
    },
    undo: async (key, by) => {
      const history = historyOf(key)
      const last = lastGood(history)
      resolve(key, instruments)
      if (last === undefined) {
        const message = `${key} has no calibration that could be undone`
        throw new LabError({ code: 'calibration-none', kind: 'caller', message })
      }
      const undone = { by, at: new Date(clock.now()).toISOString() }
      return await change(
        key,
        history.map((each) => (each === last ? { ...each, undone } : each)),
      )
    },
    forget: async (instrument) => {
      if (!Object.keys(histories()).some((key) => instrumentIn(key) === instrument)) return
      await settings.update((data) => {
        const left = Object.entries(histories()).filter(([key]) => instrumentIn(key) !== instrument)
        data.calibrations = Object.fromEntries(left)
      })
    },
    expired: () =>
      Object.entries(histories()).flatMap(([key, history]) => {
        const record = lastGood(history)
        if (record === undefined || record.curve === null || !isExpired(record, clock.now())) return []
        return [`${key}: its calibration by ${record.by} was good until ${record.validUntil}; calibrate it again`]
      }),
  }
}

function inForceOf(instrument: string, histories: CalibrationHistories): SignalCalibrations {
  return Object.fromEntries(
    Object.entries(histories).flatMap(([key, history]) => {
      const record = lastGood(history)
      const [of, signal = ''] = key.split('.')
      return of === instrument && record !== undefined && record.curve !== null ? [[signal, record]] : []
    }),
  )
}

const instrumentIn = (key: string): string => key.split('.')[0] ?? ''

function resolve(key: string, instruments: ReadonlyMap<string, InstrumentHandle>) {
  const [name = '', signal = ''] = key.split('.')
  const handle = instruments.get(name)
  if (handle === undefined) {
    const message = `this node has no instrument ${name}${didYouMean(name, [...instruments.keys()])}`
    throw new LabError({ code: 'instrument-unknown', kind: 'caller', message })
  }
  return { handle, signal }
}

function busy(bench: string, key: string): LabError {
  return new LabError({
    code: 'bench-busy',
    kind: 'caller',
    retry: 'later',
    message: `${key} can not be calibrated while bench ${bench} is in use: wait for the run to end, or take the bench out of use`,
  })
}
