import type { SessionSamples } from '@fernlab/shared/contracts/sync'
import type { SignalValue } from '../drivers/driver.ts'

/** What was read and set in a session since somebody last looked: for showing, not for keeping. */
export interface Samples {
  note(key: string, value: SignalValue, unit: string, timeS: number): void
  take(): SessionSamples
}

/** Of each signal; the oldest make room, since who looks wants the newest. */
const MOST = 500

export function createSamples(): Samples {
  let kept: SessionSamples = {}
  return {
    note: (key, value, unit, timeS) => {
      kept[key] ??= { unit, time: [], values: [] }
      const { time, values } = kept[key]
      time.push(timeS)
      values.push(value)
      if (time.length <= 2 * MOST) return
      time.splice(0, MOST)
      values.splice(0, MOST)
    },
    take: () => {
      const taken = kept
      kept = {}
      return taken
    },
  }
}
