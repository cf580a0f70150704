/**
 * What each person may in each lab, at hand for every submission.
 *
 * INVARIANTS: what was read before a change of permissions or groups is not kept after it; what is kept is asked again
 * once a permission or a course begins or ends.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Role } from '../accounts/caller.ts'
import type { Groups } from '../groups/groups.ts'
import type { Store } from '../store/store.ts'
import type { BenchUse, Used } from './bench-use.ts'
import { type Effective, effective, everything, type HeldPermission } from './effective.ts'
import type { Permissions } from './permissions.ts'
import { type BookedTime, requireQuota, type Taken, takenAt } from './quotas.ts'
import { heldOf } from './rows.ts'

/** What one person may in one lab. */
export interface Standing {
  readonly unlimited: boolean
  /** Now, or at the time given (epoch ms); without a protocol, in any of them. */
  effective(protocol?: string, atMs?: number): Effective
  /** Bench time and what is open now. */
  used(countsSetup: boolean): Used
  /** Bench time that is used and booked in the day and the week of a moment, but for one booking. */
  taken(atMs: number, countsSetup: boolean, but?: string): Taken
  /** Ids of the runs that are open now. */
  openRuns(): readonly string[]
  /** Throws `not-permitted` unless runs of this protocol may be queued. */
  requireQueue(protocol: string): void
  /**
   * Throws `not-permitted`, `reservations-full` or `quota-used` unless another run of this protocol and length may be
   * queued. Nothing may be awaited between this and counting that run as open: then of any number at once no more pass
   * than may.
   */
  requirePlace(protocol: string, estimatedS: number): void
  /** Throws `quota-used` unless something of this protocol that is open may last so much longer. */
  requireLonger(protocol: string, moreS: number): void
}

export interface Standings {
  of(person: { readonly personId: string; readonly role: Role }, lab: string): Promise<Standing>
}

export interface BookingToCome extends BookedTime {
  readonly id: string
}

export interface CreateStandingsOptions {
  readonly store: Store
  readonly groups: Pick<Groups, 'of' | 'onChange'>
  readonly permissions: Pick<Permissions, 'onChange'>
  readonly use: Pick<BenchUse, 'of' | 'openOf'>
  /** The person's bookings of the lab that are to come; their benches count as places. */
  readonly toCome: (personId: string, lab: string) => readonly BookingToCome[]
  readonly clock: Clock
}

const mostRemembered = 5000

/** Keeps what was asked for at hand. */
export function createStandings({ store, groups, permissions, use, toCome, clock }: CreateStandingsOptions): Standings {
  let all: Promise<HeldPermission[]> | undefined
  let generation = 0
  const known = new Map<string, Standing>()
  const forget = () => {
    generation++
    known.clear()
  }
  const forgetAll = () => {
    all = undefined
    forget()
  }
  // A group that is removed takes its permissions along.
  groups.onChange((personId) => (personId === undefined ? forgetAll() : forget()))
  permissions.onChange(forgetAll)

  const read = (): Promise<HeldPermission[]> => {
    all ??= store.db
      .selectFrom('permission')
      .selectAll()
      .execute()
      .then((rows) => rows.map(heldOf))
    all.catch(() => {
      all = undefined
    })
    return all
  }

  const make = async (personId: string, role: Role, lab: string): Promise<Standing> => {
    const used = (countsSetup: boolean) => use.of(personId, lab, clock.now(), countsSetup)
    const openRuns = () => use.openOf(personId, lab)
    const taken = (atMs: number, countsSetup: boolean, but?: string) => {
      const booked = toCome(personId, lab).filter(({ id }) => id !== but)
      return takenAt(atMs, clock.now(), used(countsSetup), booked)
    }
    if (role === 'admin') {
      const may: Effective = { gives: everything, sources: {}, holding: [] }
      return {
        unlimited: true,
        effective: () => may,
        used,
        taken,
        openRuns,
        requireQueue: () => {},
        requirePlace: () => {},
        requireLonger: () => {},
      }
    }
    const [held, memberships] = await Promise.all([read(), groups.of(personId)])
    const here = held.filter((one) => one.lab === null || one.lab === lab)
    const changesAt = [...memberships.changesAt, ...here.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs])]
    const remembered = new Map<string | undefined, Effective>()
    let [since, until] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const may = (protocol?: string, atMs?: number): Effective => {
      const now = clock.now()
      if (atMs !== undefined) {
        return effective(here, { personId, role, groups: memberships.at(atMs) }, lab, protocol, atMs)
      }
      if (now < since || now >= until) {
        remembered.clear()
        const bounds = changesAt.filter((at) => at !== null)
        since = Math.max(Number.NEGATIVE_INFINITY, ...bounds.filter((at) => at <= now))
        until = Math.min(Number.POSITIVE_INFINITY, ...bounds.filter((at) => at > now))
      }
      let found = remembered.get(protocol)
      if (found === undefined) {
        found = effective(here, { personId, role, groups: memberships.at(now) }, lab, protocol, now)
        remembered.set(protocol, found)
      }
      return found
    }
    const queueing = (protocol: string) => {
      const { gives, holding } = may(protocol)
      if (!gives.mayQueue) throw notPermitted(lab, protocol, holding.length > 0, may().gives.mayQueue)
      return gives
    }
    return {
      unlimited: false,
      effective: may,
      used,
      taken,
      openRuns,
      requireQueue: (protocol) => void queueing(protocol),
      requirePlace: (protocol, estimatedS) => {
        const gives = queueing(protocol)
        const { mostOpen, dayS, weekS, countsSetup } = gives
        if (mostOpen === null && dayS === null && weekS === null) return
        if (mostOpen !== null) {
          const bookings = toCome(personId, lab)
          const runs = openRuns()
          if (runs.length + bookings.length >= mostOpen) throw reservationsFull(lab, mostOpen, { runs, bookings })
        }
        const now = clock.now()
        requireQuota(gives, taken(now, countsSetup), { lab, atMs: now, nowMs: now, wantedS: estimatedS })
      },
      requireLonger: (protocol, moreS) => {
        const { gives } = may(protocol)
        const now = clock.now()
        requireQuota(gives, taken(now, gives.countsSetup), { lab, atMs: now, nowMs: now, wantedS: moreS })
      },
    }
  }

  return {
    of: async ({ personId, role }, lab) => {
      const key = `${personId} ${role} ${lab}`
      const before = known.get(key)
      if (before !== undefined) return before
      const asked = generation
      const standing = await make(personId, role, lab)
      if (asked !== generation) return standing
      if (known.size >= mostRemembered) known.clear()
      known.set(key, standing)
      return standing
    },
  }
}

function notPermitted(lab: string, protocol: string, some: boolean, others: boolean): LabError {
  const message = others
    ? `none of the permissions lets this person queue ${protocol} of ${lab}`
    : some
      ? `the permissions for ${lab} don't let this person queue`
      : `this person has no permission for ${lab}`
  return new LabError({
    code: 'not-permitted',
    kind: 'caller',
    message,
    ...(others ? { issues: [{ path: 'protocol', message: 'is not among those that you may run' }] } : {}),
    studentMessage: 'You may not run this. The lab’s page says what you may, and whom to ask.',
  })
}

/** What somebody has of a lab that counts as a place. */
export interface PlacesTaken {
  readonly runs: readonly string[]
  readonly bookings: readonly Pick<BookingToCome, 'id' | 'startsAt'>[]
}

/** The refusal of one place more than somebody may have; it says what could be given up for it. */
export function reservationsFull(
  lab: string,
  most: number,
  { runs, bookings }: PlacesTaken,
  code = 'reservations-full',
): LabError {
  const starts = bookings.map(({ startsAt }) => new Date(startsAt).toISOString())
  const taken = [...runs.map((id) => `run ${id}`), ...bookings.map(({ id }, at) => `booking ${id} from ${starts[at]}`)]
  const has = `this person has as many places in ${lab} as they may (${most})`
  return new LabError({
    code,
    kind: 'caller',
    retry: 'later',
    message: taken.length === 0 ? has : `${has}: ${taken.join(', ')}`,
    ...(most === 0 ? {} : { issues: taken.map((what) => ({ path: 'lab', message: `cancel ${what} to make room` })) }),
    studentMessage:
      most === 0
        ? 'You may have no run of this lab. Ask the staff.'
        : bookings.length === 0
          ? `You have as many runs of this lab waiting or running as you may (${most}). Let one end, or stop it.`
          : `You have as many places in this lab as you may (${most}), bookings counted. Cancel ${runs.length === 0 ? '' : 'a run, or '}the booking of ${starts.join(' or of ')}.`,
  })
}
