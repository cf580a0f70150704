export { type ConnectOptions, connect } from '@fernlab/shared/clients/typescript/browser'
export type { Client, Lock, LockOptions, Service } from '@fernlab/shared/clients/typescript/client'
export { LabError } from '@fernlab/shared/primitives/lab-error'
export { defineService, type ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
