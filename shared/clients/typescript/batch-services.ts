/** Calls of several services of one node, in one message. */
import { LabError } from '../../primitives/lab-error.ts'
import { batchOf, type CallOf, type Outcome, type ResultOf, requireCalls } from '../../rpc/contract/service-batch.ts'
import type { ServiceContract } from '../../rpc/contract/service-contract.ts'
import { isRecord } from '../../rpc/errors.ts'
import type { BatchOutcome } from '../../rpc/peer/batch.ts'
import type { BatchOptions, Peer } from '../../rpc/peer/peer.ts'
import type { Connection } from './connection.ts'

/** A service that a client has met. */
interface Met {
  readonly id: string
  readonly contract: ServiceContract
}

/** `[service, name, arguments]`, the rest as in the batch of one service. */
export type AnyCall = readonly [service: Met, name: string, args: object]

/** The same, with what the service's contract asks for. */
export type Checked<Calls extends readonly AnyCall[]> = {
  readonly [At in keyof Calls]: Calls[At] extends readonly [infer Service, ...unknown[]]
    ? Service extends { readonly contract: infer Contract extends ServiceContract }
      ? readonly [service: Service, ...call: CallOf<Contract>]
      : never
    : never
}

export type OutcomesOfAll<Calls extends readonly AnyCall[]> = {
  -readonly [At in keyof Calls]: Calls[At] extends readonly [infer Service, infer Name, unknown]
    ? Service extends { readonly contract: infer Contract extends ServiceContract }
      ? Outcome<ResultOf<Contract, Name>>
      : never
    : never
}

/** How a service that was met is called. */
export interface Reaching {
  readonly name: string
  readonly contract: ServiceContract
  readonly connection: Connection
  readonly verify: (peer: Peer, timeoutMs: number) => Promise<void>
}

/** Rejects with `call-invalid`, and sends nothing, where the services are not reached over one connection. */
export async function batchServices(
  reaching: (service: object) => Reaching | undefined,
  calls: readonly AnyCall[],
  options: BatchOptions = {},
): Promise<BatchOutcome[]> {
  requireCalls(calls, "[service, 'action', { argument: 1 }]", ([service]) => isRecord(service))
  const reached = calls.map(([service], at) => {
    const found = reaching(service)
    if (found === undefined) throw invalid(at, `${service.id} is no service of this client`)
    return found
  })
  const [first] = reached
  if (first === undefined) return []
  const { connection } = first
  const other = reached.findIndex((one) => one.connection !== connection)
  if (other > 0) {
    const [one, two] = [calls[0]?.[0].id, calls[other]?.[0].id]
    throw invalid(other, `${two} is not reached over one connection with ${one}: make a batch of each`)
  }
  const verifiers = new Set(reached.map(({ verify }) => verify))
  const verify = async (peer: Peer, timeoutMs: number) => {
    for (const each of verifiers) await each(peer, timeoutMs)
  }
  const all = reached.map(({ name, contract }, at) => {
    const [, member, args] = calls[at] as AnyCall
    return { service: name, contract, call: [member, args] as const }
  })
  const caller = {
    batch: (sent: Parameters<Connection['batch']>[0], how?: BatchOptions) => connection.batch(sent, { ...how, verify }),
  }
  return await batchOf(caller, all, options)
}

function invalid(at: number, message: string): LabError {
  const path = `calls[${at}]`
  return new LabError({
    code: 'call-invalid',
    kind: 'caller',
    message: `${path}: ${message}`,
    issues: [{ path, message }],
  })
}
