/** How soon a signal may be set again, from when it was set last, whoever set it. */
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface SetPace {
  /** How long until it may be set, in ms; 0: now. */
  waitMs(signal: string): number
  /** Notes that it is set now; throws `set-too-soon` where it may not be, unless it keeps people safe. */
  take(signal: string, urgent: boolean): void
}

export function createSetPace(spec: () => InstrumentSpec, clock: Pick<Clock, 'monotonic'>): SetPace {
  const setAt = new Map<string, number>()
  const intervalS = (name: string) => spec().signals.find((signal) => signal.name === name)?.minSetIntervalS ?? 0
  const waitMs = (name: string) => {
    const at = setAt.get(name)
    return at === undefined ? 0 : Math.max(0, at + 1000 * intervalS(name) - clock.monotonic())
  }
  return {
    waitMs,
    take: (name, urgent) => {
      const leftMs = Math.ceil(waitMs(name))
      if (leftMs > 0 && !urgent) {
        throw new LabError({
          code: 'set-too-soon',
          kind: 'caller',
          retry: 'later',
          message: `${name} may be set every ${intervalS(name)} s at most: again in ${leftMs / 1000} s`,
          details: { signal: name, waitMs: leftMs },
        })
      }
      setAt.set(name, clock.monotonic())
    },
  }
}
