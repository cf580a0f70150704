/** Meeting a service that a program knows: apart from the proxy, as a page checks no schemas. */
import type { CallOptions } from '../peer/calls.ts'
import { requireCompatible } from './compare-contracts.ts'
import { members } from './members.ts'
import { type Caller, createProxy, type Proxy as ServiceProxy } from './proxy.ts'
import { type ServiceContract, serviceContractSchema } from './service-contract.ts'

/** Throws `contract-changed` where the service is of a version that the contract's program would misunderstand. */
export async function meetService<const Contract extends ServiceContract>(
  caller: Caller,
  service: string,
  contract: Contract,
  options?: CallOptions,
): Promise<ServiceProxy<Contract>> {
  const met = await caller.call(`${service}/${members.contract}`, undefined, { ...options, idempotent: true })
  requireCompatible(service, contract, serviceContractSchema.parse(met))
  return createProxy(caller, service, contract)
}
