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
import { dayOf, dayStart, mondayOf } from './bench-use.ts'
import { type Effective, effective, everything, type HeldPermission } from './effective.ts'
import type { Permissions } from './permissions.ts'
import { heldOf } from './rows.ts'

/** What one person may in one lab. */
export interface Standing {
  readonly unlimited: boolean
  /** Now; without a protocol, in any of them. */
  effective(protocol?: string): Effective
  /** Bench time and what is open now. */
  used(countsSetup: boolean): Used
  /** Throws `not-permitted` unless runs of this protocol may be queued. */
  requireQueue(protocol: string): void
  /**
   * Throws `not-permitted`, `reservations-full` or `quota-used` unless another run of this protocol and length may be
   * queued. Nothing may be awaited between this and counting that run as open: then of any number at once no more pass
   * than may.
   */
  requirePlace(protocol: string, estimatedS: number): void
}

export interface Standings {
  of(person: { readonly personId: string; readonly role: Role }, lab: string): Promise<Standing>
}

export interface CreateStandingsOptions {
  readonly store: Store
  readonly groups: Pick<Groups, 'of' | 'onChange'>
  readonly permissions: Pick<Permissions, 'onChange'>
  readonly use: Pick<BenchUse, 'of'>
  readonly clock: Clock
}

const mostRemembered = 5000

/** Keeps what was asked for at hand. */
export function createStandings({ store, groups, permissions, use, clock }: CreateStandingsOptions): Standings {
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
    if (role === 'admin') {
      const may: Effective = { gives: everything, sources: {}, holding: [] }
      return { unlimited: true, effective: () => may, used, requireQueue: () => {}, requirePlace: () => {} }
    }
    const [held, memberships] = await Promise.all([read(), groups.of(personId)])
    const here = held.filter((one) => one.lab === null || one.lab === lab)
    const changesAt = [...memberships.changesAt, ...here.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs])]
    const remembered = new Map<string | undefined, Effective>()
    let [since, until] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const may = (protocol?: string): Effective => {
      const now = clock.now()
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
      requireQueue: (protocol) => void queueing(protocol),
      requirePlace: (protocol, estimatedS) => {
        const gives = queueing(protocol)
        const { mostOpen, dayS, weekS } = gives
        if (mostOpen === null && dayS === null && weekS === null) return
        const { open, ...spent } = used(gives.countsSetup)
        if (mostOpen !== null && open >= mostOpen) throw reservationsFull(lab, mostOpen)
        const today = dayOf(clock.now())
        if (dayS !== null && spent.dayS + estimatedS > dayS)
          throw quotaUsed(lab, 'today', dayS, spent.dayS, estimatedS, dayStart(today + 1))
        if (weekS !== null && spent.weekS + estimatedS > weekS)
          throw quotaUsed(lab, 'this week', weekS, spent.weekS, estimatedS, dayStart(mondayOf(today) + 7))
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

function reservationsFull(lab: string, most: number): LabError {
  return new LabError({
    code: 'reservations-full',
    kind: 'caller',
    retry: 'later',
    message: `this person has as many runs of ${lab} waiting or running as they may: ${most}`,
    studentMessage:
      most === 0
        ? 'You may have no run of this lab. Ask the staff.'
        : `You have as many runs of this lab waiting or running as you may (${most}). Let one end, or stop it.`,
  })
}

function quotaUsed(lab: string, span: string, mostS: number, usedS: number, wantedS: number, endsMs: number): LabError {
  const ends = new Date(endsMs).toISOString()
  const [used, most, wanted] = [usedS, mostS, wantedS].map((s) => `${Math.ceil(s)} s`)
  return new LabError({
    code: 'quota-used',
    kind: 'caller',
    retry: 'later',
    message: `${used} of ${most} of bench time of ${lab} are used ${span}, and this takes about ${wanted}`,
    studentMessage: `You have used ${used} of your ${most} on this lab’s benches ${span}, and this takes about ${wanted}. Your time begins anew at ${ends}.`,
  })
}
