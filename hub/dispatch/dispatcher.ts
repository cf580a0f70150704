/**
 * Performs what the scheduler decides, and keeps hub and nodes of one mind about who does what.
 *
 * INVARIANTS: an assignment is published only after the commit that made it (run → assigned, bench → run, attempt row,
 * fence); a bench holds one run; every hold has a fence above all before it; a node that lost or refused an attempt never
 * gets the same attempt number again for another execution.
 */
import {
  type Accepted,
  type Assignment,
  acceptedSchema,
  type Inventory,
  type Live,
  liveSchema,
  type Visitor,
  type Welcome,
} from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { BookingStarts } from '../bookings/starts.ts'
import { createLossLog } from '../broker/loss-log.ts'
import type { NodeLink } from '../broker/node-link.ts'
import type { FaultHook } from '../fault-point.ts'
import type { CompatibilityCache } from '../fleet/compatible.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import { mayStartAgain } from '../ingest/judge-stop.ts'
import type { BenchTimes } from '../runs/bench-times.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { Hold, OpenRun } from '../runs/open-runs.ts'
import type { decideWithBookings } from '../scheduling/decide.ts'
import { Reserved } from '../scheduling/reserved.ts'
import type { Turn } from '../store/turn.ts'
import { assignmentOf } from './assignment.ts'
import { backOffMs } from './back-off.ts'

/** `accepted` must come within this, or `assign` is sent again. */
const RESEND_MS = 3000
const TICK_MS = 1000
const COMPARE_MS = 1000
/** More assignments than this go in several messages. */
const MOST_PER_MESSAGE = 500

export interface Dispatcher {
  /** Looks for runs to assign, once in this turn of the event loop. */
  nudge(): void
  accepted(node: string, message: unknown): void
  /** Notes that the run's node has accepted its attempt. */
  taken(hold: Hold): void
  live(node: string, message: unknown): void
  /** Brings both sides to one mind: what the node may forget, what it has to do, what it must stop. */
  reconcile(node: string, inventory: Inventory): void
  /** Tells the node how far its attempts have arrived. */
  compare(node: string): void
  /** Asks the node to stop the run's attempt; repeated until it has ended. */
  sendCancel(run: OpenRun, reason: string): void
  /** Ends the runs of a node that was shut out; resolves when that is on disk. What this misses ends with the next look. */
  shutOut(node: string): Promise<void>
  /** What bookings leave of the benches now; undefined where nothing is booked. */
  reserved(): Reserved | undefined
  close(): void
}

export interface CreateDispatcherOptions {
  readonly scheduler: { readonly decide: typeof decideWithBookings }
  readonly link: NodeLink
  readonly ledger: Ledger
  readonly turn: Turn
  readonly book: FleetBook
  readonly compatible: CompatibilityCache
  readonly benchFreeInS: BenchTimes
  readonly booked: BookingStarts
  /** Who comes to a lab's own server. */
  readonly visitorOf: (run: OpenRun) => Promise<Visitor>
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
}

/** Starts dispatching; `nudge` it once the fleet is loaded. */
export function createDispatcher(options: CreateDispatcherOptions): Dispatcher {
  const { scheduler, link, ledger, turn, book, compatible, benchFreeInS, booked, clock, log, faultPoint } = options
  const { runs } = ledger
  const losses = createLossLog(log)
  const inventories = new Map<string, Inventory>()
  const comparedAt = new Map<string, number>()
  const committed: OpenRun[] = []
  /** The bench of each booking's place, as the last decision left it. */
  let standing: ReadonlyMap<string, string> = new Map()
  let nudged = false
  let closed = false

  const serves = (run: OpenRun, bench: string) => compatible.serves(run, bench)

  const freeForS = (id: string) => {
    const bench = book.benches.get(id)
    return bench === undefined ? 0 : book.freeForS(bench)
  }

  const backAtMs = (id: string) => {
    const bench = book.benches.get(id)
    const inS = bench === undefined ? null : benchFreeInS(bench)
    return inS === null ? Number.POSITIVE_INFINITY : clock.now() + inS * 1000
  }

  const freeNow = (): string[] => {
    const steady = clock.monotonic()
    return [...book.benches.values()].flatMap((bench) => (book.isFree(bench, steady) ? [bench.id] : []))
  }

  const look = () => {
    nudged = false
    if (closed || !turn.open) return
    const now = clock.now()
    const places = booked.places()
    if (runs.waiting.size === 0 && !places.some(({ from, opens }) => opens && from <= now)) return
    const freeBenches = freeNow()
    if (freeBenches.length === 0) return
    const lines = runs.waiting.lines(now)
    const { usersOf } = booked
    const state = { lines, freeBenches, serves, freeForS, places, usersOf, backAtMs, standing }
    const decided = scheduler.decide(state, now)
    standing = decided.standing
    if (decided.decisions.length === 0 && decided.starts.length === 0) return
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
    turn.afterCommit(() => {
      faultPoint?.('after-assign-commit')
      // What is committed together is sent together.
      if (committed.length === 0) setImmediate(sendCommitted)
      committed.push(...sending)
    })
  }

  const sendCommitted = () => {
    sendAssignments(committed.splice(0))
    faultPoint?.('after-assign-publish')
  }

  const nudge = () => {
    if (nudged || closed) return
    nudged = true
    queueMicrotask(look)
  }

  /** A lab's own server is told who comes: looked up now, so that it is kept nowhere. */
  const sendVisit = async (run: OpenRun, hold: Hold) => {
    const visitor = await options.visitorOf(run)
    if (closed || run.hold !== hold || runs.get(run.id) !== run) return
    link.send(hold.node, 'assign', { assignments: [assignmentOf(run, hold, visitor)] })
  }

  /** Sends what still holds; grouped by node. */
  const sendAssignments = (wanted: readonly OpenRun[]) => {
    const byNode = new Map<string, Assignment[]>()
    for (const run of wanted) {
      const { hold } = run
      if (hold === undefined || runs.get(run.id) !== run) continue
      hold.sentAt = clock.monotonic()
      if (run.lab.lab.session?.server !== undefined && run.session !== undefined) {
        sendVisit(run, hold).catch((error: unknown) => {
          // It is sent again while it is not accepted.
          log.warn({ run: run.id, error: asLabError(error).message }, 'a session could not be handed to its node')
        })
        continue
      }
      const list = byNode.get(hold.node)
      if (list === undefined) byNode.set(hold.node, [assignmentOf(run, hold)])
      else list.push(assignmentOf(run, hold))
    }
    for (const [node, assignments] of byNode) {
      for (let at = 0; at < assignments.length; at += MOST_PER_MESSAGE) {
        link.send(node, 'assign', { assignments: assignments.slice(at, at + MOST_PER_MESSAGE) })
      }
    }
  }

  const endShutOut = (run: OpenRun) => {
    const reason = `${run.hold?.node} was shut out`
    ledger.finish(run, { state: 'interrupted', reason, endedAt: clock.now() })
  }

  const sendCancels = (cancels: readonly { run: OpenRun; hold: Hold; reason: string }[]) => {
    const byNode = new Map<string, { runId: string; attempt: number; reason: string }[]>()
    for (const { run, hold, reason } of cancels) {
      hold.cancelSentAt = clock.monotonic()
      const list = byNode.get(hold.node) ?? []
      list.push({ runId: run.id, attempt: run.attempt, reason })
      byNode.set(hold.node, list)
    }
    for (const [node, list] of byNode) link.send(node, 'cancel', { cancels: list })
  }

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
    const cancels: { run: OpenRun; hold: Hold; reason: string }[] = []
    for (const run of runs.byId.values()) {
      const { hold } = run
      if (hold === undefined) continue
      const node = book.nodes.get(hold.node)
      if (node !== undefined && node.revokedAt !== null) endShutOut(run)
      if (node?.ready !== true) continue
      if (run.state === 'assigned' && !hold.accepted && now - hold.sentAt >= RESEND_MS) overdue.push(run)
      if (run.cancelRequested && now - hold.cancelSentAt >= RESEND_MS) {
        cancels.push({ run, hold, reason: 'cancelled on request' })
      }
    }
    if (overdue.length > 0 || cancels.length > 0) {
      turn.afterCommit(() => {
        sendAssignments(overdue)
        sendCancels(cancels)
      })
    }
    nudge()
  }

  const present = (node: string, runId: string, attempt: number): (OpenRun & { hold: Hold }) | undefined => {
    const run = runs.get(runId)
    return run?.hold?.node === node && run.attempt === attempt ? (run as OpenRun & { hold: Hold }) : undefined
  }

  const refused = (node: string, { runId, attempt, error }: Accepted['refused'][number]) => {
    const run = present(node, runId, attempt)
    // What has begun or was accepted before can't be refused any more: an answer to a repeated assignment.
    if (run === undefined || run.state !== 'assigned' || run.hold.accepted || run.hold.nextSeq > 0) return
    const bench = book.benches.get(run.hold.bench)
    const reason = `${run.hold.bench} refused it: ${error.message}`
    if (run.cancelRequested) {
      ledger.finish(run, { state: 'cancelled', reason: 'cancelled on request', endedAt: clock.now() })
      return
    }
    if (error.retry === 'never') {
      log.warn({ run: runId, attempt, node, code: error.code, error: error.message }, 'a node refused a run for good')
      ledger.finish(run, { state: 'failed', reason, error: error as never, endedAt: clock.now() })
      return
    }
    if (bench !== undefined) {
      const waitMs = backOffMs(error.code)
      bench.refusedUntil = clock.monotonic() + waitMs
      bench.refusal = error.message
      losses.lost(
        `refused/${bench.id}/${error.code}`,
        { bench: bench.id, code: error.code, waitMs },
        'a bench refuses runs',
      )
      clock.after(waitMs, nudge)
    }
    ledger.requeue(run, 'refused', reason)
  }

  const taken = (hold: Hold) => {
    if (!hold.accepted) faultPoint?.('on-accepted')
    hold.accepted = true
    const bench = book.benches.get(hold.bench)
    if (bench?.refusal === undefined) return
    bench.refusal = undefined
    losses.recovered(`refused/${bench.id}/bench-busy`, { bench: bench.id }, 'a bench takes runs again')
  }

  /** The node has no trace of an attempt that it had accepted: what it did is not known. */
  const lost = (run: OpenRun & { hold: Hold }) => {
    const reason = `${run.hold.node} lost it`
    log.warn({ run: run.id, attempt: run.attempt, node: run.hold.node }, 'a node lost an attempt')
    if (mayStartAgain(run)) {
      ledger.requeue(run, 'interrupted', `${reason}; it starts again`)
      return
    }
    ledger.finish(run, { state: run.cancelRequested ? 'cancelled' : 'interrupted', reason, endedAt: clock.now() })
  }

  /** The node has deleted documents that this hub had before its database went back in time: none will close the gap. */
  const gone = (run: OpenRun & { hold: Hold }, firstHeld: number) => {
    const { node, nextSeq } = run.hold
    const reason = `${node} no longer holds document ${nextSeq}, which is not here; it begins with ${firstHeld}`
    log.warn({ run: run.id, attempt: run.attempt, node, wanted: nextSeq, firstHeld }, 'documents are gone for good')
    ledger.finish(run, {
      state: 'failed',
      reason,
      error: {
        code: 'documents-missing',
        kind: 'bug',
        retry: 'never',
        message: `run ${run.id}: ${reason}`,
        studentMessage: 'Some of the results were lost. What came is kept; please tell the staff.',
      },
      endedAt: clock.now(),
    })
  }

  const welcome = (node: string, inventory: Inventory): Welcome => ({
    serial: inventory.serial,
    hubTimeMs: clock.now(),
    attempts: inventory.attempts.map(({ runId, attempt, nextSeq }) => {
      const run = present(node, runId, attempt)
      return run === undefined
        ? { runId, attempt, seq: nextSeq, wanted: false }
        : { runId, attempt, seq: run.hold.nextSeq, wanted: true }
    }),
  })

  return {
    nudge,
    sendCancel: (run, reason) => {
      if (run.hold !== undefined) sendCancels([{ run, hold: run.hold, reason }])
    },
    shutOut: async (node) => {
      for (const run of [...runs.byId.values()]) if (run.hold?.node === node) endShutOut(run)
      await turn.kept()
    },
    reserved: () => {
      const places = booked.places()
      if (places.length === 0) return undefined
      return new Reserved({ places, backAtMs, standing }, freeNow(), clock.now())
    },
    accepted: (node, message) => {
      if (!turn.open) return
      const { accepted, refused: refusals } = acceptedSchema.parse(message)
      for (const { runId, attempt } of accepted) {
        const run = present(node, runId, attempt)
        if (run !== undefined) {
          taken(run.hold)
        } else if (runs.get(runId) !== undefined) {
          losses.lost(
            `stale/${runId}/${attempt}`,
            { node, run: runId, attempt },
            'a node accepted an attempt that is not wanted',
          )
          const reason = 'another attempt has taken its place'
          turn.afterCommit(() => link.send(node, 'cancel', { cancels: [{ runId, attempt, reason }] }))
        }
      }
      for (const refusal of refusals) refused(node, refusal)
    },
    taken,
    live: (node, message) => {
      const { runs: list }: Live = liveSchema.parse(message)
      for (const { runId, attempt, progress, secondsLeft, step, readings, session } of list) {
        const run = present(node, runId, attempt)
        if (run === undefined) continue
        run.live = {
          fraction: progress,
          step,
          ...(secondsLeft === undefined ? {} : { secondsLeft }),
          ...(readings === undefined ? {} : { readings }),
          ...(session === undefined ? {} : { session }),
        }
        ledger.notify({ runId, kind: 'progress', attempt })
      }
    },
    reconcile: (node, inventory) => {
      if (!turn.open) return
      inventories.set(node, inventory)
      const held = new Map(inventory.attempts.map((known) => [`${known.runId}/${known.attempt}`, known]))
      const again: OpenRun[] = []
      const cancels: { run: OpenRun; hold: Hold; reason: string }[] = []
      for (const run of [...runs.byId.values()]) {
        if (run.hold?.node !== node) continue
        const mine = run as OpenRun & { hold: Hold }
        const known = held.get(`${run.id}/${run.attempt}`)
        if (known !== undefined && known.firstHeld > mine.hold.nextSeq) {
          gone(mine, known.firstHeld)
        } else if (known !== undefined) {
          mine.hold.accepted = true
          if (run.cancelRequested) cancels.push({ run, hold: mine.hold, reason: 'cancelled on request' })
        } else if (run.state === 'running' || mine.hold.accepted) {
          lost(mine)
        } else if (run.cancelRequested) {
          ledger.finish(run, { state: 'cancelled', reason: 'cancelled on request', endedAt: clock.now() })
        } else {
          again.push(run)
        }
      }
      const answer = welcome(node, inventory)
      turn.afterCommit(() => {
        faultPoint?.('before-welcome')
        link.send(node, 'welcome', answer)
        sendAssignments(again)
        sendCancels(cancels)
        faultPoint?.('after-welcome')
      })
      nudge()
    },
    compare: (node) => {
      const inventory = inventories.get(node)
      const now = clock.monotonic()
      // Every message behind a gap shows it again; one answer a second is enough.
      if (inventory === undefined || now - (comparedAt.get(node) ?? Number.NEGATIVE_INFINITY) < COMPARE_MS) return
      comparedAt.set(node, now)
      const attempts: Inventory['attempts'] = []
      for (const run of runs.byId.values()) {
        if (run.hold?.node !== node) continue
        const { nextSeq, fence } = run.hold
        attempts.push({ runId: run.id, attempt: run.attempt, fence, state: 'running', nextSeq, firstHeld: nextSeq })
      }
      // What is known now goes out once it is on disk; what comes later does not.
      const answer = welcome(node, { ...inventory, attempts })
      turn.afterCommit(() => link.send(node, 'welcome', answer))
    },
    close: () => {
      closed = true
      cancelTick()
    },
  }
}
