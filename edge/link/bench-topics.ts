/**
 * Bench states as retained MQTT messages.
 *
 * INVARIANTS: a change is published at once, but of one bench at most one in `LEAST_MS`; the last state always goes out.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Bench } from '../benches/bench.ts'

export interface BenchTopics {
  /** Publishes a change, now or soon. */
  note(bench: Bench): void
  /** Publishes now. */
  publish(bench: Bench): void
  /** Publishes what waits. */
  close(): void
}

export interface CreateBenchTopicsOptions {
  readonly clock: Clock
  readonly publish: (bench: Bench) => void
}

const LEAST_MS = 100

export function createBenchTopics({ clock, publish }: CreateBenchTopicsOptions): BenchTopics {
  const publishedAt = new Map<Bench, number>()
  const changed = new Set<Bench>()
  let cancel: (() => void) | undefined

  const send = (bench: Bench) => {
    publishedAt.set(bench, clock.monotonic())
    changed.delete(bench)
    publish(bench)
  }
  const flush = () => {
    cancel?.()
    cancel = undefined
    for (const bench of changed) send(bench)
  }
  return {
    note: (bench) => {
      if (changed.has(bench)) return
      if (clock.monotonic() - (publishedAt.get(bench) ?? Number.NEGATIVE_INFINITY) >= LEAST_MS) return send(bench)
      changed.add(bench)
      cancel ??= clock.after(LEAST_MS, flush)
    },
    publish: send,
    close: flush,
  }
}
