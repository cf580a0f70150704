/** What the database's main-thread side and its worker say to each other. */
import type { MessagePort } from 'node:worker_threads'
import type { PackedWrites } from './packing.ts'

export type SqlValue = null | number | bigint | string | Uint8Array
export type Row = Readonly<Record<string, SqlValue>>

export interface Statement {
  readonly sql: string
  readonly params?: readonly SqlValue[]
}

/** A statement of an atomic write. */
export interface WriteStatement extends Statement {
  /** Runs the statement once for each of these instead of `params`: cheap where one statement takes many rows. */
  readonly rows?: readonly (readonly SqlValue[])[]
  /** The write is undone as a whole unless this many rows changed in all; it then rejects with code `precondition-failed`. */
  readonly expect?: number
}

export interface Result {
  readonly rows: readonly Row[]
  readonly changes: number
  readonly lastInsertRowid: number
}

export interface Migration {
  readonly name: string
  /** One or more statements, run once, in one transaction with the record of the migration. */
  readonly sql: string
}

export interface WorkerSetup {
  readonly path: string
  readonly migrations: readonly Migration[]
  readonly readOnly: boolean
  readonly cachePages: number
  /** Whether what is deleted is overwritten. */
  readonly erases: boolean
  /** On which requests come and replies go. */
  readonly port: MessagePort
}

export type WorkerRequest =
  | { readonly kind: 'write'; readonly id: number; readonly statements: readonly WriteStatement[] }
  | { readonly kind: 'query'; readonly id: number; readonly statement: Statement }
  /** Opens, uses and ends an interactive transaction; other writes wait. */
  | { readonly kind: 'begin'; readonly id: number }
  | { readonly kind: 'within'; readonly id: number; readonly statement: Statement }
  | { readonly kind: 'end'; readonly id: number; readonly commit: boolean }
  | { readonly kind: 'backup'; readonly id: number; readonly path: string }
  | { readonly kind: 'check'; readonly id: number }
  | { readonly kind: 'checkpoint'; readonly id: number }
  | { readonly kind: 'close'; readonly id: number }

/** What travels: writes packed together, all else as it is, in order. */
export type WorkerMessage = PackedWrites | Exclude<WorkerRequest, { readonly kind: 'write' }>

export interface WorkerFailure {
  readonly code: string
  readonly message: string
  /** Index of the statement that failed, when one did. */
  readonly statement?: number
}

export type WorkerReply =
  /** Of a write whose statements gave no rows. */
  | { readonly id: number; readonly changes: readonly number[]; readonly rowids: readonly number[] }
  | { readonly id: number; readonly results: readonly Result[] }
  | { readonly id: number; readonly failure: WorkerFailure }

/** First message from the worker: ready, or why it could not open. */
export type WorkerReady = { readonly ready: true } | { readonly ready: false; readonly failure: WorkerFailure }
