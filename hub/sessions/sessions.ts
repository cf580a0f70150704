/**
 * Live sessions: people who drive a bench by hand.
 *
 * INVARIANTS: a session is a run, so that queue, fence, lease, documents and repair are those of runs; its stage follows
 * from documents alone where they say it; who waits and is not heard of leaves the queue; while this process lives, every
 * node is told within `HEARTBEAT_MS` that its sessions are wanted.
 */
import type { Run } from '@fernlab/shared/contracts/api'
import {
  LOST_S,
  type OpenSession,
  type Session,
  sessionStateOf,
  sessionTimes,
} from '@fernlab/shared/contracts/sessions'
import type { nodeMethods, SessionCommand } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import type { z } from 'zod'
import type { Caller } from '../accounts/caller.ts'
import { hashSecret, newSecret } from '../accounts/secret-text.ts'
import { sessionNeeds } from '../bookings/session-times.ts'
import type { BookingStarts } from '../bookings/starts.ts'
import type { Catalogue, CatalogueLab } from '../catalogue/catalogue.ts'
import type { CompatibilityCache } from '../fleet/compatible.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import type { Standings } from '../permissions/standings.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { Hold, OpenRun } from '../runs/open-runs.ts'
import type { ListRuns, Runs } from '../runs/runs.ts'
import type { Store } from '../store/store.ts'
import type { Turn } from '../store/turn.ts'

type Readings = z.output<(typeof nodeMethods)['session.command']['result']>['readings']

export interface Sessions {
  /**
   * A place for a session in the lab, committed; the open one that the caller has there is answered instead. Throws what
   * `Runs.submit` throws, `no-sessions` and `session-too-long`.
   */
  open(caller: Caller, body: OpenSession): Promise<{ readonly session: Session; readonly made: boolean }>
  get(id: string): Promise<Session | undefined>
  /** Newest first. */
  list(query: Omit<ListRuns, 'state' | 'sessions'>): Promise<{ items: Session[]; cursor?: string }>
  /** Lengthens an active session by so many seconds; throws `session-not-active`, `session-too-long`, `somebody-waits`, `bench-booked`. */
  extend(id: string, by: Caller, seconds: number): Promise<Session>
  /** Makes an active session last until then, if that is longer: its booking ends then. Throws what the node refuses. */
  lengthen(id: string, by: Caller, endsAt: number): Promise<void>
  /** Ends it: leaves the queue, or the bench with its clean-up; one that ends or has ended stays as it is. */
  finish(id: string, by: Caller): Promise<Session>
  /** A command to the bench; throws `session-not-active` and what the node refuses. */
  command(id: string, by: string, command: SessionCommand): Promise<Readings>
  /** Where the page of the lab's own server is; throws `session-not-active`, `no-own-server`. */
  visit(id: string): Promise<string>
  /** Whoever waits for it is still there. */
  seen(id: string): void
  /** May the person take part, though it is not theirs? */
  isPartner(id: string, personId: string): Promise<boolean>
  /** The token of a link by which partners come; one made before stops working. */
  invite(id: string): Promise<string>
  /** Makes the caller a partner; throws `link-used-or-expired`. */
  join(caller: Caller, token: string): Promise<Session>
  /** The version of the lab that the session is of. */
  labOf(id: string): Promise<CatalogueLab | undefined>
  onChange: Runs['onChange']
  live: Runs['live']
  close(): void
}

export interface CreateSessionsOptions {
  readonly store: Store
  readonly runs: Runs
  readonly ledger: Ledger
  readonly turn: Turn
  readonly catalogue: Pick<Catalogue, 'version'>
  readonly labs: KnownLabs
  readonly book: FleetBook
  readonly compatible: CompatibilityCache
  readonly standings: Standings
  readonly calls: NodeCalls
  readonly sendCancel: (run: OpenRun, reason: string) => void
  readonly booked: Pick<BookingStarts, 'seen' | 'isAwaited' | 'ending' | 'bookingWith'>
  /** Until when the bench is nobody's who has booked, epoch ms; infinite where nobody has. */
  readonly bookedFrom: (bench: string) => number
  /** Makes a booking end later; throws `booking-conflict`. */
  readonly lengthenBooking: (id: string, endsAt: number) => Promise<void>
  readonly clock: Clock
  readonly log: Log
  /** Instead of the documented time. */
  readonly lostMs?: number
}

const HEARTBEAT_MS = 4000
const TICK_MS = 1000
const COMMAND_MS = 30_000

/** The sessions of this hub. */
export function createSessions(options: CreateSessionsOptions): Sessions {
  const { store, runs, ledger, turn, catalogue, labs, book, compatible, standings, calls, booked, clock, log } = options
  const lostMs = options.lostMs ?? LOST_S * 1000
  /** When somebody was last heard of (monotonic ms). */
  const seenAt = new Map<string, number>()
  let heartbeatAt = Number.NEGATIVE_INFINITY

  const openRun = (id: string): OpenRun | undefined => {
    const run = ledger.runs.get(id)
    return run?.session === undefined ? undefined : run
  }

  const activeRun = (id: string): OpenRun & { readonly hold: Hold } => {
    const run = openRun(id)
    if (run?.hold !== undefined && run.state === 'running' && run.session?.stage === 'active') {
      return run as OpenRun & { readonly hold: Hold }
    }
    throw new LabError({
      code: 'session-not-active',
      kind: 'caller',
      message: `session ${id} is not active`,
      studentMessage: 'You do not have the bench: it is not yours yet, or no longer.',
    })
  }

  /** The node of an active session, which answers. */
  const nodeOf = ({ hold }: { readonly hold: Hold }): string => {
    if (book.nodes.get(hold.node)?.ready === true) return hold.node
    throw new LabError({
      code: 'node-offline',
      kind: 'link',
      retry: 'later',
      message: `${hold.node}, which has ${hold.bench}, is not connected`,
      studentMessage: 'The bench can not be reached at the moment. It is given a little while to come back.',
    })
  }

  const timesOf = (lab: CatalogueLab | undefined) => sessionTimes(lab?.lab.session ?? {})

  const partnersOf = (id: string): Promise<Session['partners']> =>
    store.db
      .selectFrom('live_partner')
      .innerJoin('user', 'user.id', 'live_partner.person_id')
      .select(['user.id', 'user.name'])
      .where('live_partner.run_id', '=', id)
      .orderBy('live_partner.joined_at')
      .execute()

  const view = async (run: Run, partners: Session['partners']): Promise<Session> => {
    // Of an open one the memory knows more than the disk.
    const open = openRun(run.id)
    const row =
      open === undefined
        ? await store.db.selectFrom('live_session').selectAll().where('run_id', '=', run.id).executeTakeFirst()
        : undefined
    const lab = open?.lab ?? (await catalogue.version(run.lab, run.labVersion))
    const { mostSeconds, idleSeconds } = timesOf(lab)
    const progress = open?.session
    const stage = progress?.stage ?? row?.stage ?? 'preparing'
    const state = sessionStateOf(run.state, stage)
    const activeAt = progress === undefined ? (row?.active_at ?? null) : progress.activeAt
    const endsAt = progress === undefined ? (row?.ends_at ?? null) : progress.endsAt
    return {
      id: run.id,
      state,
      lab: run.lab,
      ...(run.labTitle === undefined ? {} : { labTitle: run.labTitle }),
      bench: run.bench,
      person: run.person,
      seconds: progress?.seconds ?? row?.seconds ?? Number(run.parameters.seconds ?? 0),
      mostSeconds,
      idleSeconds,
      ...(run.position === undefined ? {} : { position: run.position }),
      ...(run.waitReason === undefined ? {} : { waitReason: run.waitReason }),
      ...(run.estimatedStart === undefined ? {} : { estimatedStart: run.estimatedStart }),
      createdAt: run.createdAt,
      ...(activeAt === null ? {} : { activeAt: new Date(activeAt).toISOString() }),
      ...(state !== 'active' || endsAt === null ? {} : { endsAt: new Date(endsAt).toISOString() }),
      ...(run.endedAt === undefined ? {} : { endedAt: run.endedAt }),
      ...(run.reason === undefined ? {} : { reason: run.reason }),
      ...(run.error === undefined ? {} : { error: run.error }),
      partners,
      ...(lab?.lab.panel === undefined ? {} : { panel: lab.lab.panel }),
      ...(lab?.lab.session?.server === undefined ? {} : { ownServer: true }),
      ...(lab?.lab.page === undefined ? {} : { page: true }),
    }
  }

  const get = async (id: string): Promise<Session | undefined> => {
    const run = await runs.get(id)
    return run?.session === undefined ? undefined : await view(run, await partnersOf(id))
  }

  const existing = async (id: string): Promise<Session> => {
    const session = await get(id)
    if (session !== undefined) return session
    throw new LabError({ code: 'session-unknown', kind: 'caller', message: `there is no session ${id}` })
  }

  const tooLong = (mostSeconds: number): LabError =>
    new LabError({
      code: 'session-too-long',
      kind: 'caller',
      message: `a session of this lab may last ${mostSeconds} s at most`,
      issues: [{ path: 'seconds', message: `must be ${mostSeconds} at most` }],
    })

  /** What the lab allows, or the person's permissions where those are less; without any, submitting says so. */
  const mostFor = async (person: Caller, lab: string, mostSeconds: number): Promise<number> => {
    const { sessionS } = (await standings.of(person, lab)).effective(SESSION_PROTOCOL).gives
    return sessionS === null || sessionS === 0 ? mostSeconds : Math.min(mostSeconds, sessionS)
  }

  /** Somebody queued who could have this bench next. */
  const somebodyWaits = (bench: string): boolean => {
    for (const run of ledger.runs.byId.values()) {
      if (run.state === 'queued' && compatible.serves(run, bench)) return true
    }
    return false
  }

  const release = (run: OpenRun, reason: string) => {
    if (run.state === 'queued') {
      ledger.finish(run, { state: 'cancelled', reason, endedAt: clock.now() })
    } else if (!run.cancelRequested) {
      ledger.requestCancel(run, reason)
      turn.afterCommit(() => options.sendCancel(run, reason))
    }
  }

  /** Who has left before the bench was theirs; in the session, its idle limit says it. */
  const releaseLost = () => {
    const now = clock.monotonic()
    for (const run of [...ledger.runs.byId.values()]) {
      // The bench of a booking is kept for its person, until the grace period is over.
      if (run.session === undefined || run.session.stage !== 'preparing' || run.booking !== null) continue
      const seen = seenAt.get(run.id)
      if (seen === undefined) seenAt.set(run.id, now)
      else if (now - seen > lostMs) release(run, 'nobody was there any more')
    }
    for (const id of seenAt.keys()) if (ledger.runs.get(id) === undefined) seenAt.delete(id)
  }

  const lengthen = async (run: OpenRun, node: string, by: Caller, seconds: number) => {
    const { id: runId, attempt } = run
    await calls.call(node, 'session.extend', { runId, attempt, by: by.personId, seconds })
    const { session } = run
    // The documents say so a moment later, and for good.
    if (session?.activeAt != null && session.seconds < seconds) {
      ledger.progress(run, { ...session, seconds, endsAt: session.activeAt + seconds * 1000 })
      await turn.kept()
    }
  }

  const releaseBooked = () => {
    for (const { run, reason } of booked.ending()) release(run, reason)
  }

  const beat = () => {
    heartbeatAt = clock.monotonic()
    const byNode = new Map<string, { runId: string; attempt: number; awaited?: true }[]>()
    for (const run of ledger.runs.byId.values()) {
      const { id, attempt, session, hold } = run
      if (session === undefined || hold === undefined) continue
      const list = byNode.get(hold.node) ?? []
      list.push({ runId: id, attempt, ...(booked.isAwaited(run) ? { awaited: true as const } : {}) })
      byNode.set(hold.node, list)
    }
    for (const [node, list] of byNode) {
      calls.call(node, 'session.renew', { sessions: list }, HEARTBEAT_MS).catch((error: unknown) => {
        // A node that is away ends its sessions itself; that it is away is told elsewhere.
        log.debug({ node, error: asLabError(error).message }, 'a node did not answer a heartbeat')
      })
    }
  }

  const note = (id: string) => {
    const run = openRun(id)
    if (run === undefined) return
    seenAt.set(id, clock.monotonic())
    booked.seen(run)
  }

  const tick = () => {
    if (turn.open) {
      releaseLost()
      releaseBooked()
    }
    if (clock.monotonic() - heartbeatAt >= HEARTBEAT_MS) beat()
    cancelTick = clock.after(TICK_MS, tick)
  }
  let cancelTick = clock.after(TICK_MS, tick)

  return {
    open: async (caller, { lab, seconds, bench }) => {
      const known = labs.peek(lab) ?? (await labs.lab(lab))
      const times = timesOf(known)
      const most = known?.session === undefined ? times.mostSeconds : await mostFor(caller, lab, times.mostSeconds)
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
      note(id)
      // A class that presses at once would wait for what a new one can not have yet.
      return { session: replayed ? await existing(id) : await view(submitted.run, []), made: !replayed }
    },
    get,
    list: async (query) => {
      const { items, cursor } = await runs.list({ ...query, sessions: true })
      const sessions = items.map(async (run) => view(run, await partnersOf(run.id)))
      return { items: await Promise.all(sessions), ...(cursor === undefined ? {} : { cursor }) }
    },
    extend: async (id, by, more) => {
      const run = activeRun(id)
      const lab = timesOf(run.lab).mostSeconds
      // Staff may give somebody all that the lab allows.
      const mostSeconds = by.personId === run.personId ? await mostFor(by, run.lab.id, lab) : lab
      const seconds = (run.session?.seconds ?? 0) + more
      if (seconds > mostSeconds) throw tooLong(mostSeconds)
      if (somebodyWaits(run.hold.bench)) {
        throw new LabError({
          code: 'somebody-waits',
          kind: 'caller',
          retry: 'later',
          message: `somebody waits for ${run.hold.bench}`,
          studentMessage: 'Somebody else waits for this bench: your time can not be made longer.',
        })
      }
      const bench = book.benches.get(run.hold.bench)
      const leftS = Math.max(0, (run.session?.endsAt ?? clock.now()) - clock.now()) / 1000 + more
      if (bench !== undefined && book.freeForS(bench) < leftS) {
        throw new LabError({
          code: 'somebody-waits',
          kind: 'caller',
          retry: 'later',
          message: `${run.hold.bench} goes out of use before that`,
          studentMessage: 'The bench closes soon: your time can not be made longer.',
        })
      }
      const endsAt = clock.now() + leftS * 1000
      const neededFrom = options.bookedFrom(run.hold.bench)
      if (neededFrom < endsAt + sessionNeeds(run.lab).cleanUpMs) {
        throw bookedSoon(run.hold.bench, neededFrom - sessionNeeds(run.lab).cleanUpMs)
      }
      const node = nodeOf(run)
      const booking = booked.bookingWith(run)
      if (booking !== undefined) await options.lengthenBooking(booking, endsAt)
      await lengthen(run, node, by, seconds)
      return await existing(id)
    },
    lengthen: async (id, by, endsAt) => {
      const run = openRun(id)
      if (run?.hold === undefined || run.session?.stage !== 'active' || run.session.activeAt === null) return
      const seconds = Math.round((endsAt - run.session.activeAt) / 1000)
      if (seconds > run.session.seconds) await lengthen(run, nodeOf({ hold: run.hold }), by, seconds)
    },
    finish: async (id, by) => {
      const run = openRun(id)
      if (run === undefined || run.session?.stage === 'finishing') return await existing(id)
      const own = by.personId === run.personId
      if (!own || run.session?.stage !== 'active' || run.hold === undefined) {
        await runs.cancel(id, by)
        return await existing(id)
      }
      try {
        const { attempt } = run
        await calls.call(nodeOf({ hold: run.hold }), 'session.finish', { runId: id, attempt, by: by.personId })
      } catch (error) {
        const { code } = asLabError(error)
        // The node has ended it already, or is told again until it has.
        if (code !== 'session-not-active') await runs.cancel(id, by)
      }
      return await existing(id)
    },
    command: async (id, by, command) => {
      const run = activeRun(id)
      const { readings } = await calls.call(
        nodeOf(run),
        'session.command',
        { runId: id, attempt: run.attempt, by, command },
        COMMAND_MS,
      )
      return readings
    },
    visit: async (id) => {
      const run = activeRun(id)
      if (run.lab.lab.session?.server === undefined) {
        throw new LabError({
          code: 'no-own-server',
          kind: 'caller',
          message: `lab ${run.lab.id} has no server of its own: its session takes place on the page of the session`,
        })
      }
      const { url } = await calls.call(nodeOf(run), 'session.visit', { runId: id, attempt: run.attempt })
      return url
    },
    seen: note,
    isPartner: async (id, personId) => {
      const row = await store.db
        .selectFrom('live_partner')
        .select('run_id')
        .where('run_id', '=', id)
        .where('person_id', '=', personId)
        .executeTakeFirst()
      return row !== undefined
    },
    invite: async (id) => {
      if (openRun(id) === undefined) {
        throw new LabError({ code: 'session-ended', kind: 'caller', message: `session ${id} has ended` })
      }
      const token = newSecret()
      await store.write([
        store.db
          .updateTable('live_session')
          .set({ invite_hash: hashSecret(token) })
          .where('run_id', '=', id),
      ])
      return token
    },
    join: async (caller, token) => {
      const row = await store.db
        .selectFrom('live_session')
        .select('run_id')
        .where('invite_hash', '=', hashSecret(token))
        .executeTakeFirst()
      const run = row === undefined ? undefined : openRun(row.run_id)
      if (run === undefined) {
        throw new LabError({
          code: 'link-used-or-expired',
          kind: 'caller',
          message: 'this link leads to no open session',
          studentMessage: 'This session is over, or the link was replaced. Ask for a new one.',
        })
      }
      if (run.personId !== caller.personId) {
        await store.write([
          store.db
            .insertInto('live_partner')
            .values({ run_id: run.id, person_id: caller.personId, joined_at: clock.now() })
            .onConflict((conflict) => conflict.doNothing()),
        ])
      }
      return await existing(run.id)
    },
    labOf: async (id) => {
      const run = await runs.get(id)
      return run?.session === undefined ? undefined : await catalogue.version(run.lab, run.labVersion)
    },
    onChange: runs.onChange,
    live: runs.live,
    close: () => cancelTick(),
  }
}

/** `until`: the last moment at which the session may end. */
function bookedSoon(bench: string, until: number): LabError {
  const latest = new Date(Math.floor(until / 1000) * 1000).toISOString()
  return new LabError({
    code: 'bench-booked',
    kind: 'caller',
    message: `${bench} is booked: the session can last until ${latest}`,
    issues: [{ path: 'seconds', message: `may go on until ${latest} at most` }],
    studentMessage: `Somebody has booked the bench: your time can go on until ${latest} at most.`,
    details: { until: latest },
  })
}
