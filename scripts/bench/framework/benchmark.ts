/** What a benchmark is: contestants that take turns, round by round, and the figures that each round yields. */
import type { Bench } from './surroundings.ts'

/** What one round of one contestant measured. */
export interface RoundResult {
  /** By the benchmark's figure names; a contestant may leave out those that it has not. */
  readonly figures: Readonly<Record<string, number>>
  /** Whatever helps to check the figures; goes into the JSON as it is. */
  readonly raw?: unknown
}

/** A contestant that is up and warm. */
export interface Running {
  round(): Promise<RoundResult>
  close(): Promise<void>
}

export interface Contestant {
  /** `fernlab`, or the peer's name. */
  readonly name: string
  /** One sentence on what exactly runs. */
  readonly what: string
  start(bench: Bench): Promise<Running>
}

/** What a figure should be: absolute, or as a ratio to another contestant's median. */
export interface Aim {
  readonly bound: 'at least' | 'at most'
  readonly value: number
  /** The contestant whose median is the divisor. */
  readonly times?: string
  /** The contestant that it is for: the first unless given. */
  readonly of?: string
}

export interface Figure {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly aim?: Aim
}

export interface Benchmark {
  /** For the filter: `dispatch-64`. */
  readonly name: string
  readonly title: string
  readonly figures: readonly Figure[]
  /** The first is Fernlab. */
  readonly contestants: readonly Contestant[]
  /** Rounds when the command line names no number; 5 unless given. */
  readonly rounds?: number
}
