import type { Scalar } from '../capabilities/signals.ts'
import { LabError } from '../primitives/lab-error.ts'
import type { Environment } from './environment.ts'
import type { ParameterValues, Protocol, SignalKey } from './protocol.ts'

export interface Assignment {
  readonly part: string
  readonly signal: string
  readonly value: Scalar
  /** The unit `value` is in; undefined when the protocol gave a bare number: it is in the signal's own unit. */
  readonly unit?: string
}

/** A signal as a column of a stream; its key is `part.signal`. */
export interface SignalColumn {
  readonly part: string
  readonly signal: string
}

export interface DerivedValue {
  readonly name: string
  readonly unit: string
  /** Reads the environment: call it after the row's readings were observed. Throws a LabError when not finite. */
  compute(): number
}

export type Instructions = Generator<Instruction, void, void>

/** What the engine performs, in order. `path` is the step's place in the file: `steps[3].sweep.steps[0].set`. */
export type Instruction =
  | { readonly op: 'set'; readonly path: string; readonly assignments: readonly Assignment[] }
  | {
      readonly op: 'ramp'
      readonly path: string
      readonly part: string
      readonly signal: string
      readonly from?: number
      readonly to: number
      /** The unit of from, to and rate (per second); undefined: the signal's own. */
      readonly unit?: string
      readonly overS?: number
      readonly rate?: number
    }
  | { readonly op: 'wait'; readonly path: string; readonly seconds: number }
  | {
      readonly op: 'read'
      readonly path: string
      readonly stream: string
      readonly columns: readonly SignalColumn[]
      readonly variables: Readonly<Record<string, number>>
      readonly derived: readonly DerivedValue[]
    }
  | {
      readonly op: 'record'
      readonly path: string
      readonly stream: string
      readonly columns: readonly SignalColumn[]
      readonly rateHz: number
      readonly variables: Readonly<Record<string, number>>
      readonly forS?: number
      readonly body?: Instructions
    }
  | { readonly op: 'parallel'; readonly path: string; readonly branches: readonly Instructions[] }
  | {
      readonly op: 'call'
      readonly path: string
      readonly part: string
      readonly action: string
      readonly args: Readonly<Record<string, Scalar>>
      readonly withinS?: number
    }
  | {
      readonly op: 'deadline'
      readonly path: string
      readonly seconds: number
      readonly body: Instructions
      readonly onExpiry: 'fail' | 'continue'
    }
  | { readonly op: 'fail'; readonly path: string; readonly error: LabError }

/** The signal's name as written in protocols and used as column key. */
export const signalKey = (column: { readonly part: string; readonly signal: string }): SignalKey =>
  `${column.part}.${column.signal}`

/**
 * The protocol as instructions, made lazily: each is made when asked for, so that expressions see what the engine has
 * observed by then. Throws a LabError (kind caller) where an expression fails or the step budget is spent.
 */
export function* expand(protocol: Protocol, parameters: ParameterValues, environment: Environment): Instructions {
  throw new LabError({ code: 'not-built', kind: 'bug', message: `${protocol.version} ${parameters} ${environment}` })
}
