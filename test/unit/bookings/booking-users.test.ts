import { BookingBook, type KnownBooking } from '@fernlab/hub/bookings/booking-book'
import { type BookingStartsOptions, createBookingStarts } from '@fernlab/hub/bookings/starts'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('who uses a booking that is due')
const now = Date.now()

const booking: KnownBooking = {
  id: 'booking-1',
  series: null,
  personId: 'ada',
  lab: 'rc',
  wantedBench: null,
  startsAt: now - 1000,
  endsAt: now + 3_600_000,
  cleanUpMs: 0,
  places: 1,
  group: null,
  note: null,
  createdAt: 0,
  createdBy: 'ada',
  beganAt: null,
  runId: null,
  seenAt: null,
}
/** Says statements, and runs none. */
const db = new Kysely({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})
const session = { steps: [], cleanUp: [], seconds: 600, mostSeconds: 3600 }
const own = { id: 'run-1', state: 'queued', lab: { id: 'rc' }, personId: 'ada', booking: null }

/** Who may use it while the permission of its person is that. */
function usersWhile(may: boolean | undefined): unknown[] {
  const book = new BookingBook()
  book.add(booking)
  const starts = createBookingStarts({
    store: { db },
    book,
    ledger: { runs: { byId: new Map([[own.id, own]]), waiting: { placeOf: () => own } }, onEnd: () => {} },
    labs: { peek: () => ({ id: 'rc', session }) },
    permits: { may: () => may },
    clock: systemClock,
  } as unknown as BookingStartsOptions)
  return [...starts.usersOf({ id: 'booking-1/0', from: booking.startsAt } as Parameters<typeof starts.usersOf>[0])]
}

test('a run of its person that waits does not take the bench while it is found out whether its session may open', () => {
  assert.equal(usersWhile(undefined), [])
  assert.equal(usersWhile(true), [own])
})

test.run()
