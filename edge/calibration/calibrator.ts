/**
 * The calibrations of one instrument, between it and everybody else.
 *
 * INVARIANTS: what is read, streamed or announced of a calibrated signal is calibrated; what is set of it reaches the
 * driver raw, within what the instrument takes; a signal whose calibration does not fit any more is neither read nor set.
 */
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { CalibrationRecord } from '@fernlab/shared/contracts/calibrations'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import type { Block, Reading, SignalValue } from '../drivers/driver.ts'
import { calibratedValue, type Fit, fit } from './fit.ts'

export type SignalCalibrations = Readonly<Record<string, CalibrationRecord>>

export interface Calibrator {
  /** The instrument's, as calibrated. */
  readonly spec: InstrumentSpec
  /** Those in force, by signal. */
  readonly inForce: SignalCalibrations
  /** Throws `calibration-unfit` where one would not do for the signal. */
  check(signal: string, calibration: Pick<CalibrationRecord, 'curve' | 'uncertainty'>): void
  /** Puts these in force, and no others. */
  install(calibrations: SignalCalibrations): void
  readings(raw: Record<string, Reading>): Record<string, Reading>
  block(raw: Block): Block
  toRaw(signal: string, value: SignalValue): SignalValue
}

/** Without calibrations, until they are installed. */
export function createCalibrator(rawSpec: () => InstrumentSpec): Calibrator {
  let inForce: SignalCalibrations = {}
  let fits: ReadonlyMap<string, Fit | LabError> = new Map()
  let fitted: InstrumentSpec | undefined
  let spec: InstrumentSpec | undefined

  const fitTo = (raw: InstrumentSpec, name: string, { curve, uncertainty }: Parameters<Calibrator['check']>[1]) => {
    const signal = raw.signals.find((each) => each.name === name)
    if (signal === undefined) {
      const known = raw.signals.map((each) => each.name)
      throw new LabError({
        code: 'calibration-unfit',
        kind: 'caller',
        message: `${raw.name} has no signal ${name}${didYouMean(name, known)}`,
      })
    }
    return curve === null ? undefined : fit(signal, curve, uncertainty === undefined ? {} : { uncertainty })
  }

  /** An instrument may say anew what it is, when it is opened. */
  const refresh = (): InstrumentSpec => {
    const raw = rawSpec()
    if (raw === fitted && spec !== undefined) return spec
    const next = new Map<string, Fit | LabError>()
    for (const [name, record] of Object.entries(inForce)) {
      try {
        const found = fitTo(raw, name, record)
        if (found !== undefined) next.set(name, found)
      } catch (thrown) {
        next.set(name, asLabError(thrown))
      }
    }
    const calibrated = (name: string) => {
      const found = next.get(name)
      return found instanceof LabError ? undefined : found?.spec
    }
    fits = next
    fitted = raw
    spec = next.size === 0 ? raw : { ...raw, signals: raw.signals.map((signal) => calibrated(signal.name) ?? signal) }
    return spec
  }

  const fitOf = (name: string): Fit | undefined => {
    refresh()
    const found = fits.get(name)
    if (found instanceof LabError) throw found
    return found
  }

  return {
    get spec() {
      return refresh()
    },
    get inForce() {
      return inForce
    },
    check: (name, calibration) => void fitTo(rawSpec(), name, calibration),
    install: (calibrations) => {
      inForce = calibrations
      fitted = undefined
    },
    readings: (raw) => {
      refresh()
      if (fits.size === 0) return raw
      const good = { ...raw }
      for (const [name, reading] of Object.entries(raw)) {
        const found = fitOf(name)
        if (found !== undefined && typeof reading.value === 'number')
          good[name] = { ...reading, value: calibratedValue(found, reading.value), raw: reading.value }
      }
      return good
    },
    block: (raw) => {
      refresh()
      if (fits.size === 0) return raw
      const columns: Record<string, Float64Array> = { ...raw.columns }
      for (const [name, column] of Object.entries(raw.columns)) {
        const found = fitOf(name)
        if (found !== undefined) columns[name] = column.map((value) => calibratedValue(found, value))
      }
      return { time: raw.time, columns }
    },
    toRaw: (name, value) => {
      const found = fitOf(name)
      return found === undefined || typeof value !== 'number' ? value : found.toRaw(value)
    },
  }
}
