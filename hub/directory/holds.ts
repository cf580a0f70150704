/** What a token may stand on: a lease of a bench, or a live session that has one. */
import { askedSession, readSessionHold, sessionHold } from '@fernlab/shared/contracts/session-hold'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Caller } from '../accounts/caller.ts'
import { can } from '../accounts/can.ts'
import { type FleetBook, leaseOf } from '../fleet/fleet-book.ts'
import { type LeaseEnds, leaseTakenBack } from '../fleet/lease-ends.ts'
import type { OpenSessions } from '../sessions/open-sessions.ts'

export interface OwnHold {
  /** `<node>.<bench>`. */
  readonly bench: string
  /** As its node calls it. */
  readonly benchName: string
  /** For the token. */
  readonly lease: string
  /** When it ends unless it is renewed, epoch ms; undefined of a session. */
  readonly until: number | undefined
}

export interface Holds {
  /** The bench of that node that the caller has by the lease, or by `session/<id>`; throws `lease-ended`, `session-not-active`. */
  own(caller: Caller, node: string, lease: string): Promise<OwnHold>
  hasEnded(hold: { readonly bench: string; readonly lease: string }): boolean
}

export interface HoldsOptions {
  readonly book: Pick<FleetBook, 'benches'>
  readonly sessions: Pick<OpenSessions, 'open' | 'mustBeActive'>
  readonly leaseEnds: LeaseEnds
}

export function createHolds({ book, sessions, leaseEnds }: HoldsOptions): Holds {
  const ofLease = async (caller: Caller, node: string, lease: string): Promise<OwnHold> => {
    const benches = [...book.benches.values()].filter((each) => each.node === node)
    const bench = benches.find((each) => leaseOf(each, lease) !== undefined)
    const held = bench === undefined ? undefined : leaseOf(bench, lease)
    if (bench !== undefined && held?.holder === caller.personId && can(caller, 'benches.drive')) {
      if (held.takenBack !== undefined) throw leaseTakenBack(bench.id, held.takenBack)
      if (bench.lease === held) return { bench: bench.id, benchName: bench.name, lease, until: held.expiresAt }
    }
    const ids = benches.map(({ id }) => id)
    const ended = can(caller, 'people.read') ? await leaseEnds.of(ids, lease, caller.personId) : undefined
    if (ended !== undefined) throw ended
    const message = `that is no lease of yours on a bench of ${node}, or it has ended; take the bench again`
    throw new LabError({ code: 'lease-ended', kind: 'caller', message })
  }
  const ofSession = (caller: Caller, node: string, id: string): OwnHold => {
    // Others are not told that there is one.
    if (sessions.open(id)?.personId !== caller.personId) throw noSession(id)
    const { hold, attempt } = sessions.mustBeActive(id)
    const bench = book.benches.get(hold.bench)
    if (bench?.node !== node) throw noSession(id, ` on a bench of ${node}`)
    return { bench: bench.id, benchName: bench.name, lease: sessionHold(id, attempt), until: undefined }
  }
  return {
    own: async (caller, node, lease) => {
      const session = askedSession(lease)
      return session === undefined ? await ofLease(caller, node, lease) : ofSession(caller, node, session)
    },
    hasEnded: ({ bench, lease }) => {
      const session = readSessionHold(lease)
      if (session === undefined) return book.benches.get(bench)?.lease?.lease !== lease
      const run = sessions.open(session.runId)
      return run?.hold?.bench !== bench || run.attempt !== session.attempt
    },
  }
}

const noSession = (id: string, where = '') =>
  new LabError({
    code: 'session-not-active',
    kind: 'caller',
    message: `${id.slice(0, 100)} is no session of yours that is under way${where}`,
  })
