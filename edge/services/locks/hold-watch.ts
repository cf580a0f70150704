/** A hold that the hub gave ends when whoever used it straight at the node has been gone for longer than the grace. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Bench } from '../../benches/bench.ts'
import type { Caller } from '../service-source.ts'

type Hold = NonNullable<Caller['hold']>

export interface HoldWatch {
  came(hold: Hold): void
  left(hold: Hold, graceMs: number): void
  close(): void
}

export interface HoldWatchOptions {
  readonly benches: ReadonlyMap<string, Bench>
  /** Its hold has ended, and the bench has been made safe. */
  readonly onEnded: (bench: Bench) => void
  readonly clock: Clock
  readonly log: Log
}

/** Its end is the lease's: the bench goes to its safe state, and the hub hears of it by the bench's state and at the next renewal. */
export function createHoldWatch({ benches, onEnded, clock, log }: HoldWatchOptions): HoldWatch {
  const waiting = new Map<string, () => void>()
  const stop = (lease: string) => {
    waiting.get(lease)?.()
    waiting.delete(lease)
  }
  return {
    came: ({ lease }) => stop(lease),
    left: (hold, graceMs) => {
      stop(hold.lease)
      const cancel = clock.after(graceMs, () => {
        waiting.delete(hold.lease)
        const bench = benches.get(hold.bench)
        if (bench?.lease?.token !== hold.lease || !bench.lease.active) return
        log.info({ bench: hold.bench }, 'a hold has ended: whoever used it is gone')
        void bench.release(bench.lease).then(() => onEnded(bench))
      })
      waiting.set(hold.lease, cancel)
    },
    close: () => {
      for (const lease of [...waiting.keys()]) stop(lease)
    },
  }
}

/** Whether the lease is the bench's, and the hub's to give. */
export function isHeld(benches: ReadonlyMap<string, Bench>, { bench: name, lease }: Hold): boolean {
  const bench = benches.get(name)
  const isDirect = bench?.holder?.kind === 'direct' && bench.lease?.expiresAtMs !== undefined
  return isDirect && bench.lease?.token === lease && bench.lease.active
}
