/**
 * The hub's database: Kysely over the storage threads.
 *
 * INVARIANTS: a write has reached the disk when it resolves; selects run on the reading thread and see everything
 * committed before them; a `write` of several queries is one atomic step.
 */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type Database, openDatabase, type Result, type WriteStatement } from '@fernlab/shared/storage/database'
import { type Compilable, Kysely } from 'kysely'
import { migrations } from './migrations.ts'
import type { HubSchema } from './schema.ts'
import { storageDialect, toSqlValues } from './storage-dialect.ts'

/** A query, or a query that must change exactly so many rows or the whole write is undone. */
export type StoreQuery = Compilable | { readonly query: Compilable; readonly expect: number }

export interface Store {
  /** Selects go to the reading thread, single writes join the group commit, `transaction()` is exclusive: keep it short. */
  readonly db: Kysely<HubSchema>
  /** Runs the queries as one atomic write; rejects with code `precondition-failed` when an `expect` is not met. */
  write(queries: readonly StoreQuery[]): Promise<readonly Result[]>
  /** The storage below, for statements that are compiled once (`precompile`). */
  readonly database: Database
  close(): Promise<void>
}

export interface OpenStoreOptions {
  /** `sqlite:<path>`. */
  readonly url: string
  readonly log: Log
}

/** Opens the database and brings its tables up to date. */
export async function openStore({ url, log }: OpenStoreOptions): Promise<Store> {
  const path = sqlitePath(url)
  await mkdir(dirname(path), { recursive: true })
  const database = await openDatabase({ path, migrations, cacheMiB: 32, erases: true })
  log.debug({ path }, 'the database is open')
  const db = new Kysely<HubSchema>({ dialect: storageDialect(database) })
  return {
    db,
    database,
    write: (queries) => database.write(queries.map(toStatement)),
    close: async () => {
      await db.destroy()
      await database.close()
    },
  }
}

/** The file of a `sqlite:` address; throws a configuration error for any other. */
export function sqlitePath(url: string): string {
  if (!url.startsWith('sqlite:') || url === 'sqlite:') {
    throw new LabError({
      code: 'setting-invalid',
      kind: 'configuration',
      message: `FERNLAB_DATABASE_URL is ${JSON.stringify(url.replace(/\/\/[^@/]*@/, '//…@'))}; this release knows sqlite:<file> only`,
    })
  }
  return url.slice('sqlite:'.length)
}

/** The query as the storage takes it, for a write that somebody else makes. */
export function toStatement(query: StoreQuery): WriteStatement {
  const compiled = 'compile' in query ? query.compile() : query.query.compile()
  const statement = { sql: compiled.sql, params: toSqlValues(compiled.parameters) }
  return 'expect' in query ? { ...statement, expect: query.expect } : statement
}
