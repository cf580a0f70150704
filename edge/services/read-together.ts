/**
 * Those who are read for in one reading, as often as the one wants it that wants it most often.
 *
 * INVARIANTS: one reading at a time of each way, and no way waits for another; each follower is asked, before a reading and
 * after it, whether it still may; a reading ends by its deadline, when nobody waits for it any more, and when it is late and
 * keeps those waiting who follow other signals, which is told.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { deadlineError, withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export type Readings = Readonly<Record<string, unknown>>

export interface Following {
  readonly signals: readonly string[]
  readonly rateHz: number
  /** The follower is gone, with the reason. */
  readonly signal: AbortSignal
  /** Throws when it may not read, or no more. */
  readonly guard?: () => void
  /** How it reads, now: those of one way are given the same readings. */
  readonly way?: () => unknown
  /** Reads for all of its way. */
  readonly read: (signals: readonly string[], signal: AbortSignal) => Promise<Readings>
}

export interface Waiting {
  readonly following: Following
  /** Its signals, the same text for the same set. */
  readonly set: string
  /** Monotonic; its first reading waits for nobody. */
  readonly due: number
  isFirst: boolean
  readonly resolve: (readings: Readings) => void
  readonly reject: (reason: unknown) => void
  /** Called when it is gone. */
  onLeft: () => void
}

/** A reading has as long as a call has. */
const READ_MS = 30_000
/** Instruments that are read in turn take this long; whoever wants readings more seldom can wait for longer. */
const LATE_MS = 250

export class ReadTogether {
  readonly #clock: Clock
  readonly #onLate: ((late: readonly Waiting[]) => void) | undefined
  readonly #followings = new Set<Following>()
  readonly #waiting = new Set<Waiting>()
  /** By way. */
  readonly #readings = new Map<unknown, Reading>()
  #leastMs = Number.POSITIVE_INFINITY
  #readAtMs = Number.NEGATIVE_INFINITY
  #plannedMs = Number.POSITIVE_INFINITY
  #cancel = () => {}

  /** `onLate` is given those whose reading takes too long for others; without it nobody is kept waiting. */
  constructor(clock: Clock, onLate: ((late: readonly Waiting[]) => void) | undefined) {
    this.#clock = clock
    this.#onLate = onLate
  }

  get isEmpty(): boolean {
    return this.#followings.size === 0
  }

  add(following: Following): void {
    this.#followings.add(following)
    this.#leastMs = Math.min(this.#leastMs, 1000 / following.rateHz)
  }

  remove(following: Following): void {
    this.#followings.delete(following)
    if (1000 / following.rateHz > this.#leastMs) return
    this.#leastMs = Math.min(Number.POSITIVE_INFINITY, ...[...this.#followings].map(({ rateHz }) => 1000 / rateHz))
  }

  /** Those are read for by the other from now on. */
  move(which: (following: Following) => boolean, to: ReadTogether): void {
    for (const following of [...this.#followings].filter(which)) {
      this.remove(following)
      to.add(following)
    }
    const places = [this.#waiting, ...[...this.#readings.values()].map(({ parked }) => parked)]
    for (const place of places) {
      for (const waiting of [...place].filter(({ following }) => which(following))) {
        place.delete(waiting)
        to.wait(waiting)
      }
    }
  }

  /** Reads for it when it is due. */
  wait(waiting: Waiting): void {
    this.#waiting.add(waiting)
    waiting.onLeft = () => void this.#waiting.delete(waiting)
    this.#planAt(this.#timeOf(waiting))
  }

  #timeOf({ due, isFirst }: Waiting): number {
    return isFirst ? due : Math.max(due, this.#readAtMs + this.#leastMs)
  }

  #planAt(timeMs: number): void {
    if (timeMs >= this.#plannedMs) return
    this.#cancel()
    this.#plannedMs = timeMs
    this.#cancel = this.#clock.after(Math.max(0, timeMs - this.#clock.monotonic()), () => this.#readDue())
  }

  #planNext(): void {
    let next = Number.POSITIVE_INFINITY
    for (const waiting of this.#waiting) next = Math.min(next, this.#timeOf(waiting))
    if (next < Number.POSITIVE_INFINITY) this.#planAt(next)
  }

  #readDue(): void {
    this.#plannedMs = Number.POSITIVE_INFINITY
    const now = this.#clock.monotonic()
    const ways = new Map<unknown, Waiting[]>()
    for (const waiting of this.#waiting) {
      // Timers come up to a millisecond early.
      if (this.#timeOf(waiting) > now + 1) continue
      this.#waiting.delete(waiting)
      try {
        waiting.following.guard?.()
        const way = waiting.following.way?.()
        const others = ways.get(way)
        const reading = this.#readings.get(way)
        if (reading !== undefined) park(waiting, reading)
        else if (others === undefined) ways.set(way, [waiting])
        else others.push(waiting)
      } catch (thrown) {
        waiting.reject(thrown)
      }
    }
    for (const [way, together] of ways) {
      this.#readAtMs = now
      const reading = readingOf(together)
      this.#readings.set(way, reading)
      void this.#readFor(together, reading).then(() => {
        this.#readings.delete(way)
        for (const parked of reading.parked) this.wait(parked)
      })
    }
    this.#planNext()
  }

  /** Reads once for all of them, and gives each its own. Never rejects. */
  async #readFor(together: readonly Waiting[], reading: Reading): Promise<void> {
    const left = new AbortController()
    const there = new Set(together)
    for (const waiting of together) {
      waiting.onLeft = () => {
        there.delete(waiting)
        if (there.size === 0) left.abort(waiting.following.signal.reason)
      }
    }
    const cancel = this.#clock.after(Math.max(LATE_MS, this.#leastMs), () => {
      reading.isLate = this.#onLate !== undefined
      giveUpIfLate(reading)
    })
    const came = await Promise.race([this.#found(together, reading, left.signal), reading.givenUp])
    cancel()
    if (came === 'late') {
      left.abort(
        new LabError({ code: 'reading-late', kind: 'instrument', retry: 'later', message: 'it was read anew' }),
      )
      return this.#onLate?.([...there])
    }
    for (const { following, resolve, reject } of there) {
      try {
        following.guard?.()
        const readings = came(following.signals)
        resolve(Object.fromEntries(following.signals.map((name) => [name, readings[name]])))
      } catch (thrown) {
        reject(thrown)
      }
    }
  }

  async #found(together: readonly Waiting[], { sets }: Reading, left: AbortSignal): Promise<Found> {
    const all = [...new Set(together.flatMap(({ following }) => following.signals))]
    const read = (signals: readonly string[]) => this.#read(together, signals, left)
    try {
      const readings = await read(all)
      return () => readings
    } catch (thrown) {
      // One that can't be read is not to end those who follow others.
      if (sets.size > 1 && !left.aborted) return await eachAlone(all, read)
      return () => {
        throw thrown
      }
    }
  }

  async #read([first]: readonly Waiting[], signals: readonly string[], left: AbortSignal): Promise<Readings> {
    const silent = () => deadlineError(`the reading of ${signals.join(', ')}`, READ_MS)
    const read = async (signal: AbortSignal) => (await first?.following.read(signals, signal)) ?? {}
    return await withDeadline(this.#clock, READ_MS, left, silent, read)
  }
}

/** One that is under way. */
interface Reading {
  readonly sets: ReadonlySet<string>
  /** Who is due meanwhile. */
  readonly parked: Set<Waiting>
  isLate: boolean
  readonly givenUp: Promise<'late'>
  readonly giveUp: () => void
}

function readingOf(together: readonly Waiting[]): Reading {
  let giveUp = () => {}
  const givenUp = new Promise<'late'>((resolve) => {
    giveUp = () => resolve('late')
  })
  return { sets: new Set(together.map(({ set }) => set)), parked: new Set(), isLate: false, givenUp, giveUp }
}

function park(waiting: Waiting, reading: Reading): void {
  reading.parked.add(waiting)
  waiting.onLeft = () => void reading.parked.delete(waiting)
  giveUpIfLate(reading)
}

/** One that keeps nobody else waiting has until its deadline. */
function giveUpIfLate({ sets, parked, isLate, giveUp }: Reading): void {
  if (isLate && (sets.size > 1 || [...parked].some(({ set }) => !sets.has(set)))) giveUp()
}

/** The set of signals of a follower, the same text for the same set. */
export const setOf = ({ signals }: Following): string => [...new Set(signals)].sort().join(' ')

/** What was read of these, or throws why one of them could not be. */
type Found = (signals: readonly string[]) => Readings

async function eachAlone(
  all: readonly string[],
  read: (signals: readonly string[]) => Promise<Readings>,
): Promise<Found> {
  const readings: Record<string, unknown> = {}
  const errors = new Map<string, unknown>()
  for (const name of all) {
    try {
      Object.assign(readings, await read([name]))
    } catch (thrown) {
      errors.set(name, thrown)
    }
  }
  return (signals) => {
    for (const name of signals) if (errors.has(name)) throw errors.get(name)
    return readings
  }
}
