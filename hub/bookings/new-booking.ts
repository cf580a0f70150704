/** A booking as it is about to be. */
import { newId } from '@fernlab/shared/primitives/ids'
import type { Caller } from '../accounts/caller.ts'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { KnownBooking } from './booking-book.ts'
import type { Bookings, NewBooking } from './bookings.ts'
import { sessionNeeds } from './session-times.ts'

/** One that nobody has made before. */
export function newBooking(
  { personId }: Caller,
  body: Pick<NewBooking, 'lab' | 'start' | 'seconds' | 'end' | 'bench' | 'places' | 'group' | 'note'>,
  lab: CatalogueLab,
  now: number,
): KnownBooking {
  const startsAt = Date.parse(body.start)
  return {
    id: newId(now),
    series: null,
    personId,
    lab: body.lab,
    wantedBench: body.bench ?? null,
    startsAt,
    endsAt: body.end === undefined ? startsAt + (body.seconds ?? 0) * 1000 : Date.parse(body.end),
    cleanUpMs: sessionNeeds(lab).cleanUpMs,
    places: body.places,
    group: body.group ?? null,
    note: body.note === undefined || body.note === '' ? null : body.note,
    createdAt: now,
    createdBy: personId,
    beganAt: null,
    runId: null,
    seenAt: null,
  }
}

/** What becomes of one by what was asked. */
export function changed(old: KnownBooking, body: Parameters<Bookings['change']>[2], lab: CatalogueLab): KnownBooking {
  const startsAt = body.start === undefined ? old.startsAt : Date.parse(body.start)
  const lengthMs = body.seconds === undefined ? old.endsAt - old.startsAt : body.seconds * 1000
  return {
    ...old,
    startsAt,
    endsAt: body.end === undefined ? startsAt + lengthMs : Date.parse(body.end),
    cleanUpMs: sessionNeeds(lab).cleanUpMs,
    note: body.note === undefined ? old.note : body.note || null,
  }
}
