/**
 * Watches the signals of one interlock: takes every reading of them, whoever asked, and asks by itself when none comes.
 *
 * INVARIANTS: a reading is judged in the turn in which it arrives, before whoever asked for it sees it; every sample of
 * a block is; what can not be computed counts as a condition that holds; a signal that was not read for `unreadMs`
 * counts as one too, whatever the reason; a poll never waits behind another instrument's, and is not made where it would
 * change what the instrument does.
 */
import type { Scalar } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Block, Reading } from '../drivers/driver.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'
import type { Condition } from './condition.ts'

/** A signal that a condition looks at, and where it is read. */
export interface WatchedSignal {
  /** As in the condition: `oven.temperature`. */
  readonly key: string
  readonly handle: InstrumentHandle
  readonly signal: string
  readonly unit: string
}

export interface WatchOptions {
  readonly condition: Condition
  readonly signals: readonly WatchedSignal[]
  readonly everyMs: number
  readonly unreadMs: number
  readonly clock: Clock
  /** What was seen, with the values of then, at a time of the monotonic clock. */
  readonly onSeen: (holds: boolean, why: () => string, atMs: number) => void
  readonly onUnread: (why: () => string) => void
  /** What a poll has read. */
  readonly onPolled: (watched: WatchedSignal, reading: Reading) => void
}

const LONGEST_READ_MS = 2000
/** A timer may be a little early: a poll left out for that would come twice as late. */
const EARLY = 0.9
/** After a failure, however seldom it is read. */
const AGAIN_MS = 200

export interface Watch {
  /** Begins to poll, and to count how long nothing was read. */
  start(): void
  stop(): void
}

export function createWatch(options: WatchOptions): Watch {
  const { condition, signals, everyMs, unreadMs, clock, onSeen, onUnread, onPolled } = options
  const values = new Map<string, Scalar>()
  const readAt = new Map<WatchedSignal, number>()
  const problems = new Map<InstrumentHandle, string>()
  const stopped = new AbortController()
  let cancel = () => {}

  const read = (key: string) => values.get(key)
  const why = () => {
    const seen = signals.map(({ key, unit }) => `${key} = ${values.get(key)}${unit === '1' ? '' : ` ${unit}`}`)
    return `${condition.text}, with ${seen.join(', ')}`
  }
  const judge = (atMs: number) => {
    if (signals.some(({ key }) => !values.has(key))) return
    try {
      onSeen(condition.holds(read), why, atMs)
    } catch (thrown) {
      onSeen(true, () => asLabError(thrown).message, atMs)
    }
  }

  const byHandle = new Map<InstrumentHandle, WatchedSignal[]>()
  for (const one of signals) byHandle.set(one.handle, [...(byHandle.get(one.handle) ?? []), one])

  const follow = (handle: InstrumentHandle, watched: readonly WatchedSignal[]) => {
    const onReadings = (readings: Readonly<Record<string, Reading>>) => {
      const found = watched.filter(({ signal }) => readings[signal] !== undefined)
      if (found.length === 0 || stopped.signal.aborted) return
      const now = clock.monotonic()
      for (const one of found) {
        values.set(one.key, readings[one.signal]?.value as Scalar)
        readAt.set(one, now)
      }
      judge(now)
    }
    const onBlock = ({ time, columns }: Block) => {
      const found = watched.filter(({ signal }) => columns[signal] !== undefined)
      if (found.length === 0 || time.length === 0 || stopped.signal.aborted) return
      const now = clock.monotonic()
      const last = time[time.length - 1] ?? 0
      for (const one of found) readAt.set(one, now)
      for (let i = 0; i < time.length; i++) {
        for (const { key, signal } of found) values.set(key, columns[signal]?.[i] ?? Number.NaN)
        judge(now - 1000 * (last - (time[i] ?? last)))
      }
    }
    handle.watch({ onReadings, onBlock })
  }
  for (const [handle, watched] of byHandle) follow(handle, watched)

  /** Resolves with when to ask again. */
  const pollOnce = async (handle: InstrumentHandle, watched: readonly WatchedSignal[]): Promise<number> => {
    const now = clock.monotonic()
    const old = watched.filter((one) => now - (readAt.get(one) ?? Number.NEGATIVE_INFINITY) >= EARLY * everyMs)
    const names = [...new Set(old.map(({ signal }) => signal))].filter((signal) => !handle.disturbs(signal))
    if (names.length === 0) return everyMs
    try {
      const timeoutMs = Math.min(unreadMs, LONGEST_READ_MS)
      const readings = await handle.read(names, { signal: stopped.signal, timeoutMs })
      problems.delete(handle)
      for (const one of old) {
        const reading = readings[one.signal]
        if (reading !== undefined) onPolled(one, reading)
      }
    } catch (thrown) {
      // Its own handle has noted it; it counts when it lasts.
      problems.set(handle, asLabError(thrown).message)
    }
    return problems.has(handle) ? Math.min(everyMs, AGAIN_MS) : everyMs
  }

  const poll = async (handle: InstrumentHandle, watched: readonly WatchedSignal[]) => {
    while (!stopped.signal.aborted) {
      await clock.sleep(await pollOnce(handle, watched), stopped.signal)
    }
  }

  /** Tells of the signal that was not read for the longest, as often as that lasts `unreadMs`. */
  const lookForUnread = (startedAt: number) => {
    const at = (one: WatchedSignal) => readAt.get(one) ?? startedAt
    const oldest = signals.reduce((a, b) => (at(b) < at(a) ? b : a))
    const leftMs = at(oldest) + unreadMs - clock.monotonic()
    if (leftMs <= 0) {
      const problem = problems.get(oldest.handle)
      onUnread(() => `${oldest.key} was not read for ${unreadMs} ms${problem === undefined ? '' : ` (${problem})`}`)
    }
    cancel = clock.after(leftMs > 0 ? leftMs : everyMs, () => lookForUnread(startedAt))
  }

  return {
    start: () => {
      lookForUnread(clock.monotonic())
      for (const [handle, watched] of byHandle) {
        poll(handle, watched).catch(() => {
          // stopped
        })
      }
    },
    stop: () => {
      cancel()
      stopped.abort(new Error('the node is closing'))
    },
  }
}
