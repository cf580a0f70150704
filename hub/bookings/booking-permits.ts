/** Whether people may still use what they have booked, at hand for decisions. */
import { isStaff } from '@fernlab/shared/contracts/people'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { Groups } from '../groups/groups.ts'
import type { Permissions } from '../permissions/permissions.ts'
import type { Standing, Standings } from '../permissions/standings.ts'
import type { Store } from '../store/store.ts'
import type { KnownBooking } from './booking-book.ts'
import { mayBookAt } from './booking-rules.ts'

export interface BookingPermits {
  /** Whether its person may have the bench at its time; undefined until it is known, which `onKnown` tells. */
  may(booking: KnownBooking, lab: CatalogueLab): boolean | undefined
}

export interface BookingPermitsOptions {
  readonly store: Pick<Store, 'db'>
  readonly standings: Standings
  readonly groups: Pick<Groups, 'onChange'>
  readonly permissions: Pick<Permissions, 'onChange'>
  /** Somebody who is shut out may have nothing. */
  readonly isSuspended: (personId: string) => boolean
  readonly clock: Clock
  readonly log: Log
  readonly onKnown: () => void
}

/** A role that changes is heard of after so long. */
const keptMs = 5000

interface Known {
  /** Null: staff, who are not limited. */
  readonly standing: Standing | null
  /** Monotonic ms. */
  readonly at: number
}

/** Asks for each person and lab, and again after a change of permissions or groups. */
export function createBookingPermits(options: BookingPermitsOptions): BookingPermits {
  const { store, standings, clock, log } = options
  const known = new Map<string, Known>()
  const asked = new Set<string>()
  let changes = 0
  const forget = () => {
    changes++
    known.clear()
  }
  options.permissions.onChange(forget)
  options.groups.onChange(forget)

  const ask = async (key: string, personId: string, lab: string): Promise<void> => {
    const before = changes
    const { role = 'guest' } =
      (await store.db.selectFrom('person').select('role').where('id', '=', personId).executeTakeFirst()) ?? {}
    const standing = isStaff(role) ? null : await standings.of({ personId, role }, lab)
    // What has changed meanwhile is asked again by whoever looks next.
    if (changes === before) known.set(key, { standing, at: clock.monotonic() })
  }

  return {
    may: (booking, lab) => {
      if (options.isSuspended(booking.personId)) return false
      const key = `${booking.personId} ${lab.id}`
      const found = known.get(key)
      if (found !== undefined && clock.monotonic() - found.at < keptMs) {
        return found.standing === null || mayBookAt(found.standing, lab, booking.startsAt)
      }
      if (asked.has(key)) return undefined
      if (found !== undefined) known.delete(key)
      asked.add(key)
      ask(key, booking.personId, lab.id)
        .catch((error: unknown) =>
          log.warn({ booking: booking.id, error: asLabError(error).message }, 'a permission is not known'),
        )
        .finally(() => {
          asked.delete(key)
          options.onKnown()
        })
      return undefined
    },
  }
}
