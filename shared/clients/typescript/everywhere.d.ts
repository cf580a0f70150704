export type { Client, Lock, LockOptions, Service } from '@fernlab/shared/clients/typescript/client'
export type { HubClient, RunOptions, RunParameters } from '@fernlab/shared/clients/typescript/hub-runs'
export type {
  DataOptions,
  DocumentsOptions,
  PatienceOptions,
  Run,
  RunDocument,
  RunEvent,
  RunStatus,
} from '@fernlab/shared/clients/typescript/run'
export { LabError } from '@fernlab/shared/primitives/lab-error'
export { type CallOf, type Outcome, type OutcomesOf, resultOf } from '@fernlab/shared/rpc/contract/service-batch'
export { defineService, type ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
