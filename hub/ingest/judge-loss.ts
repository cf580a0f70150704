/** What becomes of a session whose bench is taken from it before its node has told of an end. Pure. */
import type { Outcome } from '../runs/ledger.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import { isLeaving, restOfCut, type WhenStopped, whenBroken, whenCut, whenLeft } from './judge-stop.ts'

export type Loss =
  /** The node has been away so long that the session can not be active any more. */
  | { readonly kind: 'away'; readonly node: string }
  /** A check of the bench fails. */
  | { readonly kind: 'broken'; readonly why: string }
  /** Staff close the bench at once. */
  | { readonly kind: 'closed'; readonly why: string }

export type Lost = Pick<Outcome, 'state' | 'reason' | 'rest'>

/** What its person is told, and gets for it: nothing who had asked for its end. */
export function whenLost(run: OpenRun, loss: Loss, when: WhenStopped): Lost {
  if (isLeaving(run) && run.session?.stage !== 'preparing') {
    const { reason, rest } = whenLeft(run)
    return { state: 'interrupted', reason, rest }
  }
  if (run.cancelRequested && !isLeaving(run)) return { state: 'cancelled', reason: run.cancelReason, rest: undefined }
  return run.session?.stage === 'preparing' ? whenUnbegun(run.session.seconds, loss, when) : whenBegun(run, loss, when)
}

function whenBegun(run: OpenRun, loss: Loss, when: WhenStopped): Lost {
  switch (loss.kind) {
    case 'away':
      return { state: 'interrupted', ...whenCut(run, `${loss.node} can not be reached`, when) }
    case 'broken':
      return { state: 'failed', ...whenBroken(run, loss.why, when) }
    case 'closed': {
      const rest = restOfCut(run, when)
      const sorry = `we are sorry: the bench went out of use (${loss.why}); what was recorded is kept, and the rest of your time is next in line`
      const reason = rest === undefined ? `the bench went out of use: ${loss.why}` : sorry
      return { state: 'interrupted', reason, rest }
    }
  }
}

/** All of it is left. */
function whenUnbegun(seconds: number, loss: Loss, { bookingS, hasOther }: WhenStopped): Lost {
  const { over, next, other } = apologies(loss)
  if (bookingS === undefined) return { state: 'interrupted', reason: next, rest: { seconds, from: 'queue' } }
  const isOver = bookingS === 0 || (loss.kind === 'broken' && !hasOther)
  if (isOver) return { state: loss.kind === 'broken' ? 'failed' : 'interrupted', reason: over, rest: undefined }
  return { state: 'interrupted', reason: other, rest: { seconds: bookingS, from: 'booking' } }
}

/** That it is over, that its person is next, that its person gets another bench: each whole, as the page translates it. */
function apologies(loss: Loss): { over: string; next: string; other: string } {
  switch (loss.kind) {
    case 'away':
      return {
        over: `we are sorry: ${loss.node} can not be reached`,
        next: `we are sorry: ${loss.node} can not be reached; you are back at the head of the queue`,
        other: `we are sorry: ${loss.node} can not be reached; you get another bench`,
      }
    case 'broken':
      return {
        over: `we are sorry: the bench broke down (${loss.why})`,
        next: `we are sorry: the bench broke down (${loss.why}); you are back at the head of the queue`,
        other: `we are sorry: the bench broke down (${loss.why}); you get another bench`,
      }
    case 'closed':
      return {
        over: `we are sorry: the bench went out of use (${loss.why})`,
        next: `we are sorry: the bench went out of use (${loss.why}); you are back at the head of the queue`,
        other: `we are sorry: the bench went out of use (${loss.why}); you get another bench`,
      }
  }
}
