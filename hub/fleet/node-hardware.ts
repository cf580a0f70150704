/**
 * What nodes find on their own machines, asked of them.
 *
 * INVARIANTS: who has buses asked who is there, or adds or removes an instrument, is in the audit log before the node is told;
 * whether that can be done is for the node to say.
 */
import type { NodeHardware } from '@fernlab/shared/contracts/hardware'
import type { AddInstrumentRequest, ShownInstrument } from '@fernlab/shared/contracts/hardware-drafts'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import type { FleetBook } from './fleet-book.ts'
import type { NodeCalls } from './node-calls.ts'

/** Who adds an instrument: the id is for the audit log, the name for the people who see it. */
export interface Equipping {
  readonly personId: string
  readonly name: string
}

export interface NodeHardwareBook {
  /** Without traffic on a bus. Throws `node-unknown`, `node-offline`, `node-silent` and `look-under-way`. */
  look(node: string): Promise<NodeHardware>
  /** The same, with I2C buses asked who is there, in the name of the person. */
  scan(node: string, personId: string): Promise<NodeHardware>
  /** Makes an instrument of a find; throws what the node refuses besides: `find-unknown`, `instrument-unfit` and so on. */
  add(node: string, asked: AddInstrumentRequest, by: Equipping): Promise<ShownInstrument>
  /** Removes one that was added; throws `instrument-unknown` and `instrument-of-bench` besides. */
  remove(node: string, instrument: string, personId: string): Promise<void>
}

export interface CreateNodeHardwareOptions {
  readonly store: Store
  readonly book: Pick<FleetBook, 'nodes'>
  readonly calls: Pick<NodeCalls, 'call'>
  readonly clock: Clock
}

/** A Pi has looked within a second. */
const LOOK_MS = 15_000
/** A bus on which every address is slow to say no takes seconds. */
const SCAN_MS = 40_000
/** An instrument has 2 s to close, and a slow card takes its time. */
const REMOVE_MS = 15_000

export function createNodeHardware({ store, book, calls, clock }: CreateNodeHardwareOptions): NodeHardwareBook {
  const audit = auditEntries(store, clock)
  const requireOnline = (id: string) => {
    const node = book.nodes.get(id)
    if (node === undefined)
      throw new LabError({ code: 'node-unknown', kind: 'caller', message: `there is no node ${id}` })
    if (node.online === true) return
    const message = `${id}, whose hardware it is, is not connected`
    throw new LabError({ code: 'node-offline', kind: 'link', retry: 'later', message })
  }
  return {
    look: async (node) => {
      requireOnline(node)
      return await calls.call(node, 'node.look', { scan: false }, LOOK_MS)
    },
    scan: async (node, personId) => {
      requireOnline(node)
      await store.write([audit(personId, 'node.buses-scanned', node)])
      return await calls.call(node, 'node.look', { scan: true }, SCAN_MS)
    },
    add: async (node, asked, { personId, name }) => {
      requireOnline(node)
      await store.write([audit(personId, 'node.instrument-added', `${node}/${asked.name}`)])
      // The find is looked for again, and a board asked what it is.
      return (await calls.call(node, 'node.add-instrument', { ...asked, by: name }, SCAN_MS)).instrument
    },
    remove: async (node, instrument, personId) => {
      requireOnline(node)
      await store.write([audit(personId, 'node.instrument-removed', `${node}/${instrument}`)])
      await calls.call(node, 'node.remove-instrument', { name: instrument }, REMOVE_MS)
    },
  }
}
