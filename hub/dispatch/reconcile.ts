/**
 * Brings hub and node to one mind after a connection, or when something seems to be missing.
 *
 * INVARIANTS: what a node has lost or its hub has never heard of ends or starts again in one write; the answer goes out
 * once that is on disk.
 */

import type { ServiceKey } from '@fernlab/shared/contracts/services'
import type { Inventory, Welcome } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type { BookingStarts } from '../bookings/starts.ts'
import type { NodeLink } from '../broker/node-link.ts'
import type { FaultHook } from '../fault-point.ts'
import { isLeaving, mayStartAgain, whenCut, whenLeft } from '../ingest/judge-stop.ts'
import { attemptNow } from '../runs/attempt-clock.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { HeldRun, OpenRun } from '../runs/open-runs.ts'
import type { Turn } from '../store/turn.ts'
import { knownRun } from './present.ts'
import { type Cancel, NO_REASON, type Sender, WAS_LOST } from './sender.ts'

const COMPARE_MS = 1000

export interface Reconciliation {
  /** Brings both sides to one mind: what the node may forget, what it has to do, what it must stop. */
  reconcile(node: string, inventory: Inventory): void
  /** Tells the node how far its attempts have arrived. */
  compare(node: string): void
}

export interface ReconcileOptions {
  readonly link: NodeLink
  readonly ledger: Ledger
  readonly turn: Turn
  readonly sender: Sender
  readonly booked: Pick<BookingStarts, 'leftOf'>
  /** By which nodes know tokens for services. */
  readonly serviceKeys: readonly ServiceKey[]
  /** Of the page from which browsers go straight to nodes. */
  readonly pageOrigin: () => string
  /** Benches may have become free. */
  readonly nudge: () => void
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
}

/** Over the runs that are open. */
export function createReconciliation(options: ReconcileOptions): Reconciliation {
  const { link, ledger, turn, sender, nudge, clock, log, faultPoint } = options
  const { runs } = ledger
  const inventories = new Map<string, Inventory>()
  const comparedAt = new Map<string, number>()

  /** What leaves for a booking and has not begun, or nobody knows whether it has. */
  const left = (run: OpenRun) => {
    const { again, reason, rest } = whenLeft(run)
    if (again) ledger.requeue(run, 'bumped', reason)
    else ledger.finish(run, { state: 'interrupted', reason, rest, endedAt: attemptNow(run.hold, clock) })
  }

  /** The node has no trace of an attempt that it had accepted: what it did is not known. */
  const lost = (run: HeldRun) => {
    const why = `${run.hold.node} lost it`
    log.warn({ run: run.id, attempt: run.attempt, node: run.hold.node }, 'a node lost an attempt')
    if (isLeaving(run)) return left(run)
    if (mayStartAgain(run)) {
      ledger.requeue(run, 'interrupted', `${why}; it starts again`)
      return
    }
    const endedAt = attemptNow(run.hold, clock)
    const cut = whenCut(run, why, { atMs: endedAt, bookingS: options.booked.leftOf(run) })
    ledger.finish(run, { state: run.cancelRequested ? 'cancelled' : 'interrupted', ...cut, endedAt })
  }

  /** The node has deleted documents that this hub had before its database went back in time: none will close the gap. */
  const gone = (run: HeldRun, firstHeld: number) => {
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
      endedAt: attemptNow(run.hold, clock),
    })
  }

  const welcome = (node: string, inventory: Inventory): Welcome => ({
    serial: inventory.serial,
    hubTimeMs: clock.now(),
    serviceKeys: [...options.serviceKeys],
    pageOrigin: options.pageOrigin(),
    attempts: inventory.attempts.map(({ runId, attempt, nextSeq }) => {
      const run = knownRun(runs, node, runId, attempt)
      return run === undefined
        ? { runId, attempt, seq: nextSeq, wanted: false }
        : { runId, attempt, seq: run.hold.nextSeq, wanted: true }
    }),
  })

  return {
    reconcile: (node, inventory) => {
      if (!turn.open) return
      inventories.set(node, inventory)
      const held = new Map(inventory.attempts.map((known) => [`${known.runId}/${known.attempt}`, known]))
      const again: OpenRun[] = []
      const cancels: Cancel[] = []
      for (const run of [...runs.byId.values()]) {
        if (run.hold?.node !== node) continue
        const mine = run as HeldRun
        const known = held.get(`${run.id}/${run.attempt}`)
        if (known !== undefined && known.firstHeld > mine.hold.nextSeq) {
          gone(mine, known.firstHeld)
        } else if (known !== undefined) {
          mine.hold.accepted = true
          if (run.cancelRequested) cancels.push({ run, hold: mine.hold, reason: run.cancelReason ?? NO_REASON })
        } else if (run.state === 'running' || mine.hold.accepted) {
          lost(mine)
        } else if (isLeaving(run)) {
          left(run)
        } else if (run.cancelRequested) {
          ledger.finish(run, { state: 'cancelled', reason: run.cancelReason, endedAt: attemptNow(run.hold, clock) })
        } else {
          again.push(run)
        }
      }
      for (const run of [...runs.unreturned.values()]) {
        if (run.hold.node !== node) continue
        const known = held.get(`${run.id}/${run.attempt}`)
        if (known !== undefined && known.firstHeld <= run.hold.nextSeq) {
          cancels.push({ run, hold: run.hold, reason: WAS_LOST })
        } else {
          log.warn({ run: run.id, attempt: run.attempt, node }, 'a node lost the rest of an attempt')
          ledger.giveBack(run, { reason: `${node} lost it` })
        }
      }
      const answer = welcome(node, inventory)
      turn.afterCommit(() => {
        faultPoint?.('before-welcome')
        link.send(node, 'welcome', answer)
        sender.sendAssignments(again)
        sender.sendCancels(cancels)
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
      for (const run of [...runs.byId.values(), ...runs.unreturned.values()]) {
        if (run.hold?.node !== node) continue
        const { nextSeq, fence } = run.hold
        attempts.push({ runId: run.id, attempt: run.attempt, fence, state: 'running', nextSeq, firstHeld: nextSeq })
      }
      // What is known now goes out once it is on disk; what comes later does not.
      const answer = welcome(node, { ...inventory, attempts })
      turn.afterCommit(() => link.send(node, 'welcome', answer))
    },
  }
}
