/**
 * What was read of the bench and asked of it, as the page has it.
 *
 * INVARIANTS: a signal's times never go back; a history holds at most `mostPoints`; listeners hear of many changes once,
 * when `schedule` says; of what is one of few values, such as on or off, nothing is asked for any more once it was read.
 */
import type { Scalar } from '@fernlab/shared/capabilities/signals'
import { asNumber } from './signals.ts'

/** Readings of one signal, the oldest first; times in epoch seconds of the bench's clock. */
export interface Samples {
  readonly unit: string
  readonly time: readonly number[]
  readonly values: readonly Scalar[]
}

export interface History {
  readonly time: readonly number[]
  readonly values: readonly number[]
}

export interface SignalStore {
  /** Takes new readings, by signal. */
  take(samples: Readonly<Record<string, Samples>>): void
  /** These values were asked for, and the bench took them. */
  askedFor(values: Readonly<Record<string, Scalar>>): void
  /** The newest value that was read; undefined before the first. */
  latest(key: string): Scalar | undefined
  /** The last value that was asked for; of what is one of few values, until it was read. */
  asked(key: string): Scalar | undefined
  /** Whether what is read is another value still, a while after one was asked for: the bench has gone its own way. */
  missed(key: string): boolean
  /** The readings of the last while, oldest first; the arrays change with the next reading. */
  history(key: string): History
  /** The time of the newest reading of all. */
  readonly now: number
  /** Calls back after changes; returns how to stop. */
  subscribe(listener: () => void): () => void
}

const mostPoints = 20_000
/** So long a bench may say what was before, in its seconds: a reading may have been under way. */
const graceS = 1
const none: History = { time: [], values: [] }

interface Options {
  /** How much of the past the charts show. */
  readonly keepS: number
  /** Calls back soon: in a browser with the next frame. */
  readonly schedule: (tell: () => void) => void
}

/** A store that keeps `keepS` seconds of each signal. */
export function createSignalStore({ keepS, schedule }: Options): SignalStore {
  const histories = new Map<string, { time: number[]; values: number[] }>()
  const latest = new Map<string, Scalar>()
  const asked = new Map<string, { value: Scalar; since: number; missed: boolean }>()
  const listeners = new Set<() => void>()
  let scheduled = false
  let now = 0

  const changed = () => {
    if (scheduled) return
    scheduled = true
    schedule(() => {
      scheduled = false
      for (const listener of listeners) listener()
    })
  }

  /** Measured numbers are never quite what was asked for. */
  const compare = (key: string, value: Scalar, at: number) => {
    const wanted = asked.get(key)
    if (wanted === undefined || typeof value === 'number' || at <= wanted.since) return
    if (value === wanted.value) asked.delete(key)
    else wanted.missed = at > wanted.since + graceS
  }

  const keep = (key: string, { time, values }: Samples) => {
    const history = histories.get(key) ?? { time: [], values: [] }
    histories.set(key, history)
    for (const [i, at] of time.entries()) {
      const value = values[i]
      if (value === undefined || at <= (history.time.at(-1) ?? 0)) continue
      history.time.push(at)
      history.values.push(asNumber(value))
      latest.set(key, value)
      now = Math.max(now, at)
      compare(key, value, at)
    }
    trim(history, now - keepS)
  }

  return {
    take: (samples) => {
      for (const [key, read] of Object.entries(samples)) keep(key, read)
      changed()
    },
    askedFor: (values) => {
      for (const [key, value] of Object.entries(values)) asked.set(key, { value, since: now, missed: false })
      changed()
    },
    latest: (key) => latest.get(key),
    asked: (key) => asked.get(key)?.value,
    missed: (key) => asked.get(key)?.missed ?? false,
    history: (key) => histories.get(key) ?? none,
    get now() {
      return now
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Drops what is too old, a quarter of it at a time; of too many points every second. */
function trim(history: { time: number[]; values: number[] }, since: number): void {
  const old = history.time.findIndex((at) => at >= since)
  if (old > history.time.length / 4) {
    history.time.splice(0, old)
    history.values.splice(0, old)
  }
  if (history.time.length <= mostPoints) return
  history.time = history.time.filter((_, i) => i % 2 === 0)
  history.values = history.values.filter((_, i) => i % 2 === 0)
}
