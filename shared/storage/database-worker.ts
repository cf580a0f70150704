/**
 * The thread that holds one SQLite connection.
 *
 * INVARIANTS: all writes that have arrived are run in one transaction, each in a savepoint of its own; replies go out
 * only after COMMIT returned. While an interactive transaction is open, other writes wait in order.
 */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type {
  Result,
  Row,
  SqlValue,
  Statement,
  WorkerFailure,
  WorkerMessage,
  WorkerReady,
  WorkerReply,
  WorkerRequest,
  WorkerSetup,
  WriteStatement,
} from './messages.ts'
import { Unpacker } from './packing.ts'
import { loadSqlite, type SqliteDatabase, type SqliteStatement } from './sqlite.ts'

const setup = workerData as WorkerSetup
const mostStatements = 200

class PreconditionFailed extends Error {}

type Write = Extract<WorkerRequest, { kind: 'write' }>

async function serve(port: MessagePort): Promise<void> {
  let database: SqliteDatabase
  try {
    database = await open()
  } catch (error) {
    port.postMessage({ ready: false, failure: { ...describe(error), code: 'database-unusable' } } satisfies WorkerReady)
    return
  }
  const prepared = new Map<string, { statement: SqliteStatement; reads: boolean }>()

  const prepare = (sql: string) => {
    let known = prepared.get(sql)
    if (known === undefined) {
      const statement = database.prepare(sql)
      known = { statement, reads: statement.columns().length > 0 }
      if (prepared.size >= mostStatements) prepared.delete(prepared.keys().next().value ?? '')
      prepared.set(sql, known)
    }
    return known
  }

  const run = ({ sql, params = [] }: Statement): Result => {
    const { statement, reads } = prepare(sql)
    if (reads) {
      const rows = statement.all(...params) as Row[]
      const changes = /^\s*(insert|update|delete|replace|with)\b/i.test(sql) ? rows.length : 0
      return { rows, changes, lastInsertRowid: 0 }
    }
    const { changes, lastInsertRowid } = statement.run(...params)
    return { rows: [], changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) }
  }

  const runRows = (sql: string, rows: readonly (readonly SqlValue[])[]): Result => {
    const { statement, reads } = prepare(sql)
    let changes = 0
    const answers: Row[] = []
    for (const params of rows) {
      if (reads) answers.push(...(statement.all(...params) as Row[]))
      else changes += Number(statement.run(...params).changes)
    }
    return { rows: answers, changes: reads ? answers.length : changes, lastInsertRowid: 0 }
  }

  const runWrite = (statements: readonly WriteStatement[]): Result[] => {
    let index = 0
    try {
      return statements.map((statement, at) => {
        index = at
        const result = statement.rows === undefined ? run(statement) : runRows(statement.sql, statement.rows)
        if (statement.expect !== undefined && result.changes !== statement.expect) {
          throw new PreconditionFailed(`expected ${statement.expect} changed rows, found ${result.changes}`)
        }
        return result
      })
    } catch (error) {
      throw Object.assign(error instanceof Error ? error : new Error(String(error)), { index })
    }
  }

  const commitTogether = (writes: readonly Write[]): WorkerReply[] => {
    const replies: WorkerReply[] = []
    try {
      database.exec('BEGIN IMMEDIATE')
      for (const write of writes) {
        database.exec('SAVEPOINT one')
        try {
          replies.push(replyTo(write.id, runWrite(write.statements)))
        } catch (error) {
          // SQLite itself undoes everything on a full disk: then the group fails as a whole, and by this error.
          if (!database.isTransaction) throw error
          database.exec('ROLLBACK TO one')
          replies.push({ id: write.id, failure: describe(error) })
        }
        database.exec('RELEASE one')
      }
      database.exec('COMMIT')
      return replies
    } catch (error) {
      rollback(database)
      const failure = describe(error)
      const failed = new Map(replies.flatMap((reply) => ('failure' in reply ? [[reply.id, reply] as const] : [])))
      return writes.map(({ id }) => failed.get(id) ?? { id, failure })
    }
  }

  const unpacker = new Unpacker()
  const take = (messages: readonly WorkerMessage[]) => {
    for (const message of messages) {
      if (message.kind !== 'writes') queue.push(message)
      else for (const write of unpacker.unpack(message)) queue.push({ kind: 'write', ...write })
    }
  }

  const queue: WorkerRequest[] = []
  let interactive = false

  const answer = (request: Exclude<WorkerRequest, Write>): readonly Result[] => {
    switch (request.kind) {
      case 'query':
      case 'within':
        return [run(request.statement)]
      case 'begin':
        database.exec('BEGIN IMMEDIATE')
        interactive = true
        return []
      case 'end':
        interactive = false
        if (request.commit) database.exec('COMMIT')
        else rollback(database)
        return []
      case 'backup':
        return [run({ sql: 'VACUUM INTO ?', params: [request.path] })]
      case 'check':
        return [run({ sql: 'PRAGMA integrity_check' })]
      case 'checkpoint':
        return [run({ sql: 'PRAGMA wal_checkpoint(TRUNCATE)' })]
      case 'close':
        prepared.clear()
        database.close()
        return []
    }
  }

  const work = () => {
    for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) {
      take(more.message as readonly WorkerMessage[])
    }
    const replies: WorkerReply[] = []
    const held: WorkerRequest[] = []
    let writes: Write[] = []
    const flush = () => {
      if (writes.length > 0) replies.push(...commitTogether(writes))
      writes = []
    }
    for (const request of queue.splice(0)) {
      if (request.kind === 'write') {
        if (interactive) held.push(request)
        else writes.push(request)
        continue
      }
      flush()
      try {
        replies.push({ id: request.id, results: answer(request) })
      } catch (error) {
        replies.push({ id: request.id, failure: describe(error) })
      }
      if (request.kind === 'end') writes.push(...(held.splice(0) as Write[]))
    }
    flush()
    queue.push(...held)
    if (replies.length > 0) port.postMessage(replies)
  }

  port.on('message', (messages: readonly WorkerMessage[]) => {
    take(messages)
    work()
  })
  port.postMessage({ ready: true } satisfies WorkerReady)
}

function replyTo(id: number, results: readonly Result[]): WorkerReply {
  if (results.some(({ rows }) => rows.length > 0)) return { id, results }
  return {
    id,
    changes: results.map(({ changes }) => changes),
    rowids: results.map(({ lastInsertRowid }) => lastInsertRowid),
  }
}

async function open(): Promise<SqliteDatabase> {
  const { DatabaseSync } = await loadSqlite()
  const database = new DatabaseSync(setup.path, { readOnly: setup.readOnly })
  database.exec(`PRAGMA busy_timeout = 5000; PRAGMA cache_size = ${setup.cachePages}; PRAGMA foreign_keys = ON`)
  if (setup.readOnly) return database
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000')
  if (setup.erases) database.exec('PRAGMA secure_delete = ON')
  migrate(database)
  return database
}

function migrate(database: SqliteDatabase): void {
  database.exec('CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT')
  const applied = new Set(
    database
      .prepare('SELECT name FROM migration')
      .all()
      .map((row) => row.name),
  )
  const known = new Set(setup.migrations.map(({ name }) => name))
  const unknown = [...applied].filter((name) => !known.has(String(name)))
  if (unknown.length > 0) throw new Error(`it was made by a newer release (it has ${unknown.join(', ')})`)
  for (const { name, sql } of setup.migrations) {
    if (applied.has(name)) continue
    database.exec('BEGIN IMMEDIATE')
    try {
      database.exec(sql)
      database.prepare('INSERT INTO migration VALUES (?, ?)').run(name, Date.now())
      database.exec('COMMIT')
    } catch (error) {
      rollback(database)
      throw error
    }
  }
}

function rollback(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch (error) {
    // SQLite has already rolled back (disk full, I/O error): the state that was wanted.
    if (!/no transaction is active/i.test(String(error))) throw error
  }
}

function describe(error: unknown): WorkerFailure {
  const message = error instanceof Error ? error.message : String(error)
  const index = (error as { index?: number }).index
  const statement = index === undefined ? {} : { statement: index }
  if (error instanceof PreconditionFailed) return { code: 'precondition-failed', message, ...statement }
  if (/disk is full|SQLITE_FULL|ENOSPC/i.test(message)) return { code: 'disk-full', message, ...statement }
  if (/constraint failed/i.test(message)) return { code: 'constraint-failed', message, ...statement }
  return { code: 'database-failed', message, ...statement }
}

export type { SqlValue }

await serve(setup.port)
