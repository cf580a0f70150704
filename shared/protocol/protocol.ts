/**
 * The protocol language as data: what `parseProtocol` makes of a file, what hubs store and nodes run. Plain JSON, so
 * that it travels and hashes; expressions stay text and are compiled where they are evaluated.
 *
 * Reading order: this file, `parse.ts`, `check-protocol.ts`, `estimate.ts`, `expand.ts`, `outputs.ts`.
 */
import type { ParameterSpec, PartRequirement, Scalar, Text } from '../capabilities/signals.ts'

/** `part.signal`. */
export type SignalKey = string

/** Text in the expression language (see `expression.ts`). */
export type ExpressionText = string

/** A number in the unit that its place implies, or a number or expression in a unit of its own. */
export type Amount = number | { readonly value: number | ExpressionText; readonly unit?: string }

/** What a signal is set to; `{text}` for a signal that holds text. */
export type Value = Amount | boolean | { readonly text: string }

export interface SetStep {
  readonly kind: 'set'
  readonly label?: string
  readonly values: Readonly<Record<SignalKey, Value>>
}

/** Exactly one of `rate` (signal's unit per second) and `over` (seconds). Without `from`, from the present value. */
export interface RampStep {
  readonly kind: 'ramp'
  readonly label?: string
  readonly signal: SignalKey
  readonly from?: Amount
  readonly to: Amount
  readonly rate?: Amount
  readonly over?: Amount
}

export interface WaitStep {
  readonly kind: 'wait'
  readonly label?: string
  readonly duration: Amount
}

export interface DerivedColumn {
  readonly value: ExpressionText
  readonly unit: string
  readonly title?: Text
}

/** One row into `stream`: the signals, the loop variables in scope, the derived values. */
export interface ReadStep {
  readonly kind: 'read'
  readonly label?: string
  readonly signals: readonly SignalKey[]
  readonly stream: string
  readonly derive: Readonly<Record<string, DerivedColumn>>
}

/** Samples at `rate` while `steps` run, or for `for` seconds, or both (whichever is longer). */
export interface RecordStep {
  readonly kind: 'record'
  readonly label?: string
  readonly signals: readonly SignalKey[]
  readonly rate: Amount
  readonly stream: string
  readonly for?: Amount
  readonly steps?: readonly Step[]
}

export interface SweepRange {
  readonly from: Amount
  readonly to: Amount
  readonly points: Amount
  readonly spacing: 'linear' | 'logarithmic'
}

export interface SweepStep {
  readonly kind: 'sweep'
  readonly label?: string
  readonly variable: string
  readonly unit?: string
  readonly over: SweepRange | { readonly values: readonly Amount[] }
  readonly steps: readonly Step[]
}

/** `variable`, if named, counts from 0. */
export interface RepeatStep {
  readonly kind: 'repeat'
  readonly label?: string
  readonly times: Amount
  readonly variable?: string
  readonly steps: readonly Step[]
}

/** Does `steps`, then looks at `condition`; again after `every` (10 ms at least) until it holds or `within` has passed. */
export interface UntilStep {
  readonly kind: 'until'
  readonly label?: string
  readonly condition: ExpressionText
  readonly within: Amount
  readonly every?: Amount
  readonly otherwise: 'fail' | 'continue'
  readonly steps: readonly Step[]
}

export interface ParallelStep {
  readonly kind: 'parallel'
  readonly label?: string
  readonly branches: readonly (readonly Step[])[]
}

export interface CallStep {
  readonly kind: 'call'
  readonly label?: string
  /** `part.action`. */
  readonly action: string
  readonly arguments: Readonly<Record<string, Value>>
  readonly within?: Amount
}

export interface AssertStep {
  readonly kind: 'assert'
  readonly label?: string
  readonly condition: ExpressionText
  readonly message: Text
}

/**
 * Lets a person's commands through until the time is over, the person ends it, none comes for `idleS`, or the hub has
 * been silent for `silenceS`. Only the hub writes it, into the protocol of a session: in a file there is no such step.
 */
export interface LiveStep {
  readonly kind: 'live'
  readonly label?: string
  readonly seconds: Amount
  readonly idleS: number
  readonly silenceS: number
  /** The person works on the pages of a laboratory's own server, which begins and may end the step. */
  readonly server?: LabVisit
}

/** How a session is handed to a laboratory's own server. */
export interface LabVisit {
  /** The part that is the server. */
  readonly part: string
  /** What the lab is called there. Default: its name here. */
  readonly experiment?: string
  readonly category?: string
  /** What the lab's server gets as it is (`client_initial_data`). */
  readonly data?: Readonly<Record<string, unknown>>
}

/**
 * Ends the session that a laboratory's own server has open, if it has one. Only the hub writes it, into the clean-up of
 * a session.
 */
export interface DisposeStep {
  readonly kind: 'dispose'
  readonly label?: string
  readonly part: string
}

export type Step =
  | SetStep
  | RampStep
  | WaitStep
  | ReadStep
  | RecordStep
  | SweepStep
  | RepeatStep
  | UntilStep
  | ParallelStep
  | CallStep
  | AssertStep
  | LiveStep
  | DisposeStep

export type StatisticKind = 'mean' | 'std' | 'min' | 'max' | 'sum' | 'count' | 'crossing-rate' | 'last'
export type FitModel = 'linear' | 'exponential' | 'sine'

/** The coefficients that each fit has, by name. */
export const FIT_COEFFICIENTS: Readonly<Record<FitModel, readonly string[]>> = {
  linear: ['slope', 'intercept'],
  exponential: ['offset', 'amplitude', 'tau'],
  sine: ['offset', 'amplitude', 'frequency', 'phase'],
}

export interface ReadingOutput {
  readonly kind: 'reading'
  readonly stream: string
  /** A column: `part.signal`, a variable or a derived value. */
  readonly signal: string
  readonly which: 'last' | 'first'
}

export interface StatisticOutput {
  readonly kind: 'statistic'
  readonly stream: string
  /** Over the columns of the stream, `time` and the parameters. */
  readonly signal: ExpressionText
  readonly statistic: StatisticKind
  /** For `crossing-rate`. */
  readonly threshold?: Amount
  readonly where?: ExpressionText
}

export interface FitOutput {
  readonly kind: 'fit'
  readonly model: FitModel
  readonly stream: string
  /** Over columns and `time`, seconds since the stream's first row. */
  readonly x: ExpressionText
  readonly y: ExpressionText
  readonly where?: ExpressionText
  /** Over the model's coefficients and the parameters. */
  readonly value: ExpressionText
}

/** A declared result of a run. */
export interface OutputSpec {
  readonly title: Text
  readonly unit: string
  readonly from: ReadingOutput | StatisticOutput | FitOutput
}

export interface PlotSpec {
  readonly title: Text
  readonly stream: string
  /** `time`, or a column. */
  readonly x: string
  readonly y: readonly string[]
  readonly kind: 'line' | 'scatter'
  readonly xScale: 'linear' | 'log'
  readonly yScale: 'linear' | 'log'
  /** Name of an output that is a fit over the same stream. */
  readonly fit?: string
}

/** A parsed protocol. */
export interface Protocol {
  readonly title: Text
  readonly summary?: Text
  readonly version: number
  readonly restart: 'safe' | 'never'
  readonly parameters: Readonly<Record<string, ParameterSpec>>
  readonly parts?: Readonly<Record<string, PartRequirement>>
  readonly steps: readonly Step[]
  /** Done after the steps, however they ended, before the bench goes to its safe state; a session's. */
  readonly cleanUp?: readonly Step[]
  readonly outputs: Readonly<Record<string, OutputSpec>>
  readonly plots: readonly PlotSpec[]
}

/** Parameter values in their declared units, as `checkParameters` returns them. */
export type ParameterValues = Readonly<Record<string, Scalar>>

/** The most `read` rows that one run may produce. */
export const MAX_POINTS = 1_000_000
/** The most instructions that one run may expand to. */
export const MAX_INSTRUCTIONS = 5_000_000
/** The most samples that the records of one run may produce. */
export const MAX_SAMPLES = 200_000_000
/** The longest estimated time of one run. */
export const MAX_SECONDS = 24 * 3600
/** How deep steps may nest. */
export const MAX_NESTING = 16
/** The stream of a `read` that names none. */
export const PRIMARY_STREAM = 'primary'
