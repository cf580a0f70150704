/**
 * Live sessions: people who drive a bench by hand.
 *
 * INVARIANTS: a session is a run, so that queue, fence, lease, documents and repair are those of runs; its stage follows
 * from documents alone where they say it.
 */
import type { ExtendSession, OpenSession, Session } from '@fernlab/shared/contracts/sessions'
import type { LabPageWay, nodeMethods, SessionCommand, VisitRow } from '@fernlab/shared/contracts/sync'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import type { z } from 'zod'
import type { Caller } from '../accounts/caller.ts'
import type { Catalogue, CatalogueLab } from '../catalogue/catalogue.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { ListRuns, Runs } from '../runs/runs.ts'
import type { Store } from '../store/store.ts'
import { createLongerSessions, type LongerSessionsOptions } from './longer-sessions.ts'
import { openSessions } from './open-sessions.ts'
import { createPartners } from './partners.ts'
import { createSessionEnds } from './session-ends.ts'
import { mostSessionS, tooLong } from './session-length.ts'
import { keepSessions, type SessionUpkeepOptions } from './session-upkeep.ts'
import { createSessionView, timesOf } from './session-view.ts'

type Readings = z.output<(typeof nodeMethods)['session.command']['result']>['readings']

export interface Sessions {
  /**
   * A place for a session in the lab, committed; the open one that the caller has there is answered instead. Throws what
   * `Runs.submit` throws, `no-sessions`, `no-session-time` and `session-too-long`.
   */
  open(caller: Caller, body: OpenSession): Promise<{ readonly session: Session; readonly made: boolean }>
  get(id: string): Promise<Session | undefined>
  /** Newest first. */
  list(query: Omit<ListRuns, 'state' | 'sessions'>): Promise<{ items: Session[]; cursor?: string }>
  /** Lengthens an active session, by so many seconds or to so many in all; throws `session-not-active`, `no-session-time`, `session-too-long`, `quota-used`, `somebody-waits`, `bench-booked`. */
  extend(id: string, by: Caller, asked: ExtendSession): Promise<Session>
  /** Makes an active session last until then, if that is longer: its booking ends then. Throws what the node refuses. */
  lengthen(id: string, by: Caller, endsAt: number): Promise<void>
  /**
   * Ends it: leaves the queue, or the bench with its clean-up; one that ends or has ended stays as it is, and a rest of it
   * that has not begun is given up. By others than who takes part it is cancelled by the staff.
   */
  finish(id: string, by: Caller): Promise<Session>
  /** A command to the bench; throws `session-not-active` and what the node refuses. */
  command(id: string, by: string, command: SessionCommand): Promise<Readings>
  /** Where the page of the lab's own server is; throws `session-not-active`, `no-own-server`. */
  visit(id: string): Promise<{ readonly url: string; readonly through: LabPageWay }>
  /** Which node has the bench of an active session, and in which attempt; throws `session-not-active`, `node-offline`. */
  seat(id: string): { readonly node: string; readonly attempt: number }
  /** Is it not over? */
  isOpen(id: string): boolean
  /** Does it have its bench, for its person to work on? */
  isActive(id: string): boolean
  /** Is the person the owner or a partner of an active session? */
  takesPart(id: string, personId: string): Promise<boolean>
  /** Keeps with an active session what was asked of its lab's own server. */
  noteVisit(id: string, rows: VisitRow[]): Promise<void>
  /** Whoever waits for it is still there. */
  seen(id: string, by: Caller): void
  /** May the person take part, though it is not theirs? */
  isPartner(id: string, personId: string): Promise<boolean>
  /** The token of a link by which partners come; one made before stops working. */
  invite(id: string): Promise<string>
  /** Makes the caller a partner; throws `link-used-or-expired`. */
  join(caller: Caller, token: string): Promise<Session>
  /** The version of the lab that the session is of. */
  labOf(id: string): Promise<CatalogueLab | undefined>
  /** When it has to end for a booking (epoch ms). */
  bumpedAt(id: string): number | undefined
  onChange: Runs['onChange']
  live: Runs['live']
  /** Place, reason and start of a session that waits; undefined for any other. */
  waitOf: Runs['waitOf']
  close(): void
}

export interface CreateSessionsOptions
  extends Omit<LongerSessionsOptions, 'sessions' | 'booked'>,
    Omit<SessionUpkeepOptions, 'sessions' | 'booked'> {
  readonly store: Store
  readonly runs: Runs
  readonly catalogue: Pick<Catalogue, 'version'>
  readonly labs: KnownLabs
  readonly booked: LongerSessionsOptions['booked'] & SessionUpkeepOptions['booked']
}

const COMMAND_MS = 30_000

/** The sessions of this hub. */
export function createSessions(options: CreateSessionsOptions): Sessions {
  const { store, runs, ledger, turn, catalogue, labs, book, standings, calls, clock } = options
  const current = openSessions({ ledger, book, turn })
  const partners = createPartners({ store, sessions: current, turn, clock })
  const view = createSessionView({ store, catalogue, sessions: current, clock })
  const longer = createLongerSessions({ ...options, sessions: current })
  const upkeep = keepSessions({ ...options, sessions: current })
  const ends = createSessionEnds({ ...options, sessions: current, partners, release: upkeep.release })

  const get = async (id: string): Promise<Session | undefined> => {
    const run = await runs.get(id)
    return run?.session === undefined ? undefined : await view(run, await partners.of(id))
  }

  const existing = async (id: string): Promise<Session> => {
    const session = await get(id)
    if (session !== undefined) return session
    throw new LabError({ code: 'session-unknown', kind: 'caller', message: `there is no session ${id}` })
  }

  return {
    open: async (caller, { lab, seconds, bench }) => {
      const known = labs.peek(lab) ?? (await labs.lab(lab))
      const times = timesOf(known)
      const most =
        known?.session === undefined ? times.mostSeconds : await mostSessionS(standings, caller, lab, times.mostSeconds)
      if (known?.session !== undefined && seconds !== undefined && seconds > most) throw tooLong(most)
      const wanted = seconds ?? Math.min(times.seconds, most)
      const submitted = await runs.submit(
        caller,
        {
          lab,
          protocol: SESSION_PROTOCOL,
          parameters: { seconds: wanted },
          ...(bench === undefined ? {} : { bench }),
        },
        { session: { seconds: wanted } },
      )
      const { id, replayed } = submitted
      upkeep.note(id)
      // A class that presses at once would wait for what a new one can not have yet.
      return { session: replayed ? await existing(id) : await view(submitted.run, []), made: !replayed }
    },
    get,
    list: async (query) => {
      const { items, cursor } = await runs.list({ ...query, sessions: true })
      const sessions = items.map(async (run) => view(run, await partners.of(run.id)))
      return { items: await Promise.all(sessions), ...(cursor === undefined ? {} : { cursor }) }
    },
    extend: async (id, by, asked) => {
      await longer.extend(id, by, asked)
      return await existing(id)
    },
    lengthen: longer.lengthen,
    finish: async (id, by) => {
      await ends.finish(id, by)
      return await existing(id)
    },
    command: async (id, by, command) => {
      const run = current.mustBeActive(id)
      const { readings } = await calls.call(
        current.nodeOf(run),
        'session.command',
        { runId: id, attempt: run.attempt, by, command },
        COMMAND_MS,
      )
      return readings
    },
    visit: async (id) => {
      const run = current.mustBeActive(id)
      if (run.lab.lab.session?.server === undefined) {
        throw new LabError({
          code: 'no-own-server',
          kind: 'caller',
          message: `lab ${run.lab.id} has no server of its own: its session takes place on the page of the session`,
        })
      }
      return await calls.call(current.nodeOf(run), 'session.visit', { runId: id, attempt: run.attempt })
    },
    seat: (id) => {
      const run = current.mustBeActive(id)
      return { node: current.nodeOf(run), attempt: run.attempt }
    },
    seen: upkeep.see,
    isOpen: (id) => current.open(id) !== undefined,
    isActive: (id) => current.active(id) !== undefined,
    takesPart: async (id, personId) => {
      const run = current.active(id)
      return run !== undefined && (run.personId === personId || (await partners.isPartner(id, personId)))
    },
    noteVisit: async (id, rows) => {
      const run = current.mustBeActive(id)
      await calls.call(current.nodeOf(run), 'session.noted', { runId: id, attempt: run.attempt, rows })
    },
    isPartner: partners.isPartner,
    invite: partners.invite,
    join: async (caller, token) => await existing(await partners.join(caller.personId, token)),
    labOf: async (id) => {
      const run = await runs.get(id)
      return run?.session === undefined ? undefined : await catalogue.version(run.lab, run.labVersion)
    },
    bumpedAt: (id) => current.open(id)?.bumped?.atMs,
    onChange: runs.onChange,
    live: runs.live,
    waitOf: runs.waitOf,
    close: upkeep.close,
  }
}
