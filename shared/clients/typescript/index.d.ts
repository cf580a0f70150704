export { type ConnectOptions, connect } from '@fernlab/shared/clients/typescript/node'
export * from './everywhere.js'
