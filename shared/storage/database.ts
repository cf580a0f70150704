/**
 * SQLite in worker threads: one writes, one reads (on a small machine one does both).
 *
 * INVARIANTS: a `write` resolves only after its commit was synced to disk (WAL, synchronous=FULL); writes that wait
 * while a sync is under way share the next commit; each is atomic on its own (a failing one undoes itself alone);
 * writes take effect in the order they were asked for; nothing here blocks the caller's thread.
 */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { LabError } from '../primitives/lab-error.ts'
import type {
  Migration,
  Result,
  Row,
  SqlValue,
  WorkerFailure,
  WorkerMessage,
  WorkerReady,
  WorkerReply,
  WorkerRequest,
  WorkerSetup,
  WriteStatement,
} from './messages.ts'
import { Packer } from './packing.ts'
import { startWorker } from './start-worker.ts'

export type { Migration, Result, Row, SqlValue, Statement, WriteStatement } from './messages.ts'

/** An interactive transaction; other writes wait until it ends, so keep it short. */
export interface Transaction {
  query(sql: string, params?: readonly SqlValue[]): Promise<Result>
}

export interface Database {
  /** Runs the statements as one atomic write and resolves with their results after the commit is on disk. */
  write(statements: readonly WriteStatement[]): Promise<readonly Result[]>
  /** Runs one reading statement on the reading thread; sees everything committed before the call. */
  read(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>
  /** Runs `work` in one transaction of its own; commits when it resolves, undoes when it rejects. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** Writes a consistent copy to `path` while in use. */
  backup(path: string): Promise<void>
  /** Lists what SQLite's integrity check finds wrong; empty when sound. */
  check(): Promise<readonly string[]>
  /** Moves the write-ahead log into the database file. */
  checkpoint(): Promise<void>
  /** Finishes what was asked for, then closes; idempotent. */
  close(): Promise<void>
}

export interface OpenDatabaseOptions {
  /** File path; made when missing (its folder must exist). */
  readonly path: string
  /** In order; each runs once. */
  readonly migrations: readonly Migration[]
  /** Page cache per thread in MiB (default 8). */
  readonly cacheMiB?: number
  /** `one`: reads wait their turn behind writes, and a thread's 12 MB are saved. Default `two`. */
  readonly threads?: 'one' | 'two'
  /** What is deleted is overwritten in the file, for names and addresses; costs a write for each page that gets free. */
  readonly erases?: boolean
}

/** Opens the database and brings its tables up to date; rejects with code `database-unusable` when it can't. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const cachePages = -(options.cacheMiB ?? 8) * 1024
  const { path, migrations, erases = false } = options
  const writer = await openThread({ path, migrations, readOnly: false, cachePages, erases })
  const openReader = () =>
    openThread({ path, migrations: [], readOnly: true, cachePages, erases }).catch(async (error: unknown) => {
      await writer.close()
      throw error
    })
  const reader = options.threads === 'one' ? writer : await openReader()
  let exclusive: Promise<unknown> = Promise.resolve()
  let closing: Promise<void> | undefined
  return {
    write: (statements) => writer.ask({ kind: 'write', statements }),
    read: async (sql, params = []) => first(await reader.ask({ kind: 'query', statement: { sql, params } })).rows,
    transaction: (work) => {
      const turn = exclusive.then(() => runTransaction(writer, work))
      exclusive = turn.catch(() => {})
      return turn
    },
    backup: async (path) => {
      await reader.ask({ kind: 'backup', path })
    },
    check: async () =>
      first(await reader.ask({ kind: 'check' }))
        .rows.map((row) => String(Object.values(row)[0]))
        .filter((line) => line !== 'ok'),
    checkpoint: async () => {
      await writer.ask({ kind: 'checkpoint' })
    },
    close: () => {
      closing ??= exclusive.then(async () => {
        if (reader !== writer) await reader.close()
        await writer.close()
      })
      return closing
    },
  }
}

async function runTransaction<T>(thread: Thread, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  await thread.ask({ kind: 'begin' })
  try {
    const value = await work({
      query: async (sql, params = []) => first(await thread.ask({ kind: 'within', statement: { sql, params } })),
    })
    await thread.ask({ kind: 'end', commit: true })
    return value
  } catch (error) {
    await thread.ask({ kind: 'end', commit: false })
    throw error
  }
}

function resultOf(changes: number, lastInsertRowid = 0): Result {
  return { rows: [], changes, lastInsertRowid }
}

function first(results: readonly Result[]): Result {
  return results[0] ?? { rows: [], changes: 0, lastInsertRowid: 0 }
}

type Ask = WorkerRequest extends infer Request ? (Request extends { id: number } ? Omit<Request, 'id'> : never) : never

interface Thread {
  ask(request: Ask): Promise<readonly Result[]>
  close(): Promise<void>
}

const mostUnderWay = 2
/** A turn of the event loop in which much comes at once lasts longer than a commit; then nothing waits for its end. */
const LONG_TURN_MS = 2

async function openThread(setup: Omit<WorkerSetup, 'port'>): Promise<Thread> {
  const { port1: port, port2: far } = new MessageChannel()
  const worker = startWorker(import.meta.url, 'database-worker', {
    workerData: { ...setup, port: far } satisfies WorkerSetup,
    transferList: [far],
    name: setup.readOnly ? 'database-reader' : 'database-writer',
  })
  const waiting = new Map<number, { resolve(results: readonly Result[]): void; reject(error: LabError): void }>()
  let nextId = 1
  let ended: LabError | undefined
  const fail = (error: LabError) => {
    ended ??= error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  await new Promise<void>((resolve, reject) => {
    port.once('message', (message: WorkerReady) => {
      if (message.ready) resolve()
      else reject(toLabError(message.failure, setup.path))
    })
    worker.once('error', (cause) => reject(unusable(setup.path, cause)))
  })
  const hear = (replies: readonly WorkerReply[]) => {
    heardAt = performance.now()
    for (const reply of replies) {
      const asker = waiting.get(reply.id)
      waiting.delete(reply.id)
      if ('failure' in reply) asker?.reject(toLabError(reply.failure, setup.path))
      else if ('changes' in reply)
        asker?.resolve(reply.changes.map((changes, at) => resultOf(changes, reply.rowids[at])))
      else asker?.resolve(reply.results)
    }
    settled()
    if (waiting.size > 0) return
    worker.unref()
    port.unref()
  }
  port.on('message', hear)
  worker.on('error', (cause) => fail(unusable(setup.path, cause)))
  worker.on('exit', () => fail(closed(setup.path)))
  worker.unref()
  port.unref()
  // What is asked for in one turn of the event loop travels as one message, and its writes share a commit.
  const packer = new Packer()
  let outgoing: WorkerMessage[] = []
  let lastWrite = 0
  const transfer: ArrayBuffer[] = []
  const flushWrites = () => {
    if (packer.empty) return
    const packed = packer.take()
    outgoing.push(packed.message)
    transfer.push(...packed.transfer)
  }
  // The thread takes what has come while it commits only after that: more than one message ahead would cost a wake-up
  // each and gain nothing. Other requests never wait here: a transaction's end may be what the writes wait for.
  const underWay: number[] = []
  let scheduled = false
  const schedule = () => {
    if (scheduled) return
    scheduled = true
    setImmediate(send)
  }
  const settled = () => {
    for (let at = underWay.length - 1; at >= 0; at--) if (!waiting.has(underWay[at] ?? 0)) underWay.splice(at, 1)
    if (!packer.empty) send()
  }
  const send = () => {
    scheduled = false
    if (outgoing.length === 0 && (packer.empty || underWay.length >= mostUnderWay)) return
    if (!packer.empty) underWay.push(lastWrite)
    flushWrites()
    const messages = outgoing
    outgoing = []
    const moved = transfer.splice(0)
    sentAt = performance.now()
    if (ended === undefined) port.postMessage(messages, moved)
  }
  let [heardAt, sentAt] = [0, 0]
  /** In a turn that lasts, what has been asked goes out, and what was answered is heard, before all else of the turn has come. */
  const keepMoving = () => {
    const now = performance.now()
    if (waiting.size === 0 || now - heardAt < LONG_TURN_MS) return
    heardAt = now
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      hear(next.message as readonly WorkerReply[])
    }
    if (scheduled && now - sentAt >= LONG_TURN_MS) send()
  }
  const ask = (request: Ask) =>
    new Promise<readonly Result[]>((resolve, reject) => {
      if (ended !== undefined) return reject(ended)
      keepMoving()
      const id = nextId++
      if (waiting.size === 0) {
        worker.ref()
        port.ref()
      }
      waiting.set(id, { resolve, reject })
      schedule()
      if (request.kind === 'write') {
        lastWrite = id
        packer.add(id, request.statements)
        return
      }
      flushWrites()
      outgoing.push({ ...request, id } as WorkerMessage)
    })
  return {
    ask,
    close: async () => {
      if (ended !== undefined) return
      await ask({ kind: 'close' })
      ended = closed(setup.path)
      await worker.terminate()
      port.close()
    },
  }
}

function closed(path: string): LabError {
  return new LabError({ code: 'database-closed', kind: 'bug', message: `the database ${path} is closed` })
}

function unusable(path: string, cause: unknown): LabError {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new LabError({
    code: 'database-unusable',
    kind: 'configuration',
    message: `the database ${path} can't be used: ${detail}`,
    cause,
  })
}

function toLabError(failure: WorkerFailure, path: string): LabError {
  const { code, message } = failure
  if (code === 'precondition-failed') {
    return new LabError({ code, kind: 'caller', message, details: { statement: failure.statement ?? 0 } })
  }
  if (code === 'disk-full') {
    const message = 'the disk with the database is full'
    return new LabError({ code, kind: 'configuration', message, retry: 'later', details: { path } })
  }
  if (code === 'constraint-failed') return new LabError({ code, kind: 'caller', message })
  if (code === 'database-unusable') return unusable(path, message)
  return new LabError({ code: 'database-failed', kind: 'bug', message: `${message} (${path})` })
}
