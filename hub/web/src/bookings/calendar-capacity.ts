/** What of a lab is free, taken or closed, for the calendar. Pure. */
import { bookableStretches } from '@fernlab/shared/contracts/bookable-times'
import type { Calendar } from '@fernlab/shared/contracts/bookings'
import { quarterFrom } from './booking-times.ts'

/** A stretch that looks the same all along. */
export interface Band {
  readonly from: number
  readonly until: number
  readonly kind: 'free' | 'taken' | 'closed'
  readonly benches: number
  /** Why it is closed. */
  readonly reason?: string
}

/** The stretches between the times: those that can be booked, taken, or closed with the reason where no bench is for anybody. */
export function bandsOf(calendar: Calendar, from: number, until: number): Band[] {
  const { closed, benches } = calendar
  return bookableStretches(calendar).flatMap((stretch): Band[] => {
    const span = { from: Math.max(from, stretch.from), until: Math.min(until, stretch.until) }
    if (span.from >= span.until) return []
    if (stretch.benches > 0) return [{ ...span, kind: 'free', benches: stretch.benches }]
    return cut(closed, span).map((part): Band => {
      const shut = closed.filter(({ start, end }) => Date.parse(start) <= part.from && part.from < endOf(end))
      const isClosed = benches > 0 && new Set(shut.map(({ bench }) => bench)).size >= benches
      const reason = [...new Set(shut.map((one) => one.reason))].join(', ')
      return isClosed ? { ...part, kind: 'closed', benches: 0, reason } : { ...part, kind: 'taken', benches: 0 }
    })
  })
}

const endOf = (end: string | undefined): number => (end === undefined ? Number.POSITIVE_INFINITY : Date.parse(end))

/** The span in parts within which nothing closes and nothing opens. */
function cut(
  closed: Calendar['closed'],
  { from, until }: Pick<Band, 'from' | 'until'>,
): Pick<Band, 'from' | 'until'>[] {
  const moments = closed.flatMap(({ start, end }) => [Date.parse(start), endOf(end)])
  const inside = [...new Set(moments)].filter((at) => from < at && at < until).sort((a, b) => a - b)
  return [from, ...inside].map((at, index) => ({ from: at, until: inside[index] ?? until }))
}

/** What of an hour one may know before one books it. */
export interface Offer {
  readonly kind: 'free' | 'partly' | 'taken' | 'closed' | 'past' | 'unknown'
  /** The most that are free at once. */
  readonly benches: number
  readonly reason?: string
  /** When one could begin. */
  readonly at?: number
}

/** `bands`: undefined while they are not known. */
export function offerOf(
  bands: readonly Band[] | undefined,
  { from, until }: Pick<Band, 'from' | 'until'>,
  nowMs: number,
): Offer {
  if (until <= nowMs) return { kind: 'past', benches: 0 }
  if (bands === undefined) return { kind: 'unknown', benches: 0 }
  const begin = Math.max(from, nowMs)
  const within = bands.filter((band) => band.from < until && begin < band.until)
  const first = within.find(({ kind }) => kind === 'free')
  if (first !== undefined) {
    const benches = Math.max(...within.map((band) => band.benches))
    const kind = within.every((band) => band.kind === 'free') ? 'free' : 'partly'
    const at = Math.max(first.from, from)
    return { kind, benches, at: at < nowMs ? quarterFrom(nowMs) : at }
  }
  const reason = within.find((band) => band.kind === 'closed')?.reason
  return reason === undefined ? { kind: 'taken', benches: 0 } : { kind: 'closed', benches: 0, reason }
}
