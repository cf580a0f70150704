export { type ConnectOptions, connect } from '@fernlab/shared/clients/typescript/browser'
export * from './everywhere.js'
