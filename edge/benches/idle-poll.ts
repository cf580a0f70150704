/**
 * Slow reads of free benches, so that dashboards and the live panel see the present values.
 *
 * INVARIANTS: only benches that nobody holds are read, and the read is dropped the moment somebody takes the bench; no
 * instrument is made to do something else for it, and none waits for another bench's; a failing instrument is only noted
 * by its own handle.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type { SignalValue } from '../drivers/driver.ts'
import type { Bench } from './bench.ts'

export interface IdlePollOptions {
  readonly benches: ReadonlyMap<string, Bench>
  readonly clock: Clock
  readonly log: Log
  readonly everyMs?: number
  readonly wanted: () => boolean
  readonly onValue: (instrument: string, signal: string, value: SignalValue, unit: string, timeS: number) => void
}

const EVERY_MS = 5000
const READ_MS = 2000
/** A run's first question waits for what is left of a reading under way. */
const QUICK_S = 0.2

/** Polls until the returned function is called. */
export function startIdlePoll({ benches, ...options }: IdlePollOptions): () => void {
  const stops = [...benches.values()].map((bench) => pollBench(bench, options))
  return () => {
    for (const stop of stops) stop()
  }
}

function pollBench(
  bench: Bench,
  { clock, log, everyMs = EVERY_MS, wanted, onValue }: Omit<IdlePollOptions, 'benches'>,
): () => void {
  const stopped = new AbortController()
  let reading: AbortController | undefined
  bench.onChange(({ status }) => {
    if (status.state !== 'free') reading?.abort(new Error('the bench was taken'))
  })

  const poll = async () => {
    for (const handle of new Set(bench.parts.values())) {
      const signals = handle.spec.signals.filter(
        ({ name, access, kind, shape, readS = 0 }) =>
          access !== 'set' && kind === 'reading' && shape.length === 0 && readS <= QUICK_S && !handle.disturbs(name),
      )
      if (signals.length === 0 || bench.status.state !== 'free' || stopped.signal.aborted) continue
      const controller = new AbortController()
      reading = controller
      try {
        const readings = await handle.read(
          signals.map(({ name }) => name),
          { signal: controller.signal, timeoutMs: READ_MS },
        )
        for (const { name, unit } of signals) {
          const found = readings[name]
          if (found !== undefined) onValue(handle.name, name, found.value, unit, found.time)
        }
      } catch (thrown) {
        if (!controller.signal.aborted)
          log.debug({ instrument: handle.name, error: String(thrown) }, 'an idle read failed')
      } finally {
        reading = undefined
      }
    }
  }

  const loop = async () => {
    while (!stopped.signal.aborted) {
      if (wanted() && bench.status.state === 'free') await poll()
      await clock.sleep(everyMs, stopped.signal)
    }
  }
  loop().catch(() => {
    // stopped
  })
  return () => {
    stopped.abort()
    reading?.abort(new Error('the node is closing'))
  }
}
