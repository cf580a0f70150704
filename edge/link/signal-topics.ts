/**
 * Signals as retained MQTT messages, for dashboards.
 *
 * INVARIANTS: a signal is published at most once in `LEAST_MS`, the latest value last, at the latest at
 * the end; an unchanged value only once in `STILL_MS`; what was true before the value that is known (a slow exchange ends
 * after the safe state) changes nothing; nothing is kept for a broker that is away but the latest value of
 * each signal.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { SignalValue } from '../drivers/driver.ts'

export interface SignalTopics {
  note(instrument: string, signal: string, value: SignalValue, unit: string, timeS: number): void
  /** Publishes all that is known, after a connect. */
  republish(): void
  /** Publishes what has changed since, and nothing any more. */
  close(): void
}

export interface CreateSignalTopicsOptions {
  readonly clock: Clock
  /** Publishes retained; may drop. */
  readonly publish: (instrument: string, signal: string, payload: string) => void
  readonly connected: () => boolean
}

interface Entry {
  readonly instrument: string
  readonly signal: string
  readonly unit: string
  value: SignalValue
  timeS: number
  published: SignalValue | undefined
  publishedAt: number
}

const LEAST_MS = 1000
const STILL_MS = 60_000
/** By more than this no exchange is late: then the clock was set back. */
const LATEST_S = 60

export function createSignalTopics({ clock, publish, connected }: CreateSignalTopicsOptions): SignalTopics {
  const entries = new Map<string, Entry>()
  const changed = new Set<Entry>()
  let cancel: (() => void) | undefined
  let closed = false

  const send = (entry: Entry, now: number) => {
    entry.published = entry.value
    entry.publishedAt = now
    const { value, unit, timeS } = entry
    publish(entry.instrument, entry.signal, JSON.stringify({ value, unit, time: new Date(timeS * 1000).toISOString() }))
  }

  const sweep = () => {
    cancel = undefined
    const now = clock.monotonic()
    for (const entry of changed) {
      if (now - entry.publishedAt < LEAST_MS) continue
      changed.delete(entry)
      if (connected()) send(entry, now)
    }
    if (changed.size > 0 && !closed) cancel = clock.after(LEAST_MS / 4, sweep)
  }

  return {
    note: (instrument, signal, value, unit, timeS) => {
      const key = `${instrument}/${signal}`
      let entry = entries.get(key)
      if (entry === undefined) {
        entry = { instrument, signal, unit, value, timeS, published: undefined, publishedAt: Number.NEGATIVE_INFINITY }
        entries.set(key, entry)
      }
      if (timeS < entry.timeS && entry.timeS - timeS < LATEST_S) return
      entry.value = value
      entry.timeS = timeS
      if (changed.has(entry)) return
      if (value === entry.published && clock.monotonic() - entry.publishedAt < STILL_MS) return
      changed.add(entry)
      if (!closed) cancel ??= clock.after(LEAST_MS / 4, sweep)
    },
    republish: () => {
      const now = clock.monotonic()
      for (const entry of entries.values()) send(entry, now)
    },
    close: () => {
      closed = true
      cancel?.()
      if (!connected()) return
      const now = clock.monotonic()
      for (const entry of changed) send(entry, now)
      changed.clear()
    },
  }
}
