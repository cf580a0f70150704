/**
 * Bench states as retained MQTT messages.
 *
 * INVARIANTS: a change is published after the turn of the event loop that made it, but of one bench at most one in
 * `LEAST_MS`; the last state always goes out; a state that came back before it was published is not published again
 * (a run that does nothing takes its bench and frees it within one turn).
 */
import type { BenchStatus } from '@fernlab/shared/contracts/node-status'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Bench } from '../benches/bench.ts'

export interface BenchTopics {
  /** Publishes a change soon. */
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

interface Published {
  readonly status: BenchStatus
  readonly at: number
}

export function createBenchTopics({ clock, publish }: CreateBenchTopicsOptions): BenchTopics {
  const published = new Map<Bench, Published>()
  const changed = new Set<Bench>()
  let turn: NodeJS.Immediate | undefined
  let cancel: (() => void) | undefined

  const send = (bench: Bench) => {
    published.set(bench, { status: bench.status, at: clock.monotonic() })
    changed.delete(bench)
    publish(bench)
  }
  const sendIfNew = (bench: Bench) => {
    const before = published.get(bench)
    if (before !== undefined && same(before.status, bench.status)) changed.delete(bench)
    else send(bench)
  }
  const flush = (all: boolean) => {
    clearImmediate(turn)
    turn = undefined
    cancel?.()
    cancel = undefined
    let nextMs = Number.POSITIVE_INFINITY
    for (const bench of changed) {
      const waitMs = (published.get(bench)?.at ?? Number.NEGATIVE_INFINITY) + LEAST_MS - clock.monotonic()
      if (all || waitMs <= 0) sendIfNew(bench)
      else nextMs = Math.min(nextMs, waitMs)
    }
    if (changed.size > 0) cancel = clock.after(nextMs, () => flush(false))
  }
  return {
    note: (bench) => {
      if (changed.has(bench)) return
      changed.add(bench)
      turn ??= setImmediate(() => flush(false))
    },
    publish: send,
    close: () => flush(true),
  }
}

/** All but since when. */
function same(a: BenchStatus, b: BenchStatus): boolean {
  return (
    a.state === b.state &&
    a.reason === b.reason &&
    a.run === b.run &&
    a.lease === b.lease &&
    a.interlocks === b.interlocks
  )
}
