/** What decisions are made from, read from the database: nodes and benches, open runs, bookings. */
import { bookedFleet } from '../bookings/booked-fleet.ts'
import { BookingBook, loadBookings, loadMissed } from '../bookings/booking-book.ts'
import { createKeptPlan } from '../bookings/kept-plan.ts'
import { CompatibilityCache } from '../fleet/compatible.ts'
import { loadFleetBook, reloadHolds } from '../fleet/fleet-book.ts'
import { loadSpent } from '../permissions/bench-use.ts'
import { loadOpenRuns, OpenRuns } from '../runs/open-runs.ts'
import { createScheduling } from '../scheduling/scheduling.ts'
import type { Basics } from './basics.ts'
import type { Ground } from './ground.ts'

export type Memory = Awaited<ReturnType<typeof loadMemory>>

/** @param onReordered Tells that the order of the queue may be another: its rules changed. */
export async function loadMemory(
  { clock, onClose }: Basics,
  { store, catalogue, labs }: Ground,
  onReordered: () => void,
) {
  await store.db.updateTable('node').set({ online: 0 }).where('online', '=', 1).execute()
  const book = await loadFleetBook(store, clock)
  const compatible = new CompatibilityCache(book)
  const open = new OpenRuns()
  const scheduling = createScheduling({
    store,
    clock,
    onChange: (rules, used) => {
      open.reorder(rules, used)
      onReordered()
    },
  })
  const loadRuns = async () => {
    const { rules, used } = await scheduling.load()
    const loaded = await loadOpenRuns({ store, labVersion: catalogue.version, clock })
    const spent = await loadSpent(store, clock.now())
    open.use.reset(spent)
    open.replace(loaded, rules, used)
  }
  await loadRuns()
  const bookingBook = new BookingBook()
  const bookedBenches = bookedFleet(book, compatible)
  const loadBooked = async () => {
    const now = clock.now()
    bookingBook.reset(await loadBookings(store, now), await loadMissed(store, now))
  }
  await loadBooked()
  const bookedPlan = createKeptPlan({ book: bookingBook, labs, catalogue, fleet: bookedBenches, clock })
  onClose(() => bookedPlan.close())
  return {
    book,
    compatible,
    open,
    scheduling,
    bookingBook,
    bookedBenches,
    bookedPlan,
    /** Reads it again: after a failed commit what is remembered may be ahead of what is kept. */
    reload: async () => {
      await loadRuns()
      await loadBooked()
      await reloadHolds(store, book)
    },
  }
}
