/** Counting pulses, and how often they come. */

export interface Pulses {
  /** An edge at that epoch time in ms; false when it came too soon after one that counted. */
  edge(timeMs: number): boolean
  readonly count: number
  /** In Hz, at that epoch time in ms. */
  frequency(nowMs: number): number
  /** Counts from 0 again; the frequency stays. */
  reset(): void
}

/** With fewer edges in the window, the last ones still say something, for so long. */
const STALE_WINDOWS = 10
const KEPT_EDGES = 4096

/** `deadMs`: edges so soon after one that counted are its bounces. `windowMs`: over how long the frequency is measured. */
export function createPulses({ deadMs, windowMs }: { deadMs: number; windowMs: number }): Pulses {
  let times: number[] = []
  let count = 0
  return {
    get count() {
      return count
    },
    edge: (timeMs) => {
      const last = times.at(-1)
      if (last !== undefined && timeMs - last < deadMs && timeMs >= last) return false
      // The machine's clock was set back: what was before says nothing any more.
      if (last !== undefined && timeMs < last) times = []
      times.push(timeMs)
      count += 1
      if (times.length > 2 * KEPT_EDGES) times = times.slice(-KEPT_EDGES)
      return true
    },
    frequency: (nowMs) => {
      const inWindow = times.filter((timeMs) => timeMs > nowMs - windowMs)
      // Slower than the window: the last two edges, however far apart.
      const used = inWindow.length >= 2 ? inWindow : times.slice(-2)
      const first = used[0]
      const last = used.at(-1)
      if (first === undefined || last === undefined || last <= first) return 0
      const silenceMs = nowMs - last
      if (silenceMs > STALE_WINDOWS * windowMs) return 0
      const periodMs = (last - first) / (used.length - 1)
      // Since the last edge there was none for longer than a period: it can not be as often as it was.
      return 1000 / Math.max(periodMs, silenceMs)
    },
    reset: () => {
      count = 0
    },
  }
}
