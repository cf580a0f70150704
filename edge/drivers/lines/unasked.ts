/**
 * What an instrument says by itself.
 *
 * INVARIANTS: a line in which a `says` pattern finds something is never an answer; a value is the newest that was said over
 * the present connection, at the time at which its line had come, and never a part of one whose line began before it; at
 * most `MOST_PER_S` lines a second are looked at, and what is not known of them is counted, and logged once in a while.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Reading, SignalValue } from '../driver.ts'
import { perSecond } from '../process/per-second.ts'
import type { LineDescription, LineSignal } from './description.ts'
import type { LineMessages } from './messages.ts'

export interface UnaskedOptions {
  readonly instrument: string
  readonly description: LineDescription
  readonly messages: LineMessages
  readonly clock: Clock
  readonly log: Log
  /** It answers nothing: no line of it is an answer. */
  readonly only: boolean
}

interface Heard {
  readonly value: SignalValue | LabError
  /** Epoch seconds, and the same moment of the monotonic clock. */
  readonly time: number
  readonly atMs: number
}

/** As many as a GPS receiver says at 10 Hz, twice over. */
const MOST_PER_S = 200
const STALE_S = 10
/** How long people are told of what was odd. */
const TOLD_MS = 600_000

export class Unasked {
  readonly #options: UnaskedOptions
  readonly #said: readonly (readonly [string, LineSignal])[]
  readonly #heard = new Map<string, Heard>()
  readonly #waiting = new Set<() => void>()
  readonly #isBearable: () => boolean
  #isFirst = true
  #odd: { readonly what: string; readonly atMs: number } | undefined
  #strange = 0
  #leftOut = 0

  constructor(options: UnaskedOptions) {
    this.#options = options
    this.#said = Object.entries(options.description.signals).filter(([, { says }]) => says !== undefined)
    this.#isBearable = perSecond(options.clock, MOST_PER_S)
  }

  /** A connection begins: what was said before counts no more. */
  begin(): void {
    this.#heard.clear()
    this.#isFirst = true
    for (const [name, signal] of this.#said) if (signal.number === 'count') this.#hear(name, 0)
  }

  /** Takes the line where it is none of the answers; false: it may be one. */
  take(line: string): boolean {
    const isFirst = this.#isFirst
    this.#isFirst = false
    if (!this.#isBearable()) {
      this.#leftOut += 1
      this.#note(`says more than ${MOST_PER_S} lines a second; ${this.#leftOut} were left out so far`)
      return true
    }
    const { messages, only } = this.#options
    let isKnown = false
    for (const [name, signal] of this.#said) {
      const found = messages.said(signal, line)
      if (found === undefined) continue
      isKnown = true
      // The port may have been opened in the middle of the first: 4 g of 120.4 g.
      if (isFirst && messages.mayBeRest(signal, line)) continue
      if (signal.number === 'count') this.#hear(name, Number(this.#heard.get(name)?.value ?? 0) + 1)
      else this.#hear(name, heardOf(found))
    }
    if (isKnown || !only) return isKnown
    // The first may be the rest of a line that began before the port was opened.
    if (!isFirst) this.strange(line)
    return true
  }

  /** Counts a line that is neither said nor an answer. */
  strange(line: string): void {
    this.#strange += 1
    const last = JSON.stringify(line.slice(0, 80))
    this.#note(`says what its description does not know: ${this.#strange} lines so far, the last ${last}`)
  }

  /** The newest; the first is waited for. Rejects with `reading-stale` when it is too old, or does not come. */
  async reading(name: string, waitMs: number, signal: AbortSignal): Promise<Reading> {
    const { clock } = this.#options
    const described = this.#said.find(([each]) => each === name)?.[1]
    const staleS = described?.number === 'count' ? 'never' : (described?.staleS ?? STALE_S)
    if (!this.#heard.has(name)) {
      const late = () => this.#stale(`${name} has not been said since the port was opened`)
      await withDeadline(clock, waitMs, signal, late, (within) => this.#first(name, within))
    }
    const heard = this.#heard.get(name)
    if (heard === undefined) throw this.#stale(`${name} has not been said since the port was opened`)
    const ageS = (clock.monotonic() - heard.atMs) / 1000
    if (staleS !== 'never' && ageS > staleS)
      throw this.#stale(`${name} was last said ${ageS.toFixed(1)} s ago, and is good for ${staleS} s`)
    if (heard.value instanceof LabError) throw heard.value
    return { value: heard.value, time: heard.time }
  }

  /** What staff should know of it. */
  complaint(): string | undefined {
    const { clock } = this.#options
    return this.#odd === undefined || clock.monotonic() - this.#odd.atMs > TOLD_MS ? undefined : this.#odd.what
  }

  #hear(name: string, value: SignalValue | LabError): void {
    const { clock } = this.#options
    this.#heard.set(name, { value, time: clock.now() / 1000, atMs: clock.monotonic() })
    for (const look of this.#waiting) look()
  }

  async #first(name: string, signal: AbortSignal): Promise<void> {
    let look = () => {}
    const has = new Promise<void>((resolve) => {
      look = () => {
        if (this.#heard.has(name)) resolve()
      }
    })
    const forget = () => void this.#waiting.delete(look)
    this.#waiting.add(look)
    signal.addEventListener('abort', forget, { once: true })
    await has
    forget()
    signal.removeEventListener('abort', forget)
  }

  #note(what: string): void {
    const { log, instrument, clock } = this.#options
    const isNews = this.complaint() === undefined
    this.#odd = { what, atMs: clock.monotonic() }
    if (isNews) log.warn({ instrument }, `${instrument} ${what}; see "says" and "ignore" of its description`)
  }

  #stale(why: string): LabError {
    const { instrument } = this.#options
    return new LabError({
      code: 'reading-stale',
      kind: 'instrument',
      retry: 'later',
      message: `${instrument}: ${why}`,
      studentMessage:
        'An instrument of this bench has not shown a value for a while. What was measured until then is kept.',
      details: { instrument },
    })
  }
}

/** A value that can not be read is told to whoever reads it. */
function heardOf(found: () => SignalValue): SignalValue | LabError {
  try {
    return found()
  } catch (thrown) {
    return asLabError(thrown)
  }
}
