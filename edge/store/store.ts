import { type Database, type Migration, openDatabase, type WriteStatement } from '@fernlab/shared/storage/database'

/** The node's tables: what it accepted, what it has not yet handed over, the newest fence of each bench, latched interlocks. */
export const migrations: readonly Migration[] = [
  {
    name: '001-attempts-documents',
    sql: `
      CREATE TABLE bench (
        name TEXT PRIMARY KEY,
        fence INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE attempt (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        bench TEXT NOT NULL,
        fence INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'stopped')),
        accepted_at INTEGER NOT NULL,
        next_seq INTEGER NOT NULL DEFAULT 0,
        acknowledged INTEGER NOT NULL DEFAULT 0,
        rows TEXT NOT NULL DEFAULT '{}',
        moved TEXT NOT NULL DEFAULT '[]',
        assignment BLOB NOT NULL,
        UNIQUE (run_id, attempt)
      ) STRICT;
      CREATE TABLE document (
        run_id TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        size INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        UNIQUE (run_id, attempt, seq)
      ) STRICT;
    `,
  },
  {
    // What the attempt has open on a laboratory's own server, as JSON.
    name: '002-visits',
    sql: 'ALTER TABLE attempt ADD COLUMN visit TEXT;',
  },
  {
    // An interlock that a person has to reset; null: it was reset.
    name: '003-interlocks',
    sql: 'CREATE TABLE interlock (name TEXT PRIMARY KEY, tripped_at INTEGER, reason TEXT) STRICT, WITHOUT ROWID;',
  },
]

/** Opens the node's database in its data folder (made when missing). */
export function openStore(path: string): Promise<Database> {
  return openDatabase({ path, migrations, cacheMiB: 2, threads: 'one' })
}

/** The interlocks that are latched, by name. */
export async function readLatches(
  database: Pick<Database, 'read'>,
): Promise<Map<string, { readonly at: number; readonly reason: string }>> {
  const rows = await database.read('SELECT name, tripped_at, reason FROM interlock WHERE tripped_at IS NOT NULL')
  return new Map(rows.map((row) => [String(row.name), { at: Number(row.tripped_at), reason: String(row.reason) }]))
}

/** Keeps the newest fence of a bench across restarts. */
export function fenceStatement(bench: string, fence: number): WriteStatement {
  return {
    sql: 'INSERT INTO bench (name, fence) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET fence = MAX(fence, excluded.fence)',
    params: [bench, fence],
  }
}

/** Keeps what an attempt has open on a laboratory's own server; null: nothing. */
export function visitStatement(
  key: { readonly runId: string; readonly attempt: number },
  visit: string | null,
): WriteStatement {
  return {
    sql: 'UPDATE attempt SET visit = ? WHERE run_id = ? AND attempt = ?',
    params: [visit, key.runId, key.attempt],
  }
}

/** Keeps that an interlock is latched; null: that it is not. One text for both, so that their order is kept. */
export function latchStatement(
  name: string,
  latch: { readonly at: number; readonly reason: string } | null,
): WriteStatement {
  return {
    sql: 'INSERT INTO interlock (name, tripped_at, reason) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET tripped_at = excluded.tripped_at, reason = excluded.reason',
    params: [name, latch?.at ?? null, latch?.reason ?? null],
  }
}
