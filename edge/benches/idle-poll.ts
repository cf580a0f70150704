/**
 * Slow reads of free benches, so that dashboards and the live panel see the present values.
 *
 * INVARIANTS: only benches that nobody holds are read, and the read is dropped the moment somebody takes the bench; one
 * bench at a time; a failing instrument is only noted by its own handle.
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

/** Polls until the returned function is called. */
export function startIdlePoll({
  benches,
  clock,
  log,
  everyMs = EVERY_MS,
  wanted,
  onValue,
}: IdlePollOptions): () => void {
  const stopped = new AbortController()
  let reading: { readonly bench: Bench; readonly controller: AbortController } | undefined

  for (const bench of benches.values()) {
    bench.onChange((changed) => {
      if (reading?.bench === changed && changed.status.state !== 'free')
        reading.controller.abort(new Error('the bench was taken'))
    })
  }

  const pollOne = async (bench: Bench) => {
    for (const handle of new Set(bench.parts.values())) {
      const signals = handle.spec.signals.filter(
        ({ access, kind, shape }) => access !== 'set' && kind === 'reading' && shape.length === 0,
      )
      if (signals.length === 0 || bench.status.state !== 'free' || stopped.signal.aborted) continue
      const controller = new AbortController()
      reading = { bench, controller }
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
      if (wanted()) {
        for (const bench of benches.values()) {
          if (bench.status.state === 'free') await pollOne(bench)
        }
      }
      await clock.sleep(everyMs, stopped.signal)
    }
  }
  loop().catch(() => {
    // stopped
  })
  return () => {
    stopped.abort()
    reading?.controller.abort(new Error('the node is closing'))
  }
}
