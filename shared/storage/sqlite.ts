/** The `node:sqlite` API: Node's own from 24 on, `@photostructure/sqlite` before. */
export interface SqliteStatement {
  all(...params: unknown[]): Record<string, unknown>[]
  run(...params: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  columns(): readonly unknown[]
}

export interface SqliteDatabase {
  /** False also when SQLite has undone the transaction by itself. */
  readonly isTransaction: boolean
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string, options?: { readOnly?: boolean }) => SqliteDatabase
}

/** Loads whichever of the two this Node has. */
export async function loadSqlite(): Promise<SqliteModule> {
  const major = Number(process.versions.node.split('.')[0])
  const name = major >= 24 ? 'node:sqlite' : '@photostructure/sqlite'
  return (await import(name)) as SqliteModule
}
