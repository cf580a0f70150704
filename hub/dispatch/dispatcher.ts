/**
 * Performs what the scheduler decides, and keeps hub and nodes of one mind about who does what.
 *
 * INVARIANTS: an assignment is published only after the commit that made it (run → assigned, bench → run, attempt row,
 * fence); a bench holds one run; every hold has a fence above all before it; a node that lost or refused an attempt never
 * gets the same attempt number again for another execution.
 */

import type { ProtocolChecks } from '../bench-care/protocol-checks.ts'
import type { BookingStarts } from '../bookings/starts.ts'
import type { CompatibilityCache } from '../fleet/compatible.ts'
import type { BookedBench } from '../fleet/fleet-book.ts'
import { whenCut } from '../ingest/judge-stop.ts'
import type { MayBeBumped } from '../permissions/may-be-bumped.ts'
import { attemptNow } from '../runs/attempt-clock.ts'
import type { BenchTimes } from '../runs/bench-times.ts'
import type { HeldRun, OpenRun } from '../runs/open-runs.ts'
import type { BumpRules, Delay } from '../scheduling/bumping.ts'
import type { DecisionWithBookings, decideWithBookings } from '../scheduling/decide.ts'
import { Reserved } from '../scheduling/reserved.ts'
import { createLostSessions } from './lost-sessions.ts'
import { createNodeAnswers, type NodeAnswers, type NodeAnswersOptions } from './node-answers.ts'
import { occupantsOf } from './occupants.ts'
import { createReconciliation, type ReconcileOptions, type Reconciliation } from './reconcile.ts'
import { type Cancel, createSender, NO_REASON, type SenderOptions, WAS_LOST } from './sender.ts'

/** `accepted` must come within this, or `assign` is sent again. */
const RESEND_MS = 3000
const TICK_MS = 1000

export interface Dispatcher extends NodeAnswers, Reconciliation {
  /** Looks for runs to assign, once in this turn of the event loop. */
  nudge(): void
  /** Asks the node to stop the run's attempt; repeated until it has ended. */
  sendCancel(run: OpenRun, reason: string): void
  /** Ends the runs of a node that was shut out; resolves when that is on disk. What this misses ends with the next look. */
  shutOut(node: string): Promise<void>
  /** Ends, with an apology, the session that is on a bench which staff close; false where it is another run. */
  closeUnder(id: string, why: string): boolean
  /** What bookings leave of the benches now; undefined where nothing is booked. */
  reserved(): Reserved | undefined
  /** Why the place of a booking begins late, as was decided last. */
  delayOf(place: string): Delay | undefined
  close(): void
}

export interface CreateDispatcherOptions
  extends Omit<SenderOptions, 'runs' | 'closed' | 'checks'>,
    Omit<NodeAnswersOptions, 'nudge' | 'booked'>,
    Omit<ReconcileOptions, 'nudge' | 'sender' | 'booked'> {
  readonly scheduler: { readonly decide: typeof decideWithBookings }
  readonly compatible: CompatibilityCache
  readonly benchBackInS: BenchTimes
  readonly benchLatestInS: BenchTimes
  readonly booked: BookingStarts
  readonly checks: Pick<ProtocolChecks, 'look' | 'mostSeconds'>
  readonly mayBeBumped: MayBeBumped
  readonly bumpRules: () => BumpRules
}

/** Starts dispatching; `nudge` it once the fleet is loaded. */
export function createDispatcher(options: CreateDispatcherOptions): Dispatcher {
  const { scheduler, ledger, turn, book, compatible, booked, checks, clock, log, faultPoint } = options
  const { runs } = ledger
  const occupants = occupantsOf({ runs, book, mayBeBumped: options.mayBeBumped, clock })
  const committed: OpenRun[] = []
  /** The bench of each booking's place, as the last decision left it; the first works it out from what is booked. */
  let standing: ReadonlyMap<string, string> | undefined
  let delays: ReadonlyMap<string, Delay> = new Map()
  let nudged = false
  let closed = false
  const sender = createSender({ ...options, runs, closed: () => closed })

  const serves = (run: OpenRun, bench: string) => compatible.serves(run, bench)

  const freeForS = (id: string) => {
    const bench = book.benches.get(id)
    return bench === undefined ? 0 : book.freeForS(bench)
  }

  const atMs = (timeOf: BenchTimes) => (id: string) => {
    const bench = book.benches.get(id)
    const inS = bench === undefined ? null : timeOf(bench)
    return inS === null ? Number.POSITIVE_INFINITY : clock.now() + inS * 1000
  }
  const back = { backAtMs: atMs(options.benchBackInS), latestAtMs: atMs(options.benchLatestInS) }

  const freeNow = (): string[] => {
    const steady = clock.monotonic()
    return [...book.benches.values()].flatMap((bench) => (book.isFree(bench, steady) ? [bench.id] : []))
  }

  const look = () => {
    nudged = false
    if (closed || !turn.open) return
    const given = giveBenches()
    const checking = checks.look({ wanted: isWanted, allows: mayTake })
    const sending = [...given, ...checking]
    if (sending.length === 0) return
    turn.afterCommit(() => {
      if (given.length > 0) faultPoint?.('after-assign-commit')
      // What is committed together is sent together.
      if (committed.length === 0) setImmediate(sendCommitted)
      committed.push(...sending)
    })
  }

  /** Gives the free benches to bookings and to those who wait; answers the runs to be sent. */
  const giveBenches = (): OpenRun[] => {
    const now = clock.now()
    const places = booked.places()
    const bumpable = occupants(places, now)
    if (bumpable === undefined && runs.waiting.size === 0 && !places.some(({ from, opens }) => opens && from <= now)) {
      return []
    }
    const freeBenches = freeNow()
    if (bumpable === undefined && freeBenches.length === 0) return []
    const lines = runs.waiting.lines(now)
    const { usersOf } = booked
    const state = {
      ...{ lines, freeBenches, serves, freeForS, places, usersOf, ...back },
      ...(standing && { standing }),
      ...(bumpable === undefined ? {} : { occupants: bumpable, rules: options.bumpRules() }),
    }
    const decided = scheduler.decide(state, now)
    standing = decided.standing
    delays = new Map(decided.delays.map((delay) => [delay.place, delay]))
    makeRoom(decided, now)
    if (decided.decisions.length === 0 && decided.starts.length === 0) return []
    faultPoint?.('before-assign-commit')
    const sending: OpenRun[] = []
    for (const { place, bench: id } of decided.starts) {
      const bench = book.benches.get(id)
      const run = bench === undefined ? undefined : booked.begin(place, bench)
      if (run !== undefined) sending.push(run)
    }
    for (const { entry: run, bench: id, place } of decided.decisions) {
      const bench = book.benches.get(id)
      // The beginning of a booking takes its person's session out of the queue.
      if (bench === undefined || runs.get(run.id) !== run) continue
      ledger.assign(run, bench, place === undefined ? undefined : booked.bookingOf(place))
      sending.push(run)
    }
    return sending
  }

  /** Whether somebody who was given none, or a booking whose time has come, could have the bench. */
  const isWanted = (bench: BookedBench): boolean => {
    const now = clock.now()
    if (
      booked.places().some(({ from, held, benches }) => from <= now && held === undefined && benches.includes(bench.id))
    )
      return true
    for (const { places, sample } of runs.waiting.lines(now))
      if (places.length > 0 && serves(sample, bench.id)) return true
    return false
  }

  /** Whether bookings leave the bench for so long. */
  const mayTake = (bench: BookedBench, lastsS: number): boolean => reserved()?.allows(bench.id, lastsS) ?? true

  const reserved = (): Reserved | undefined => {
    const places = booked.places()
    if (places.length === 0) return undefined
    return new Reserved({ places, ...back, ...(standing && { standing }) }, freeNow(), clock.now())
  }

  /** Tells those who are bumped, and sends away whose time has come. */
  const makeRoom = ({ bumps, spared }: Pick<DecisionWithBookings<OpenRun>, 'bumps' | 'spared'>, now: number) => {
    for (const { occupant, place, atMs, reason } of bumps) {
      const run = runs.get(occupant)
      if (run?.hold === undefined) continue
      ledger.bump(run, { place, atMs }, reason)
      log.info({ run: run.id, bench: run.hold.bench, place, reason }, 'a run is bumped for a booking')
      faultPoint?.('before-bump-commit')
      turn.afterCommit(() => faultPoint?.('after-bump-commit'))
    }
    for (const id of spared) {
      const run = runs.get(id)
      if (run !== undefined && !run.cancelRequested) ledger.spare(run)
    }
    for (const { runId } of book.benches.values()) {
      const run = runId === null ? undefined : runs.get(runId)
      if (run?.bumped === undefined || run.cancelRequested || run.bumped.atMs > now) continue
      const reason = 'the bench is booked'
      ledger.requestCancel(run, reason)
      faultPoint?.('before-bump-end-commit')
      turn.afterCommit(() => {
        faultPoint?.('after-bump-end-commit')
        if (run.hold !== undefined) sender.sendCancels([{ run, hold: run.hold, reason }])
      })
    }
  }

  const sendCommitted = () => {
    sender.sendAssignments(committed.splice(0))
    faultPoint?.('after-assign-publish')
  }

  const nudge = () => {
    if (nudged || closed) return
    nudged = true
    queueMicrotask(look)
  }

  const answers = createNodeAnswers({ ...options, nudge })
  const reconciliation = createReconciliation({ ...options, sender, nudge })
  const lostSessions = createLostSessions(options)

  const endShutOut = (run: OpenRun) => {
    const endedAt = attemptNow(run.hold, clock)
    const cut = whenCut(run, shutOutOf(run), { atMs: endedAt, bookingS: booked.leftOf(run) })
    ledger.finish(run, { state: 'interrupted', ...cut, endedAt })
  }
  const giveBackShutOut = (run: HeldRun) => ledger.giveBack(run, { reason: shutOutOf(run) })

  /** Every second: what was not answered is sent again. */
  const tick = () => {
    if (closed) return
    if (turn.open) repeat()
    cancelTick = clock.after(TICK_MS, tick)
  }
  let cancelTick = clock.after(TICK_MS, tick)

  const repeat = () => {
    const now = clock.monotonic()
    const overdue: OpenRun[] = []
    const cancels: Cancel[] = []
    for (const run of runs.byId.values()) {
      const { hold } = run
      if (hold === undefined) continue
      const node = book.nodes.get(hold.node)
      if (node !== undefined && node.revokedAt !== null) endShutOut(run)
      if (node?.ready !== true) continue
      if (run.state === 'assigned' && !hold.accepted && now - hold.sentAt >= RESEND_MS) overdue.push(run)
      if (run.cancelRequested && now - hold.cancelSentAt >= RESEND_MS) {
        cancels.push({ run, hold, reason: run.cancelReason ?? NO_REASON })
      }
    }
    lostSessions.look()
    for (const run of [...runs.unreturned.values()]) {
      const { hold } = run
      const node = book.nodes.get(hold.node)
      if (node === undefined || node.revokedAt !== null) giveBackShutOut(run)
      else if (node.ready && now - hold.cancelSentAt >= RESEND_MS) cancels.push({ run, hold, reason: WAS_LOST })
    }
    if (overdue.length > 0 || cancels.length > 0) {
      turn.afterCommit(() => {
        sender.sendAssignments(overdue)
        sender.sendCancels(cancels)
      })
    }
    booked.revive()
    booked.withdraw()
    nudge()
  }

  return {
    nudge,
    sendCancel: (run, reason) => {
      if (run.hold !== undefined) sender.sendCancels([{ run, hold: run.hold, reason }])
    },
    shutOut: async (node) => {
      for (const run of [...runs.byId.values()]) if (run.hold?.node === node) endShutOut(run)
      for (const run of [...runs.unreturned.values()]) if (run.hold.node === node) giveBackShutOut(run)
      await turn.kept()
    },
    closeUnder: lostSessions.close,
    reserved,
    delayOf: (place) => delays.get(place),
    ...answers,
    ...reconciliation,
    close: () => {
      closed = true
      cancelTick()
    },
  }
}

const shutOutOf = ({ hold }: OpenRun): string => `${hold?.node} was shut out`
