/** Kysely's driver over the storage threads: selects read, all else joins the group commit. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Database, Result, SqlValue, Transaction } from '@fernlab/shared/storage/database'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'

/** The dialect for `new Kysely`. */
export function storageDialect(database: Database): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => storageDriver(database),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

function storageDriver(database: Database): Driver {
  return {
    init: async () => {},
    acquireConnection: async () => new StorageConnection(database),
    beginTransaction: (connection) => (connection as StorageConnection).begin(),
    commitTransaction: (connection) => (connection as StorageConnection).end(true),
    rollbackTransaction: (connection) => (connection as StorageConnection).end(false),
    releaseConnection: async () => {},
    destroy: async () => {},
  }
}

class Undo extends Error {}

interface OpenTransaction {
  readonly transaction: Transaction
  readonly finish: (commit: boolean) => Promise<void>
}

class StorageConnection implements DatabaseConnection {
  readonly #database: Database
  #open: OpenTransaction | undefined

  constructor(database: Database) {
    this.#database = database
  }

  /** Holds the storage's transaction open until `end`. */
  begin(): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = this.#database.transaction(
        (transaction) =>
          new Promise<void>((commit, undo) => {
            const finish = async (keep: boolean) => {
              if (keep) commit()
              else undo(new Undo())
              await done.catch((error: unknown) => {
                if (!(error instanceof Undo)) throw error
              })
            }
            this.#open = { transaction, finish }
            resolve()
          }),
      )
      done.catch((error: unknown) => {
        if (!(error instanceof Undo)) reject(error)
      })
    })
  }

  async end(commit: boolean): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.finish(commit)
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const params = toSqlValues(query.parameters)
    if (this.#open !== undefined) return toQueryResult(await this.#open.transaction.query(query.sql, params))
    if (reads(query)) return { rows: (await this.#database.read(query.sql, params)) as Row[] }
    const [result] = await this.#database.write([{ sql: query.sql, params }])
    return toQueryResult(result ?? { rows: [], changes: 0, lastInsertRowid: 0 })
  }

  streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new LabError({ code: 'not-supported', kind: 'bug', message: 'page with limit instead of streaming a query' })
  }
}

function reads({ query, sql }: CompiledQuery): boolean {
  if (query.kind === 'SelectQueryNode') return true
  return query.kind === 'RawNode' && /^\s*(select|explain|pragma)\b/i.test(sql)
}

function toQueryResult<Row>(result: Result): QueryResult<Row> {
  return {
    rows: result.rows as Row[],
    numAffectedRows: BigInt(result.changes),
    insertId: BigInt(result.lastInsertRowid),
  }
}

/** Values as SQLite takes them: booleans as 0 and 1, dates as ISO text; throws for what it can't hold. */
export function toSqlValues(parameters: readonly unknown[]): SqlValue[] {
  return parameters.map((value) => {
    switch (typeof value) {
      case 'string':
      case 'number':
      case 'bigint':
        return value
      case 'boolean':
        return value ? 1 : 0
      case 'undefined':
        return null
      default:
        if (value === null || value instanceof Uint8Array) return value as SqlValue
        if (value instanceof Date) return value.toISOString()
        throw new LabError({ code: 'value-unstorable', kind: 'bug', message: `a ${typeof value} can't be stored` })
    }
  })
}
