/** Every change of a booking, compiled once; each is conditional on the times that it leaves. */
import type { SqlValue } from '@fernlab/shared/storage/database'
import { type Compilable, type Kysely, sql } from 'kysely'
import { precompile } from '../store/precompile.ts'
import type { HubSchema } from '../store/schema.ts'
import type { TurnStatement } from '../store/turn.ts'
import type { KnownBooking } from './booking-book.ts'
import type { NewNotice } from './notices.ts'

/** After those of runs. */
const firstRank = 100

export function bookingStatements(db: Kysely<HubSchema>) {
  let rank = firstRank
  const statement = <Values extends { readonly [Name in keyof Values]: SqlValue }>(
    build: (values: Values) => Compilable,
  ): TurnStatement<Values> => ({ ...precompile(build), rank: rank++, conditional: true })
  const standing = (v: { id: string; startsAt: number; endsAt: number }) =>
    db
      .updateTable('booking')
      .where('id', '=', v.id)
      .where('state', '=', 'booked')
      .where('starts_at', '=', v.startsAt)
      .where('ends_at', '=', v.endsAt)
  return {
    insertSeries: statement((v: { id: string; personId: string; lab: string; weekly: string; createdAt: number }) =>
      db
        .insertInto('booking_series')
        .values({ id: v.id, person_id: v.personId, lab: v.lab, weekly: v.weekly, created_at: v.createdAt }),
    ),
    insert: statement((v: KnownBooking) =>
      db.insertInto('booking').values({
        id: v.id,
        series_id: v.series,
        person_id: v.personId,
        lab: v.lab,
        wanted_bench: v.wantedBench,
        starts_at: v.startsAt,
        ends_at: v.endsAt,
        clean_up_ms: v.cleanUpMs,
        places: v.places,
        group_id: v.group,
        note: v.note,
        state: 'booked',
        created_at: v.createdAt,
        created_by: v.createdBy,
        taken_back_at: null,
      }),
    ),
    change: statement(
      (v: {
        id: string
        startsAt: number
        endsAt: number
        newStart: number
        newEnd: number
        note: string | null
        cleanUpMs: number
      }) => standing(v).set({ starts_at: v.newStart, ends_at: v.newEnd, note: v.note, clean_up_ms: v.cleanUpMs }),
    ),
    cancel: statement((v: { id: string; startsAt: number; endsAt: number; at: number; reason: string | null }) =>
      standing(v).set({ state: 'cancelled', cancelled_at: v.at, cancel_reason: v.reason }),
    ),
    /** Another is made in its place. */
    takeBack: statement((v: { id: string; at: number }) =>
      db
        .updateTable('booking')
        .set({ taken_back_at: v.at })
        .where('id', '=', v.id)
        .where('state', '=', 'cancelled')
        .where('taken_back_at', 'is', null),
    ),
    /** It has no bench any more, and begins again: where another one is free, in the same write. */
    beginAgain: statement((v: { id: string; runId: string }) =>
      db.updateTable('booking').where('id', '=', v.id).where('run_id', '=', v.runId).set({ run_id: null }),
    ),
    begin: statement((v: { id: string; startsAt: number; endsAt: number; runId: string; at: number }) =>
      standing(v).where('run_id', 'is', null).set({ began_at: v.at, run_id: v.runId }),
    ),
    /** The session of it that was cut short leads to the one that has the rest of its time. */
    continueCut: {
      ...statement((v: { id: string; next: string }) =>
        db
          .updateTable('live_session')
          .set({ next_id: v.next })
          .where('next_id', 'is', null)
          .where('run_id', '=', (eb) =>
            eb
              .selectFrom('run')
              .innerJoin('live_session as cut', 'cut.run_id', 'run.id')
              .select('run.id')
              .where('run.booking_id', '=', v.id)
              .where('run.id', '<', v.next)
              .orderBy('run.id', 'desc')
              .limit(1),
          ),
      ),
      conditional: false,
    },
    /** Who took part in that takes part in the rest of it. */
    carryPartners: {
      ...statement((v: { next: string }) =>
        db
          .insertInto('live_partner')
          .columns(['run_id', 'person_id', 'joined_at'])
          .expression(
            db
              .selectFrom('live_partner')
              .innerJoin('live_session', 'live_session.run_id', 'live_partner.run_id')
              .select((eb) => [eb.val(v.next).as('run_id'), 'person_id', 'joined_at'])
              .where('live_session.next_id', '=', v.next),
          ),
      ),
      conditional: false,
    },
    /** Nobody could have come yet: the clock was wrong when it was missed. */
    revive: statement((v: { id: string; startsAt: number; endsAt: number }) =>
      db
        .updateTable('booking')
        .set({ state: 'booked', began_at: null, run_id: null, ended_at: null })
        .where('id', '=', v.id)
        .where('state', '=', 'missed')
        .where('starts_at', '=', v.startsAt)
        .where('ends_at', '=', v.endsAt),
    ),
    see: statement((v: { id: string; at: number }) =>
      db.updateTable('booking').where('id', '=', v.id).where('state', '=', 'booked').set({ seen_at: v.at }),
    ),
    end: statement((v: { id: string; startsAt: number; endsAt: number; state: 'over' | 'missed'; at: number }) =>
      standing(v).set({ state: v.state, ended_at: v.at }),
    ),
    insertNotice: statement((v: NewNotice) =>
      db.insertInto('booking_notice').values({
        id: v.id,
        booking_id: v.bookingId,
        person_id: v.personId,
        group_id: v.groupId,
        what: v.what,
        at: v.at,
        detail: v.detail,
        letter: v.letter,
      }),
    ),
    /** What was told of a booking that a wrong clock has missed. */
    takeBackMissed: {
      ...statement((v: { id: string }) =>
        db.deleteFrom('booking_notice').where('booking_id', '=', v.id).where('what', '=', 'missed'),
      ),
      conditional: false,
    },
    /** What nobody has had a letter of yet. */
    takeBackSeriesCancelled: {
      ...statement((v: { series: string }) =>
        db
          .deleteFrom('booking_notice')
          .where('booking_id', 'in', db.selectFrom('booking').select('id').where('series_id', '=', v.series))
          .where('what', '=', 'series-cancelled')
          .where('letter', 'in', ['spread', 'due']),
      ),
      conditional: false,
    },
    /** Tells those who were told since then that the series was cancelled; `id` is where their notices' ids begin. */
    tellAgain: {
      ...statement(
        (
          v: { series: string; since: number; by: string } & Pick<
            NewNotice,
            'id' | 'bookingId' | 'what' | 'at' | 'detail'
          >,
        ) =>
          db
            .insertInto('booking_notice')
            .columns(['id', 'booking_id', 'person_id', 'group_id', 'what', 'at', 'detail', 'letter'])
            .expression(
              db
                .selectFrom('booking_notice as told')
                .select((eb) => [
                  sql<string>`${v.id} || '-' || told.person_id`.as('id'),
                  eb.val(v.bookingId).as('booking_id'),
                  'told.person_id',
                  eb.fn.max('told.group_id').as('group_id'),
                  eb.val(v.what).as('what'),
                  eb.val(v.at).as('at'),
                  eb.val(v.detail).as('detail'),
                  eb.val('due' as const).as('letter'),
                ])
                .where('told.booking_id', 'in', db.selectFrom('booking').select('id').where('series_id', '=', v.series))
                .where('told.what', '=', 'series-cancelled')
                .where('told.at', '>=', v.since)
                .where('told.person_id', 'is not', null)
                .where('told.person_id', '!=', v.by)
                .where('told.letter', 'not in', ['spread', 'due'])
                .groupBy('told.person_id'),
            ),
      ),
      conditional: false,
    },
    insertAudit: statement(
      (v: { at: number; personId: string; action: string; subject: string; detail: string; address: string | null }) =>
        db.insertInto('audit').values({
          ...{ at: v.at, person_id: v.personId, action: v.action, subject: v.subject, detail: v.detail },
          address: v.address,
        }),
    ),
  }
}

export type BookingStatements = ReturnType<typeof bookingStatements>
