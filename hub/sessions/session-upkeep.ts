/**
 * Who is there: lost people leave the queue, and nodes hear which sessions are wanted.
 *
 * INVARIANTS: who waits and is not heard of leaves the queue; while this process lives, every node is told within
 * `HEARTBEAT_MS` that its sessions are wanted.
 */
import { LOST_S } from '@fernlab/shared/contracts/sessions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Caller } from '../accounts/caller.ts'
import type { BookingStarts } from '../bookings/starts.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import type { CreateRunsOptions } from '../runs/create-runs.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { RunStatements } from '../runs/run-statements.ts'
import type { Turn } from '../store/turn.ts'
import type { OpenSessions } from './open-sessions.ts'

export interface SessionUpkeepOptions {
  readonly sessions: Pick<OpenSessions, 'open'>
  readonly ledger: Ledger
  readonly turn: Turn
  readonly calls: NodeCalls
  readonly sendCancel: (run: OpenRun, reason: string) => void
  readonly statements: Pick<RunStatements, 'comeFrom'>
  /** What uses keep of an address. */
  readonly originOf: CreateRunsOptions['originOf']
  readonly booked: Pick<BookingStarts, 'seen' | 'isAwaited' | 'ending'>
  readonly clock: Clock
  readonly log: Log
  /** Instead of the documented time. */
  readonly lostMs?: number
}

export interface SessionUpkeep {
  /** Somebody who asked for it is there. */
  note(id: string): void
  /** The same, and from where they came. */
  see(id: string, by: Caller): void
  /** Takes it out of the queue, or ends it, in this turn's write. */
  release(run: OpenRun, reason: string): void
  close(): void
}

const HEARTBEAT_MS = 4000
const TICK_MS = 1000

/** Looks after the sessions of this hub until it is closed. */
export function keepSessions(options: SessionUpkeepOptions): SessionUpkeep {
  const { sessions, ledger, turn, calls, booked, clock, log } = options
  const lostMs = options.lostMs ?? LOST_S * 1000
  /** When somebody was last heard of (monotonic ms). */
  const seenAt = new Map<string, number>()
  /** Those whose person has come, so that it is known from where. */
  const cameFrom = new Set<string>()
  let heartbeatAt = Number.NEGATIVE_INFINITY

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
    for (const ids of [seenAt, cameFrom])
      for (const id of ids.keys()) if (ledger.runs.get(id) === undefined) ids.delete(id)
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

  const note = (id: string): OpenRun | undefined => {
    const run = sessions.open(id)
    if (run === undefined) return undefined
    seenAt.set(id, clock.monotonic())
    booked.seen(run)
    return run
  }

  const see = (id: string, by: Caller) => {
    const run = note(id)
    if (run === undefined) return
    if (by.personId !== run.personId || by.address === undefined || cameFrom.has(id) || !turn.open) return
    turn.add(options.statements.comeFrom, { id, ...options.originOf(by.address) })
    turn.afterCommit(() => cameFrom.add(id))
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

  return { note, see, release, close: () => cancelTick() }
}
