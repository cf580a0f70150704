/** Whether what answers after a link broke is still what a program was written for: it may be another version by then. */
import { requireCompatible } from '../../rpc/contract/compare-contracts.ts'
import { members } from '../../rpc/contract/members.ts'
import type { ServiceContract } from '../../rpc/contract/service-contract.ts'
import type { Peer } from '../../rpc/peer/peer.ts'

/**
 * Asks the service once over each further link; rejects with `contract-changed`, both versions named. The contract is
 * known to hold over the first: it was looked up just before. `readContract` throws for what is none.
 */
export function sameContract(
  service: string,
  known: ServiceContract,
  readContract: (said: unknown) => ServiceContract,
) {
  const asked = new WeakMap<Peer, Promise<void>>()
  let isFirst = true
  const ask = async (peer: Peer, timeoutMs: number): Promise<void> => {
    const met = await peer.call(`${service}/${members.contract}`, undefined, { timeoutMs, idempotent: true })
    requireCompatible(service, known, readContract(met))
  }
  return (peer: Peer, timeoutMs: number): Promise<void> => {
    const made = asked.get(peer) ?? (isFirst ? Promise.resolve() : ask(peer, timeoutMs))
    isFirst = false
    asked.set(peer, made)
    // Too late for one call is not the answer for the next.
    made.catch(() => asked.delete(peer))
    return made
  }
}
