/**
 * Calibrations of signals, which their node keeps: shown and changed through it.
 *
 * INVARIANTS: who asked for a change is in the audit log before the node is told; whether a calibration does, and whether
 * the bench is free for it, is for the node to say.
 */
import type { Calibration, CalibrationHistories, CalibrationRecord } from '@fernlab/shared/contracts/calibrations'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { FleetBook } from '../fleet/fleet-book.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'

/** Who changes one: the id is for the audit log, the name for the people who read the calibration. */
export interface Calibrating {
  readonly personId: string
  readonly name: string
}

export interface NodeCalibrations {
  /** By `instrument.signal`. Throws `node-unknown`, `node-offline` and `node-silent`, as the others do. */
  of(node: string): Promise<CalibrationHistories>
  /** Adds one, or undoes the newest. Throws what the node refuses besides: `calibration-unfit`, `bench-busy` and so on. */
  change(
    node: string,
    signal: string,
    change: Calibration | 'undo',
    by: Calibrating,
  ): Promise<readonly CalibrationRecord[]>
}

export interface CreateNodeCalibrationsOptions {
  readonly store: Store
  readonly book: Pick<FleetBook, 'nodes'>
  readonly calls: Pick<NodeCalls, 'call'>
  readonly clock: Clock
}

/** Longer than a commit takes on a slow card. */
const CALIBRATE_MS = 10_000

export function createNodeCalibrations(options: CreateNodeCalibrationsOptions): NodeCalibrations {
  const { store, book, calls, clock } = options
  const audit = auditEntries(store, clock)
  const requireOnline = (id: string) => {
    const node = book.nodes.get(id)
    if (node === undefined) {
      throw new LabError({ code: 'node-unknown', kind: 'caller', message: `there is no node ${id}` })
    }
    if (node.online !== true) {
      const message = `${id}, which keeps its calibrations, is not connected`
      throw new LabError({ code: 'node-offline', kind: 'link', retry: 'later', message })
    }
  }
  return {
    of: async (node) => {
      requireOnline(node)
      return (await calls.call(node, 'node.calibrations', {})).calibrations
    },
    change: async (node, signal, change, { personId, name }) => {
      requireOnline(node)
      const action = change === 'undo' ? 'node.calibration-undone' : 'node.calibrated'
      await store.write([audit(personId, action, `${node}/${signal}`)])
      return (await calls.call(node, 'node.calibrate', { signal, by: name, change }, CALIBRATE_MS)).history
    },
  }
}
