/** How soon a signal may be set again, from when it was last being set, whoever set it: how long that took does not count. */
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface SetPace {
  /** How long until it may be set, in ms; 0: now. */
  waitMs(signal: string): number
  /** Sets them by `work`; rejects with `set-too-soon` where that may not be, unless it keeps people safe. */
  set(signals: readonly string[], urgent: boolean, work: () => Promise<void>): Promise<void>
}

export function createSetPace(spec: () => InstrumentSpec, clock: Pick<Clock, 'monotonic'>): SetPace {
  const setAt = new Map<string, number>()
  const intervalS = (name: string) => spec().signals.find((signal) => signal.name === name)?.minSetIntervalS ?? 0
  const waitMs = (name: string) => {
    const at = setAt.get(name)
    return at === undefined ? 0 : Math.max(0, at + 1000 * intervalS(name) - clock.monotonic())
  }
  const requireDue = (name: string) => {
    const leftMs = Math.ceil(waitMs(name))
    if (leftMs === 0) return
    throw new LabError({
      code: 'set-too-soon',
      kind: 'caller',
      retry: 'later',
      message: `${name} may be set every ${intervalS(name)} s at most: again in ${leftMs / 1000} s`,
      details: { signal: name, waitMs: leftMs },
    })
  }
  const note = (names: readonly string[]) => {
    for (const name of names) setAt.set(name, clock.monotonic())
  }
  return {
    waitMs,
    set: async (names, urgent, work) => {
      if (!urgent) for (const name of names) requireDue(name)
      note(names)
      try {
        await work()
      } finally {
        // When within that time the instrument had the value, only it knows.
        note(names)
      }
    },
  }
}
