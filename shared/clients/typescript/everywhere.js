export { LabError } from '@fernlab/shared/primitives/lab-error'
export { resultOf } from '@fernlab/shared/rpc/contract/service-batch'
export { defineService } from '@fernlab/shared/rpc/contract/service-contract'
