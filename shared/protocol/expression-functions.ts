import type { RecordStatistic } from './environment.ts'

/** Names with a fixed value. */
export const constants: Readonly<Record<string, number>> = Object.assign(Object.create(null), {
  pi: Math.PI,
  e: Math.E,
})

/** Functions of the latest finished record: `mean(part.signal)`; amplitude and phase also take a frequency in Hz. */
export const statisticNames: readonly RecordStatistic[] = ['mean', 'std', 'min', 'max', 'amplitude', 'phase', 'count']

export interface MathFunction {
  /** Fewest and most arguments. */
  readonly arguments: readonly [number, number]
  compute(...values: number[]): number
}

const one = (compute: (value: number) => number): MathFunction => ({ arguments: [1, 1], compute })

/** Functions of numbers; angles are in rad, `log` is natural. */
export const functions: Readonly<Record<string, MathFunction>> = Object.assign(Object.create(null), {
  abs: one(Math.abs),
  sqrt: one(Math.sqrt),
  cbrt: one(Math.cbrt),
  exp: one(Math.exp),
  log: one(Math.log),
  log10: one(Math.log10),
  log2: one(Math.log2),
  sin: one(Math.sin),
  cos: one(Math.cos),
  tan: one(Math.tan),
  asin: one(Math.asin),
  acos: one(Math.acos),
  atan: one(Math.atan),
  sinh: one(Math.sinh),
  cosh: one(Math.cosh),
  tanh: one(Math.tanh),
  floor: one(Math.floor),
  ceil: one(Math.ceil),
  round: one(Math.round),
  sign: one(Math.sign),
  atan2: { arguments: [2, 2], compute: Math.atan2 },
  pow: { arguments: [2, 2], compute: (base: number, exponent: number) => base ** exponent },
  hypot: { arguments: [2, 16], compute: Math.hypot },
  min: { arguments: [2, 16], compute: Math.min },
  max: { arguments: [2, 16], compute: Math.max },
})

/** True for a name that a parameter or variable may not take. Functions are told apart by their parentheses. */
export const isReserved = (name: string): boolean => name in constants || RESERVED.includes(name)

const RESERVED = ['time', 'true', 'false', 'null', 'this', 'undefined']
