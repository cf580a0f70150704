export { connect } from '@fernlab/shared/clients/typescript/browser'
export { LabError } from '@fernlab/shared/primitives/lab-error'
export { defineService } from '@fernlab/shared/rpc/contract/service-contract'
