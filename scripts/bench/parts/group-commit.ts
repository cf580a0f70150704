import type { SqliteDatabase } from '@fernlab/shared/storage/sqlite'
import { loadSqlite } from '@fernlab/shared/storage/sqlite'

/** The least that a durable store can be: writes of one turn of the event loop share one synced commit. */
export interface GroupCommit {
  readonly database: SqliteDatabase
  /** Runs `write` in the next commit, then `done` after it is on disk. */
  add(write: () => void, done: () => void): void
}

/** Opens a database (WAL, synchronous=FULL) in this very thread. */
export async function openGroupCommit(path: string, schema: string): Promise<GroupCommit> {
  const { DatabaseSync } = await loadSqlite()
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000')
  database.exec(schema)
  let waiting: { write(): void; done(): void }[] = []
  const commit = () => {
    const group = waiting
    waiting = []
    database.exec('BEGIN IMMEDIATE')
    for (const { write } of group) write()
    database.exec('COMMIT')
    for (const { done } of group) done()
  }
  return {
    database,
    add: (write, done) => {
      if (waiting.length === 0) setImmediate(commit)
      waiting.push({ write, done })
    },
  }
}
