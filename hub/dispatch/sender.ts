/** Hands nodes what was decided: assignments and cancellations, grouped into messages by node. */
import type { Assignment, Visitor } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { ProtocolChecks } from '../bench-care/protocol-checks.ts'
import type { NodeLink } from '../broker/node-link.ts'
import type { Hold, OpenRun, OpenRuns } from '../runs/open-runs.ts'
import { assignmentOf } from './assignment.ts'

/** More assignments than this go in several messages. */
const MOST_PER_MESSAGE = 500

/** Of a cancel that an earlier version has kept without a reason. */
export const NO_REASON = 'cancelled on request'
/** Of a session that has lost its bench. */
export const WAS_LOST = 'the hub has ended it: it has lost its bench'

export interface Cancel {
  readonly run: OpenRun
  readonly hold: Hold
  readonly reason: string
}

export interface SenderOptions {
  readonly link: NodeLink
  readonly runs: OpenRuns
  readonly checks: Pick<ProtocolChecks, 'mostSeconds'>
  /** Who comes to a lab's own server. */
  readonly visitorOf: (run: OpenRun) => Promise<Visitor>
  readonly closed: () => boolean
  readonly clock: Clock
  readonly log: Log
}

export interface Sender {
  /** Sends what still holds; what is not committed is not to be given to it. */
  sendAssignments(wanted: readonly OpenRun[]): void
  sendCancels(cancels: readonly Cancel[]): void
}

/** Over the link to the nodes. */
export function createSender({ link, runs, checks, visitorOf, closed, clock, log }: SenderOptions): Sender {
  /** A lab's own server is told who comes: looked up now, so that it is kept nowhere. */
  const sendVisit = async (run: OpenRun, hold: Hold) => {
    const visitor = await visitorOf(run)
    if (closed() || run.hold !== hold || runs.get(run.id) !== run) return
    link.send(hold.node, 'assign', { assignments: [assignmentOf(run, hold, { visitor })] })
  }

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
      const assignment = assignmentOf(run, hold, { mostSeconds: checks.mostSeconds(run) })
      if (list === undefined) byNode.set(hold.node, [assignment])
      else list.push(assignment)
    }
    for (const [node, assignments] of byNode) {
      for (let at = 0; at < assignments.length; at += MOST_PER_MESSAGE) {
        link.send(node, 'assign', { assignments: assignments.slice(at, at + MOST_PER_MESSAGE) })
      }
    }
  }

  const sendCancels = (cancels: readonly Cancel[]) => {
    const byNode = new Map<string, { runId: string; attempt: number; reason: string }[]>()
    for (const { run, hold, reason } of cancels) {
      hold.cancelSentAt = clock.monotonic()
      const list = byNode.get(hold.node) ?? []
      list.push({ runId: run.id, attempt: run.attempt, reason })
      byNode.set(hold.node, list)
    }
    for (const [node, list] of byNode) link.send(node, 'cancel', { cancels: list })
  }

  return { sendAssignments, sendCancels }
}
