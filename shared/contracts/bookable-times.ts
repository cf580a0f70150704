/** Of what a calendar says is free, the times that a booking can have. Pure. */
import { instantOf, localTime, plusDays } from '../primitives/zoned-time.ts'
import type { Calendar } from './bookings.ts'

/** No booking is shorter. */
export const SHORTEST_BOOKING_S = 60

/** Epoch ms, the end not included. */
interface Span {
  readonly from: number
  readonly until: number
}

/** A stretch in which benches are free. */
export interface FreeSpan extends Span {
  /** The fewest within it. */
  readonly benches: number
}

/** A booking that makes room where it is, with the benches that it has. */
export interface Moving {
  readonly start: string
  readonly end: string
  readonly places: number
}

/**
 * The calendar's stretches with as many benches in each as a booking can have there until its end: after that the bench
 * is cleaned up, for which there must be room before it is needed again. The calendar ends where its stretches do.
 */
export function bookableStretches(
  { free, cleanUpS }: Pick<Calendar, 'free' | 'cleanUpS'>,
  moving?: Moving,
): readonly FreeSpan[] {
  const cleanUpMs = cleanUpS * 1000
  const asked = free.map(({ start, end, benches }) => ({ from: Date.parse(start), until: Date.parse(end), benches }))
  const stretches = moving === undefined ? asked : withRoomOf(asked, moving, cleanUpMs)
  return cleanUpMs === 0 ? stretches : withoutCleanUp(stretches, cleanUpMs)
}

/** The stretches without a gap in which at least so many benches can be booked. */
export function bookableSpans(
  calendar: Pick<Calendar, 'free' | 'cleanUpS'>,
  { places = 1, moving }: { readonly places?: number; readonly moving?: Moving | undefined } = {},
): FreeSpan[] {
  const spans: FreeSpan[] = []
  for (const stretch of bookableStretches(calendar, moving)) {
    if (stretch.benches < places) continue
    const last = spans.at(-1)
    if (last?.until !== stretch.from) spans.push(stretch)
    else {
      const benches = Math.min(last.benches, stretch.benches)
      spans[spans.length - 1] = { from: last.from, until: stretch.until, benches }
    }
  }
  return spans
}

/** Whether the whole time is within one of the spans. */
export const isWithin = (spans: readonly Span[], from: number, until: number): boolean =>
  spans.some((span) => span.from <= from && until <= span.until)

/** What of the spans is left where the others are not. */
export function spansBut(spans: readonly FreeSpan[], others: readonly Span[]): FreeSpan[] {
  let left = [...spans]
  for (const other of others) {
    left = left.flatMap((span) =>
      other.until <= span.from || span.until <= other.from
        ? [span]
        : [
            { ...span, until: other.from },
            { ...span, from: other.until },
          ].filter(({ from, until }) => from < until),
    )
  }
  return left
}

/** The next time from now on at the same time of day in the zone at which so long is within one of the spans. */
export function nextSameTime(
  spans: readonly Span[],
  { startMs, lengthMs, nowMs, timeZone }: SameTime,
): number | undefined {
  const { minute } = localTime(startMs, timeZone)
  const end = spans.at(-1)?.until ?? 0
  for (let days = 0; ; days++) {
    const at = instantOf({ ...plusDays(localTime(nowMs, timeZone), days), minute }, timeZone, 'first')
    if (at + lengthMs > end) return undefined
    if (at > nowMs && isWithin(spans, at, at + lengthMs)) return at
  }
}

interface SameTime {
  /** When it was before. */
  readonly startMs: number
  readonly lengthMs: number
  readonly nowMs: number
  readonly timeZone: string
}

function withRoomOf(stretches: readonly FreeSpan[], { start, end, places }: Moving, cleanUpMs: number): FreeSpan[] {
  const [from, until] = [Date.parse(start), Date.parse(end) + cleanUpMs]
  return cutAt(stretches, [from, until]).map((stretch) =>
    from <= stretch.from && stretch.until <= until ? { ...stretch, benches: stretch.benches + places } : stretch,
  )
}

/** At each moment the fewest from then until a clean-up later. */
function withoutCleanUp(stretches: readonly FreeSpan[], cleanUpMs: number): FreeSpan[] {
  const cut = cutAt(
    stretches,
    stretches.map(({ from }) => from - cleanUpMs),
  )
  const fewest = cut.map(({ from, until }) => {
    // A booking may end where the clean-up has just room: what counts is the time after `from`.
    const seen = stretches.filter((other) => other.from <= from + cleanUpMs && from < other.until)
    return { from, until, benches: Math.min(...seen.map(({ benches }) => benches)) }
  })
  return joined(fewest)
}

function cutAt(stretches: readonly FreeSpan[], moments: readonly number[]): FreeSpan[] {
  return stretches.flatMap((stretch) => {
    const { from, until, benches } = stretch
    const inside = [...new Set(moments)].filter((at) => from < at && at < until).sort((a, b) => a - b)
    return [from, ...inside].map((at, index) => ({ from: at, until: inside[index] ?? until, benches }))
  })
}

function joined(stretches: readonly FreeSpan[]): FreeSpan[] {
  const all: FreeSpan[] = []
  for (const stretch of stretches) {
    const last = all.at(-1)
    if (last?.until === stretch.from && last.benches === stretch.benches) {
      all[all.length - 1] = { ...last, until: stretch.until }
    } else all.push(stretch)
  }
  return all
}
