/** What a token may stand on: a lease of a bench, or a live session that has one. */
import { askedSession, readSessionHold, sessionHold } from '@fernlab/shared/contracts/session-hold'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Caller } from '../accounts/caller.ts'
import { can } from '../accounts/can.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import type { OpenSessions } from '../sessions/open-sessions.ts'

export interface OwnHold {
  /** `<node>.<bench>`. */
  readonly bench: string
  /** As its node calls it. */
  readonly benchName: string
  /** For the token. */
  readonly lease: string
}

export interface Holds {
  /** The bench of that node that the caller has by the lease, or by `session/<id>`; throws `lease-ended`, `session-not-active`. */
  own(caller: Caller, node: string, lease: string): OwnHold
  hasEnded(hold: { readonly bench: string; readonly lease: string }): boolean
}

export interface HoldsOptions {
  readonly book: Pick<FleetBook, 'benches'>
  readonly sessions: Pick<OpenSessions, 'open' | 'mustBeActive'>
}

export function createHolds({ book, sessions }: HoldsOptions): Holds {
  const ofLease = (caller: Caller, node: string, lease: string): OwnHold => {
    const bench = [...book.benches.values()].find((each) => each.node === node && each.lease?.lease === lease)
    if (bench?.lease?.holder === caller.personId && can(caller, 'benches.drive')) {
      return { bench: bench.id, benchName: bench.name, lease }
    }
    const message = `that is no lease of yours on a bench of ${node}, or it has ended; take the bench again`
    throw new LabError({ code: 'lease-ended', kind: 'caller', message })
  }
  const ofSession = (caller: Caller, node: string, id: string): OwnHold => {
    // Others are not told that there is one.
    if (sessions.open(id)?.personId !== caller.personId) throw noSession(id)
    const { hold, attempt } = sessions.mustBeActive(id)
    const bench = book.benches.get(hold.bench)
    if (bench?.node !== node) throw noSession(id, ` on a bench of ${node}`)
    return { bench: bench.id, benchName: bench.name, lease: sessionHold(id, attempt) }
  }
  return {
    own: (caller, node, lease) => {
      const session = askedSession(lease)
      return session === undefined ? ofLease(caller, node, lease) : ofSession(caller, node, session)
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
