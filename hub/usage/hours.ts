/** Bench time by weekday and hour of a time zone's clocks. Pure. */
import type { Period } from '@fernlab/shared/contracts/usage'
import { type ZoneStretch, zoneStretches } from '@fernlab/shared/primitives/zoned-time'

const hourMs = 3_600_000

/** Collects stretches of time; each hour of a day of the week gets what fell into it, by the clocks that held then. */
export class WeekHours {
  readonly #stretches: readonly ZoneStretch[]
  readonly #period: Period
  /** Monday first; seconds. */
  readonly seconds: number[][] = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0))

  constructor(period: Period) {
    this.#period = period
    this.#stretches = zoneStretches(period.from, period.to, period.timeZone)
  }

  /** What of the time is within the period counts. */
  add(from: number, until: number): void {
    let at = Math.max(from, this.#period.from)
    const end = Math.min(until, this.#period.to)
    while (at < end) {
      const { offsetMs, until: changes } = this.#stretchAt(at)
      const shown = at + offsetMs
      const next = Math.min(end, changes, at + hourMs - (((shown % hourMs) + hourMs) % hourMs))
      const { day, hour } = weekHourOf(shown)
      const row = this.seconds[day]
      if (row !== undefined) row[hour] = (row[hour] ?? 0) + (next - at) / 1000
      at = next
    }
  }

  /** The hour of the day that the clocks showed. */
  hourAt(ms: number): number {
    return weekHourOf(ms + this.#stretchAt(ms).offsetMs).hour
  }

  #stretchAt(ms: number): ZoneStretch {
    return this.#stretches.find(({ until }) => ms < until) ?? { until: Number.POSITIVE_INFINITY, offsetMs: 0 }
  }
}

/** Monday is 0. */
function weekHourOf(shownMs: number): { day: number; hour: number } {
  const date = new Date(shownMs)
  return { day: (date.getUTCDay() + 6) % 7, hour: date.getUTCHours() }
}
