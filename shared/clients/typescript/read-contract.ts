import { type ServiceContract, serviceContractSchema } from '../../rpc/contract/service-contract.ts'

/** What a service says of itself; throws a ZodError where that is no contract. */
export const readContract = (said: unknown): ServiceContract => serviceContractSchema.parse(said)
