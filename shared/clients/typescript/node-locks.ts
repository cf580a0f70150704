/** What a node can do with locks: those of earlier versions refuse what they do not know. */
import { isRecord } from '../../rpc/errors.ts'
import type { CallOptions } from '../../rpc/peer/calls.ts'
import type { Connection } from './connection.ts'

export interface NodeLocks {
  /** A taking has an id, and ends by it alone. */
  readonly takesId: boolean
  /** Whoever ends a lock may say since when that is which is meant. */
  readonly takesSeen: boolean
  /** Whoever waits is told how a lock has ended, and, where it is asked by an id, how that taking has. */
  readonly tells: 'each taking' | 'each service' | 'nothing'
}

/** As the contract of the node itself says. Rejects where the node is not reached. */
export async function nodeLocks(connection: Connection, options: CallOptions = {}): Promise<NodeLocks> {
  const contract = await connection.call('node/contract.get', undefined, { ...options, idempotent: true })
  const lost = argumentsOf(contract, 'lost')
  return {
    takesId: argumentsOf(contract, 'lock')?.id !== undefined,
    takesSeen: argumentsOf(contract, 'unlock')?.seen !== undefined,
    tells: lost === undefined ? 'nothing' : lost.id === undefined ? 'each service' : 'each taking',
  }
}

/** Undefined where it has no such action. */
function argumentsOf(contract: unknown, name: string): Readonly<Record<string, unknown>> | undefined {
  const actions = isRecord(contract) && isRecord(contract.actions) ? contract.actions : {}
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!isRecord(action)) return undefined
  return isRecord(action.arguments) ? action.arguments : {}
}
