import type { Booking } from '@fernlab/shared/contracts/bookings'

/** So near its start a booking may open its session at any moment. */
const nearMs = 60_000

/** When bookings are looked at again: soon while one is about to open its person's session, which they wait for. */
export function nextLookMs(
  bookings: readonly Pick<Booking, 'state' | 'start' | 'session' | 'group'>[],
  nowMs: number,
): number {
  const isAbout = ({ state, start, session, group }: (typeof bookings)[number]) =>
    (state === 'booked' || state === 'now') &&
    session === undefined &&
    group === undefined &&
    Math.abs(Date.parse(start) - nowMs) <= nearMs
  return bookings.some(isAbout) ? 2_000 : 30_000
}
