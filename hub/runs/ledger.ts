/**
 * Every transition of a run after its submission: one function each, which changes memory and adds the rows of this turn.
 *
 * INVARIANTS: a transition that the table in shared/contracts/run-state.ts forbids throws; a run that becomes final leaves
 * memory, frees its bench and ends its attempt in the same write, and takes the bench out of use when a clean-up is not
 * known to be done; one that ends before its node has told of that keeps its bench, and all of this is in the write that
 * gives the bench back; listeners hear of it after the commit.
 */

import type { Output } from '@fernlab/shared/contracts/common'
import type { StopDoc } from '@fernlab/shared/contracts/documents'
import { type FinalState, type RunNotice, type RunState, runTransitions } from '@fernlab/shared/contracts/run-state'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { LabErrorJson } from '@fernlab/shared/primitives/lab-error'
import { transition } from '@fernlab/shared/primitives/state-machine'
import type { BookedBench, FleetBook } from '../fleet/fleet-book.ts'
import { noPictures } from '../results/pictures-taken.ts'
import type { Leaving } from '../scheduling/bumping.ts'
import { newSession, type SessionProgress } from '../sessions/stage.ts'
import type { Turn } from '../store/turn.ts'
import { attemptClock, attemptNow } from './attempt-clock.ts'
import { ofNoUse } from './attempt-use.ts'
import { type HeldRun, type Hold, type OpenRun, type OpenRuns, protocolOf } from './open-runs.ts'
import type { EventRow, RunStatements } from './run-statements.ts'
import type { RunChange } from './runs.ts'

export interface Outcome {
  readonly state: FinalState
  readonly reason: string | null
  readonly error?: LabErrorJson | undefined
  readonly outputs?: Readonly<Record<string, Output>>
  readonly missingOutputs?: Readonly<Record<string, string>>
  /** Of a session: whether its clean-up was done, as its node says. */
  readonly cleanUp?: StopDoc['cleanUp']
  /** Of a session that lost its bench. */
  readonly rest?: RestOfSession | undefined
  /** Its node has not told of its end, and may still have it: nobody gets the bench before that. */
  readonly untold?: true
  /** Epoch ms. */
  readonly endedAt: number
}

/** The time that the person of a session had left, and where they get it again. */
export interface RestOfSession {
  /** Whole seconds. */
  readonly seconds: number
  /** At the head of the queue, or within the booking that began it. */
  readonly from: 'queue' | 'booking'
}

export type Requeued = 'refused' | 'interrupted' | 'broken' | 'unready' | 'bumped'

export interface Ledger {
  readonly runs: OpenRuns
  /** Takes the run out of the queue and the bench, where that is one of a booking's, for its attempt, with the next fence. */
  assign(run: OpenRun, bench: BookedBench, booking?: string): Hold
  start(run: OpenRun, startedAt: number): void
  finish(run: OpenRun, outcome: Outcome): void
  /** Gives back the bench of one that ended before its node told of that; `reason`: why no clean-up is known to be done. */
  giveBack(run: HeldRun, told: Pick<Outcome, 'cleanUp' | 'reason'>): void
  /**
   * A new attempt: the present one was refused (its bench is free at once), interrupted, ended by a bench that broke
   * down or could not be made ready, or bumped for a booking; after these three it is at the head of the queue and what
   * it used counts for nothing. A bench that could not be made ready for it is not given to it again.
   */
  requeue(
    run: OpenRun,
    why: Requeued,
    reason: string,
    /** Of a session: whether its clean-up was done, as its node says. */
    cleanUp?: StopDoc['cleanUp'],
  ): void
  requestCancel(run: OpenRun, reason: string): void
  /** Notes that the run has to leave its bench for a booking, and why. */
  bump(run: OpenRun, leaving: Leaving, reason: string): void
  /** The booking needs the bench no more: the run stays. */
  spare(run: OpenRun): void
  /** Notes where a session is. */
  progress(run: OpenRun, session: SessionProgress): void
  /** The first state of a run that this turn's rows create. */
  queued(run: OpenRun): void
  /** The row of that first state, for a write that makes the run alone. */
  firstEvent(run: OpenRun): EventRow
  /** Tells of a run that such a write has made. */
  appeared(run: OpenRun): void
  notify(change: RunChange): void
  onChange(listener: (change: RunChange) => void): () => void
  /** Calls back as a run becomes final, before that is committed: what is added then is of the same write. */
  onEnd(listener: (run: OpenRun, outcome: Outcome) => void): void
  /** Calls back after any transition that may let another run start. */
  onMove(listener: () => void): void
}

export interface CreateLedgerOptions {
  readonly turn: Turn
  readonly statements: RunStatements
  readonly runs: OpenRuns
  readonly book: FleetBook
  readonly clock: Clock
  /** Whether anybody outside listens to `hub/runs/<state>`, and how to tell them. */
  readonly notices: { wanted(state: RunState): boolean; publish(notice: RunNotice): void }
}

/** The ledger over the open runs. */
export function createLedger(options: CreateLedgerOptions): Ledger {
  const { turn, statements, runs, book, clock, notices } = options
  const listeners = new Set<(change: RunChange) => void>()
  const ends: ((run: OpenRun, outcome: Outcome) => void)[] = []
  const moves: (() => void)[] = []

  const notify = (change: RunChange) => {
    for (const listener of listeners) listener(change)
  }

  const eventOf = (run: OpenRun, name: string, data: object): EventRow => {
    run.events++
    return { runId: run.id, number: run.events, at: clock.now(), name, data: JSON.stringify(data) }
  }

  const stateEventOf = (run: OpenRun, state: RunState, bench: string | null, reason: string | null): EventRow =>
    eventOf(run, 'state', {
      state,
      attempt: run.attempt,
      ...(reason === null ? {} : { reason }),
      ...(bench === null ? {} : { bench }),
    })

  const tell = (run: OpenRun, state: RunState, bench: string | null, atMs: number) => {
    const { id, attempt, protocol } = run
    const lab = run.lab.id
    turn.afterCommit(() => {
      if (notices.wanted(state)) {
        notices.publish({ id, state, attempt, lab, protocol, bench, at: new Date(atMs).toISOString() })
      }
      notify({ runId: id, kind: 'state', state, attempt })
    })
  }

  const record = (run: OpenRun, state: RunState, bench: string | null, reason: string | null) => {
    const event = stateEventOf(run, state, bench, reason)
    turn.add(statements.insertEvent, event)
    tell(run, state, bench, event.at)
  }

  const moved = () => {
    for (const listener of moves) listener()
  }

  const freeBench = ({ id, hold }: HeldRun, nowMs: number) => {
    const bench = book.benches.get(hold.bench)
    if (bench === undefined || bench.runId !== id) return
    turn.add(statements.freeBench, { id: bench.id, runId: id, at: nowMs })
    bench.runId = null
    bench.since = nowMs
  }

  /** Ends the present attempt, and frees its bench unless its node has still to tell. */
  const letGo = (run: OpenRun, attemptState: string, nowMs: number, untold?: true) => {
    const { hold } = run
    if (hold === undefined) return
    const held = { ...run, hold }
    turn.add(statements.endAttempt, {
      runId: run.id,
      attempt: run.attempt,
      nextSeq: hold.nextSeq,
      state: attemptState,
      at: nowMs,
    })
    if (untold) runs.unreturned.set(run.id, held)
    else freeBench(held, clock.now())
    // A bench that refused was not used, one that broke down or was taken away was of no use.
    const isUse = !ofNoUse.some((state) => state === attemptState)
    runs.waiting.release(run, isUse ? nowMs - hold.assignedAtMs : 0, nowMs)
    if (isUse) {
      runs.use.spent({
        personId: run.personId,
        lab: run.lab.id,
        heldMs: nowMs - hold.assignedAtMs,
        runningMs: nowMs - (run.startedAt ?? nowMs),
        endedAtMs: nowMs,
      })
    }
    run.hold = undefined
  }

  const keepSession = (run: OpenRun, session: SessionProgress) => {
    run.session = session
    runs.recount(run)
    turn.add(statements.keepSession, { runId: run.id, ...session })
  }

  /** A session that has begun leaves its bench clean, or nobody gets the bench. */
  const takeOutUnclean = (run: OpenRun, { cleanUp, reason }: Pick<Outcome, 'cleanUp' | 'reason'>) => {
    if (run.session === undefined || run.hold === undefined || run.startedAt === null) return
    if (cleanUp?.done === true || protocolOf(run).definition.cleanUp === undefined) return
    const bench = book.benches.get(run.hold.bench)
    if (bench === undefined) return
    const why = cleanUp?.error?.message ?? reason ?? 'its node does not say'
    bench.out = `the clean-up after session ${run.id} was not done: ${why}`
    turn.add(statements.takeOutBench, { id: bench.id, reason: bench.out })
  }

  return {
    runs,
    notify,
    queued: (run) => {
      record(run, 'queued', null, null)
      moved()
    },
    firstEvent: (run) => stateEventOf(run, 'queued', null, null),
    appeared: (run) => {
      tell(run, 'queued', null, clock.now())
      moved()
    },
    assign: (run, bench, booking) => {
      run.state = transition(runTransitions, run.state, 'assigned', `run ${run.id}`) as 'assigned'
      runs.waiting.remove(run)
      runs.waiting.hold(run)
      const at = clock.now()
      const before = bench.fence
      const fence = before + 1
      // A run that finds its bench free is written once.
      run.booking = booking ?? null
      if (run.insertion?.open) {
        const held = { state: 'assigned', bench: bench.id, fence, assigned_at: at, booking_id: run.booking } as const
        run.insertion.amend(held)
      } else {
        const { id, attempt } = run
        turn.add(statements.assignRun, { id, attempt, bench: bench.id, fence, at, booking: run.booking })
      }
      run.insertion = undefined
      turn.add(statements.holdBench, { id: bench.id, runId: run.id, fence, before, at })
      turn.add(statements.insertAttempt, {
        runId: run.id,
        attempt: run.attempt,
        node: bench.node,
        bench: bench.id,
        fence,
        at,
      })
      bench.fence = fence
      bench.runId = run.id
      bench.since = at
      run.hold = {
        bench: bench.id,
        node: bench.node,
        fence,
        nextSeq: 0,
        rows: {},
        pictures: noPictures(),
        ...attemptClock(at, clock),
        accepted: false,
        sentAt: clock.monotonic(),
        cancelSentAt: Number.NEGATIVE_INFINITY,
      }
      record(run, 'assigned', bench.id, null)
      return run.hold
    },
    start: (run, startedAt) => {
      run.state = transition(runTransitions, run.state, 'running', `run ${run.id}`) as 'running'
      run.startedAt = startedAt
      run.starting = turn.add(statements.startRun, { id: run.id, attempt: run.attempt, at: startedAt })
      record(run, 'running', run.hold?.bench ?? null, null)
    },
    finish: (run, outcome) => {
      transition(runTransitions, run.state, outcome.state, `run ${run.id}`)
      // Started and finished in one turn is one change; it sets the start's time too.
      const startedNow = run.starting?.open === true
      const from = startedNow ? 'assigned' : run.state
      if (startedNow) run.starting?.drop()
      run.starting = undefined
      const bench = run.hold?.bench ?? null
      const outputs = outcome.outputs ?? {}
      const missingOutputs = outcome.missingOutputs ?? {}
      turn.add(statements.finishRun, {
        id: run.id,
        attempt: run.attempt,
        from,
        state: outcome.state,
        startedAt: run.startedAt,
        endedAt: outcome.endedAt,
        reason: outcome.reason,
        error: outcome.error === undefined ? null : JSON.stringify(outcome.error),
        outputs: JSON.stringify(outputs),
        missingOutputs: JSON.stringify(missingOutputs),
        rows: JSON.stringify(run.hold?.rows ?? {}),
      })
      if (!outcome.untold) takeOutUnclean(run, outcome)
      letGo(run, outcome.state, attemptNow(run.hold, clock), outcome.untold)
      runs.delete(run)
      if (Object.keys(outputs).length > 0 || Object.keys(missingOutputs).length > 0) {
        turn.add(statements.insertEvent, eventOf(run, 'outputs', { outputs, missingOutputs }))
        turn.afterCommit(() => notify({ runId: run.id, kind: 'outputs', attempt: run.attempt }))
      }
      record(run, outcome.state, bench, outcome.reason)
      for (const listener of ends) listener(run, outcome)
      moved()
    },
    giveBack: (run, told) => {
      if (!runs.unreturned.delete(run.id)) return
      takeOutUnclean(run, told)
      freeBench(run, clock.now())
      turn.afterCommit(() => notify({ runId: '', kind: 'queue' }))
      moved()
    },
    requeue: (run, why, reason, cleanUp) => {
      const from = run.state
      transition(runTransitions, from, 'queued', `run ${run.id}`)
      const next = run.attempt + 1
      // Nobody who waits began before that.
      if (why === 'broken' || why === 'unready' || why === 'bumped') run.countsFrom = 0
      if (why === 'unready' && run.hold !== undefined) run.unready = [...run.unready, run.hold.bench]
      const { countsFrom } = run
      turn.add(statements.requeueRun, { id: run.id, attempt: run.attempt, next, from, reason, countsFrom })
      if (why !== 'refused') takeOutUnclean(run, { cleanUp, reason })
      letGo(run, why, attemptNow(run.hold, clock))
      if (why === 'interrupted' || why === 'broken' || why === 'unready') run.restarts++
      run.cancelRequested = false
      run.bumped = undefined
      run.state = 'queued'
      run.attempt = next
      run.startedAt = null
      run.starting = undefined
      run.live = undefined
      if (run.session !== undefined) keepSession(run, { ...newSession(run.session.seconds) })
      runs.waiting.add(run)
      record(run, 'queued', null, reason)
      moved()
    },
    progress: (run, session) => {
      keepSession(run, session)
      turn.afterCommit(() => notify({ runId: run.id, kind: 'state', state: run.state, attempt: run.attempt }))
    },
    requestCancel: (run, reason) => {
      run.cancelRequested = true
      run.cancelReason = reason
      turn.add(statements.requestCancel, { id: run.id, reason })
      turn.add(statements.insertEvent, eventOf(run, 'note', { note: reason }))
      turn.afterCommit(() => notify({ runId: run.id, kind: 'state', state: run.state, attempt: run.attempt }))
    },
    bump: (run, leaving, reason) => {
      const at = clock.now()
      run.bumped = leaving
      turn.add(statements.bump, { id: run.id, attempt: run.attempt, at: leaving.atMs, place: leaving.place })
      turn.add(statements.insertEvent, eventOf(run, 'note', { note: reason }))
      const detail = JSON.stringify({ place: leaving.place, at: new Date(leaving.atMs).toISOString(), reason })
      turn.add(statements.insertAudit, {
        at,
        personId: null,
        action: 'run.bumped',
        subject: run.id,
        detail,
        address: null,
      })
      turn.afterCommit(() => notify({ runId: run.id, kind: 'state', state: run.state, attempt: run.attempt }))
    },
    spare: (run) => {
      const at = clock.now()
      run.bumped = undefined
      turn.add(statements.bump, { id: run.id, attempt: run.attempt, at: null, place: null })
      turn.add(statements.insertEvent, eventOf(run, 'note', { note: 'the booking does not need the bench any more' }))
      turn.add(statements.insertAudit, {
        at,
        personId: null,
        action: 'run.spared',
        subject: run.id,
        detail: '{}',
        address: null,
      })
      turn.afterCommit(() => notify({ runId: run.id, kind: 'state', state: run.state, attempt: run.attempt }))
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    onEnd: (listener) => void ends.push(listener),
    onMove: (listener) => void moves.push(listener),
  }
}
