/**
 * The values of a board of which only its description is known: what is set is kept within its limits; what is only read
 * wanders slowly about a point of its own, with a little noise, in whole steps.
 */
import type { BoardDescription, BoardSignal } from '../../link/description.ts'
import { createNoise, type Noise } from '../noise.ts'

/** Statuses of the wire. */
export const OK = 0
const UNKNOWN = 1
const LIMITS = 2
const MALFORMED = 4

/** Where a range has no sense of its own, such as that of a float, values are about 0. */
const WIDEST = 1e6
/** Of the range: how far a value wanders, and its noise. */
const WANDER = 0.1
const NOISE = 0.002

interface Channel {
  readonly signal: BoardSignal
  readonly noise: Noise
  readonly centre: number
  readonly span: number
  readonly periodS: number
  set: number
}

export class BoardValues {
  readonly #description: BoardDescription
  readonly #channels: ReadonlyMap<number, Channel>

  constructor(description: BoardDescription, seed: string) {
    this.#description = description
    this.#channels = new Map(
      description.signals.map((signal) => [signal.index, channelOf(signal, createNoise(`${seed}/${signal.name}`))]),
    )
  }

  signal(index: number): BoardSignal | undefined {
    return this.#channels.get(index)?.signal
  }

  /** In steps, at a time; undefined for what is no signal that can be read. */
  read(index: number, timeS: number): number | undefined {
    const channel = this.#channels.get(index)
    if (channel === undefined || channel.signal.access === 'set') return undefined
    const { signal, noise, centre, span, periodS } = channel
    if (signal.access === 'read-set') return channel.set
    if (signal.type === 'bool') return Math.sin((2 * Math.PI * timeS) / periodS) > 0 ? 1 : 0
    const value = centre + span * (WANDER * Math.sin((2 * Math.PI * timeS) / periodS) + NOISE * noise.normal())
    const steps = Math.max(signal.low, Math.min(signal.high, value)) / signal.step
    return signal.type === 'f32' ? steps : Math.round(steps)
  }

  /** All of them or, where one is refused, none; the status. Each has its index and its steps. */
  set(settings: readonly (readonly [index: number, steps: number])[]): number {
    for (const [index, steps] of settings) {
      const signal = this.#channels.get(index)?.signal
      if (signal === undefined || signal.access === 'read') return UNKNOWN
      if (!isWithin(signal, steps)) return LIMITS
    }
    for (const [index, steps] of settings) {
      const channel = this.#channels.get(index)
      if (channel !== undefined) channel.set = steps
    }
    return OK
  }

  /** What an action does is not in a description: with good arguments it is done, and changes nothing. */
  call(index: number, steps: readonly number[]): number {
    const action = this.#description.actions.find((each) => each.index === index)
    if (action === undefined) return UNKNOWN
    if (steps.length !== action.arguments.length) return MALFORMED
    return action.arguments.every((argument, i) => isWithin(argument, steps[i] ?? Number.NaN)) ? OK : LIMITS
  }
}

/** As far as four bytes can say. */
const isWithin = ({ low, high, step }: Pick<BoardSignal, 'low' | 'high' | 'step'>, steps: number): boolean =>
  steps >= Math.fround(low / step) && steps <= Math.fround(high / step)

function channelOf(signal: BoardSignal, noise: Noise): Channel {
  const isWide = !(signal.high - signal.low <= WIDEST)
  const span = isWide ? 1 : signal.high - signal.low
  const middle = isWide ? 0 : signal.low + span * (0.4 + 0.2 * noise.uniform())
  // What can be set begins at 0, or at the limit next to it.
  const start = Math.max(signal.low, Math.min(signal.high, 0)) / signal.step
  return {
    signal,
    noise,
    centre: middle,
    span,
    periodS: 20 + 40 * noise.uniform(),
    set: signal.type === 'f32' ? Math.fround(start) : Math.round(start),
  }
}
