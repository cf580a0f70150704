/** How a booking and the session that it opens belong together. Pure. */
import { MAX_SECONDS } from '@fernlab/shared/protocol/protocol'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { BookingBook, KnownBooking } from './booking-book.ts'
import { sessionNeeds } from './session-times.ts'

/** A rest that is shorter is not worth a session. */
const LEAST_S = 30

/** How long a session that is opened now has; 0 when that is not worth one. */
export function secondsLeft({ endsAt }: KnownBooking, lab: CatalogueLab, nowMs: number): number {
  const { prepareMs, cleanUpMs } = sessionNeeds(lab)
  const most = MAX_SECONDS - (prepareMs + cleanUpMs) / 1000
  const left = Math.min(most, Math.floor((endsAt - nowMs - prepareMs) / 1000))
  return left < LEAST_S ? 0 : left
}

/** A session opens by itself for one person in a lab that offers them. */
export const opensItself = ({ places, group }: KnownBooking, lab: CatalogueLab): boolean =>
  places === 1 && group === null && lab.session !== undefined

/** The booking whose session the run is. */
export function bookingOfSession({ byId }: Pick<BookingBook, 'byId'>, run: OpenRun): KnownBooking | undefined {
  const booking = run.booking === null ? undefined : byId.get(run.booking)
  return booking?.runId === run.id ? booking : undefined
}

/** Its person, its time or its lab had ended it. */
export const isEnded = ({ session }: OpenRun): boolean => session?.stage === 'finishing' && session.endsAt === null
