/** Which sessions are open, which of them have their bench, and which node that is on. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { FleetBook } from '../fleet/fleet-book.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { Hold, OpenRun } from '../runs/open-runs.ts'
import type { Turn } from '../store/turn.ts'

export type ActiveRun = OpenRun & { readonly hold: Hold }

export interface OpenSessions {
  /** The run of a session that is not over. */
  open(id: string): OpenRun | undefined
  /** The run of one that has its bench, for its person to work on. */
  active(id: string): ActiveRun | undefined
  /** The same; throws `session-not-active`, and `database-recovering` while nobody knows that. */
  mustBeActive(id: string): ActiveRun
  /** The node of one that has a bench; throws `node-offline` unless it answers. */
  nodeOf(run: { readonly hold: Hold }): string
}

/** Over what the hub has open. */
export function openSessions({
  ledger,
  book,
  turn,
}: {
  readonly ledger: Pick<Ledger, 'runs'>
  readonly book: Pick<FleetBook, 'nodes'>
  readonly turn: Pick<Turn, 'mustBeOpen'>
}): OpenSessions {
  const open = (id: string): OpenRun | undefined => {
    const run = ledger.runs.get(id)
    return run?.session === undefined ? undefined : run
  }

  const active = (id: string): ActiveRun | undefined => {
    const run = open(id)
    const isActive = run?.hold !== undefined && run.state === 'running' && run.session?.stage === 'active'
    return isActive ? (run as ActiveRun) : undefined
  }

  const mustBeActive = (id: string): ActiveRun => {
    const run = active(id)
    if (run !== undefined) return run
    turn.mustBeOpen()
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

  return { open, active, mustBeActive, nodeOf }
}
