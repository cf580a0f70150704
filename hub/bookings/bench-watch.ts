/**
 * Tells people whose booking has lost its bench, and when it has one again.
 *
 * INVARIANTS: whether a booking has a bench follows from the benches, their closures and the bookings alone; what was told
 * last of it is in the database, so that a hub which was killed neither forgets nor doubles it; a bench that is soon back
 * worries nobody.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { BenchHistory } from '../bench-care/bench-history.ts'
import { AWAY_MS, isTrouble } from '../bench-care/whether-to-tell.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'
import type { BookedFleet } from './booked-fleet.ts'
import { type BookingBook, inOrderOf, type KnownBooking, planned } from './booking-book.ts'
import { bookingStatements } from './booking-statements.ts'
import type { KeptPlan } from './kept-plan.ts'
import { type NoticeDetail, noticesOf } from './notices.ts'

export interface BenchWatch {
  /** Looks now; repeated by itself. */
  look(): void
  /** Waits for what is under way. */
  close(): Promise<void>
}

export interface BenchWatchOptions {
  readonly store: Store
  readonly turn: Turn
  readonly book: BookingBook
  readonly plan: KeptPlan
  readonly fleet: BookedFleet
  /** Ids of all benches. */
  readonly benches: () => Iterable<string>
  readonly history: Pick<BenchHistory, 'now'>
  readonly labs: Pick<KnownLabs, 'peek'>
  /** The bench that a session is on. */
  readonly benchOf: (runId: string) => string | undefined
  readonly onTold: () => void
  readonly clock: Clock
  readonly log: Log
}

const TICK_MS = 1000
/** A broken bench is not expected back for whatever begins within it. */
export const SOON_MS = 3_600_000
/** What staff are still arranging is nobody's to hear of. */
const SETTLED_MS = 60_000

/** Watches until it is closed. */
export async function createBenchWatch(options: BenchWatchOptions): Promise<BenchWatch> {
  const { store, turn, book, plan, fleet, history, labs, clock, log } = options
  const statements = bookingStatements(store.db)
  /** By booking: for which beginning its people were told that no bench is left. */
  const told = await toldBefore(store)
  /** By booking: since when it stands as it was not told (monotonic ms). */
  const since = new Map<string, number>()
  /** By bench: since when it is broken (monotonic ms). */
  const brokenSince = new Map<string, number>()
  let working: Promise<void> | undefined
  let closed = false

  const brokenNow = (): ReadonlySet<string> => {
    const now = clock.monotonic()
    const broken = new Set<string>()
    for (const bench of options.benches()) {
      const condition = history.now(bench)
      if (condition === undefined || !isTrouble(condition)) {
        brokenSince.delete(bench)
        continue
      }
      const began = brokenSince.get(bench) ?? now
      brokenSince.set(bench, began)
      if (now - began >= (condition === 'offline' ? AWAY_MS : 0)) broken.add(bench)
    }
    return broken
  }

  /** The same bookings planned without the benches that are broken, for those that begin soon. */
  const lostToBroken = (broken: ReadonlySet<string>): ReadonlySet<string> => {
    if (broken.size === 0) return new Set()
    const now = clock.now()
    const soon = inOrderOf(book.byId.values()).filter(
      ({ startsAt, endsAt }) => startsAt < now + SOON_MS && endsAt > now,
    )
    return planned(soon, ({ runId, lab, wantedBench }) => {
      const found = plan.benchesOf(labs.peek(lab), wantedBench)
      const own = runId === null ? undefined : options.benchOf(runId)
      const benches = own === undefined ? found.benches.filter((id) => !broken.has(id)) : [own]
      return { ...found, benches }
    }).unplaced
  }

  /** Why no bench is left: what staff say of one that is closed then. */
  const whyClosed = ({ lab, wantedBench, startsAt, endsAt }: KnownBooking): string | undefined =>
    plan
      .benchesOf(labs.peek(lab), wantedBench)
      .benches.flatMap((bench) => fleet.closed(bench, { from: startsAt, until: endsAt }))
      .at(0)?.reason

  const tell = (booking: KnownBooking, what: 'no-bench' | 'bench-again') => {
    const reason = what === 'no-bench' ? whyClosed(booking) : undefined
    const notices = noticesOf(booking, { what, at: clock.now(), ...(reason === undefined ? {} : { reason }) })
    for (const notice of notices) turn.add(statements.insertNotice, notice)
    turn.afterCommit(() => {
      if (what === 'no-bench') told.set(booking.id, booking.startsAt)
      else told.delete(booking.id)
      options.onTold()
    })
  }

  const judge = (booking: KnownBooking, hasNone: boolean) => {
    const { id, startsAt } = booking
    // Who moved it knows how it stands.
    if (told.has(id) && told.get(id) !== startsAt) told.delete(id)
    if (hasNone === told.has(id)) {
      since.delete(id)
      return
    }
    const began = since.get(id) ?? clock.monotonic()
    since.set(id, began)
    if (clock.monotonic() - began < SETTLED_MS) return
    since.delete(id)
    tell(booking, hasNone ? 'no-bench' : 'bench-again')
  }

  const work = async () => {
    await plan.now()
    if (closed || !turn.open) return
    const broken = brokenNow()
    const lost = lostToBroken(broken)
    const now = clock.now()
    for (const id of [...told.keys(), ...since.keys()]) {
      if (book.byId.has(id)) continue
      told.delete(id)
      since.delete(id)
    }
    const concerned = new Set([...book.unplaced, ...lost, ...told.keys(), ...since.keys()])
    for (const id of concerned) {
      const booking = book.byId.get(id)
      // Whoever has a bench is told by what becomes of that.
      if (booking === undefined || booking.endsAt <= now || booking.runId !== null) continue
      judge(booking, book.unplaced.has(id) || lost.has(id))
    }
  }

  const look = () => {
    if (closed || working !== undefined) return
    working = work()
      .catch((error: unknown) => {
        log.error({ error: asLabError(error).message }, 'bookings without a bench could not be looked for')
      })
      .finally(() => {
        working = undefined
      })
  }

  const tick = () => {
    look()
    cancelTick = clock.after(TICK_MS, tick)
  }
  let cancelTick = clock.after(TICK_MS, tick)

  return {
    look,
    close: async () => {
      closed = true
      cancelTick()
      await working
    },
  }
}

async function toldBefore({ db }: Store): Promise<Map<string, number>> {
  const latest = db
    .selectFrom('booking_notice')
    .innerJoin('booking', 'booking.id', 'booking_notice.booking_id')
    .select(({ fn }) => fn.max('booking_notice.id').as('id'))
    .where('booking.state', '=', 'booked')
    .where('what', 'in', ['no-bench', 'bench-again'])
    .groupBy('booking_id')
  const rows = await db
    .selectFrom('booking_notice')
    .select(['booking_id', 'detail'])
    .where('id', 'in', latest)
    .where('what', '=', 'no-bench')
    .execute()
  return new Map(rows.map(({ booking_id, detail }) => [booking_id, (JSON.parse(detail) as NoticeDetail).startsAt]))
}
