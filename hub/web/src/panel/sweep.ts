import type { History } from './signal-store.ts'

/** When the sweep on the screen began and, once it is complete, the one before it. */
export interface Sweep {
  readonly from: number
  readonly before: number | undefined
}

export interface SweepRule {
  readonly seconds: number
  /** A sweep begins where the signal rises through the level; without, where the last one ends. */
  readonly trigger?: { readonly history: History; readonly level: number }
}

/** The sweep that is drawn now, going on from the one that was drawn last; undefined before the first. */
export function sweepAt(now: number, last: Sweep | undefined, rule: SweepRule): Sweep | undefined {
  const { seconds, trigger } = rule
  if (now === 0) return last
  if (trigger === undefined) {
    if (last === undefined) return { from: now - seconds, before: undefined }
    const whole = Math.floor((now - last.from) / seconds)
    if (whole < 1) return last
    const from = last.from + whole * seconds
    return { from, before: from - seconds }
  }
  // Of several sweeps since the last look only the latest is drawn.
  let sweep = last
  for (const at of risesIn(trigger.history, trigger.level)) {
    if (sweep === undefined) sweep = { from: at, before: undefined }
    else if (at >= sweep.from + seconds) sweep = { from: at, before: sweep.from }
  }
  return sweep
}

/** When the signal rises through the level, between the samples where it does. */
function* risesIn({ time, values }: History, level: number): Generator<number> {
  for (let i = 1; i < time.length; i++) {
    const [low = level, high = level] = [values[i - 1], values[i]]
    if (!(low < level && high >= level)) continue
    const [start = 0, end = 0] = [time[i - 1], time[i]]
    yield start + ((end - start) * (level - low)) / (high - low)
  }
}

/** The part of a history within `seconds` of a time, times counted from it. */
export function cut({ time, values }: History, from: number, seconds: number): History {
  const first = firstAt(time, from)
  const beyond = firstAt(time, from + seconds)
  return { time: time.slice(first, beyond).map((at) => at - from), values: values.slice(first, beyond) }
}

/** The place of the first time that is not before. */
function firstAt(time: readonly number[], at: number): number {
  let low = 0
  let high = time.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((time[middle] ?? 0) < at) low = middle + 1
    else high = middle
  }
  return low
}
