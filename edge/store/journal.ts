/**
 * The node's writes, committed in groups.
 *
 * INVARIANTS: statements take effect in the order they were given; one group is on its way at a time and all that is
 * given meanwhile shares the next; `append` is never dropped: when the disk refuses (full, I/O error) it is kept in
 * memory and tried again until it succeeds or the journal closes; `attempt` is refused instead; nothing that keeps a
 * bench safe waits for anything here.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Database, SqlValue, WriteStatement } from '@fernlab/shared/storage/database'
import type { FaultHook, FaultPoint } from '../fault-point.ts'

export type CommitKind = 'accept' | 'start' | 'page' | 'picture' | 'stop' | 'other'

interface Entry {
  readonly kind: CommitKind
  readonly statements: () => readonly WriteStatement[]
  readonly bytes: number
  readonly required: boolean
  readonly resolve: () => void
  readonly reject: (error: LabError) => void
}

export interface Journal {
  /** Resolves when on disk, however long the disk refuses; rejects only when the journal closes first. */
  append(kind: CommitKind, statements: () => readonly WriteStatement[], bytes?: number): Promise<void>
  /** Resolves when on disk; rejects with code `disk-full` or `database-failed` when the disk refuses. */
  attempt(kind: CommitKind, statements: () => readonly WriteStatement[]): Promise<void>
  /** Rides along with the next commit, or makes one after 200 ms; may be lost in a crash, and at the end. */
  later(statement: WriteStatement): void
  /** Bytes of documents that wait to be on disk. */
  readonly pendingBytes: number
  /** Resolves when less than `bytes` wait; rejects when aborted. */
  below(bytes: number, signal: AbortSignal): Promise<void>
  /** Why the disk refuses at present. */
  readonly trouble: LabError | undefined
  onTrouble(listener: (trouble: LabError | undefined) => void): void
  /** Writes what waits, for at most 2 s. */
  close(): Promise<void>
}

/** Tells whether the disk takes writes again when nothing else waits. */
const PROBE: WriteStatement = {
  sql: "INSERT INTO bench (name, fence) VALUES ('', 1) ON CONFLICT (name) DO UPDATE SET fence = fence + 1",
}
const GROUP_BYTES = 8 * 1024 * 1024
const GROUP_ENTRIES = 2000
const RETRY_MS = 1000
const LATER_MS = 200
const CLOSE_MS = 2000

export interface JournalOptions {
  readonly database: Pick<Database, 'write'>
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook
}

/** A journal over the database; the caller closes the database after it. */
export function createJournal({ database, clock, log, faultPoint }: JournalOptions): Journal {
  let waiting: Entry[] = []
  let riders: WriteStatement[] = []
  let pendingBytes = 0
  let working: Promise<void> | undefined
  let trouble: LabError | undefined
  let cancelRider: (() => void) | undefined
  let closed = false
  const stopRetrying = new AbortController()
  const listeners: ((trouble: LabError | undefined) => void)[] = []
  const thirsty = new Set<() => void>()

  const setTrouble = (next: LabError | undefined) => {
    if (trouble?.code === next?.code) return
    trouble = next
    if (next === undefined) log.info({}, 'the disk takes writes again')
    else
      log.error({ code: next.code, error: next.message }, 'the disk refuses writes; what was recorded waits in memory')
    for (const listener of listeners) listener(next)
  }

  const point = (when: 'before' | 'after', group: readonly Entry[]) => {
    if (faultPoint === undefined) return
    for (const kind of new Set(group.map((entry) => entry.kind))) {
      if (kind !== 'other') faultPoint(`${when}-${kind}-commit` as FaultPoint)
    }
  }

  const takeGroup = (): Entry[] => {
    let bytes = 0
    let count = 0
    for (const entry of waiting) {
      if (count > 0 && (bytes + entry.bytes > GROUP_BYTES || count >= GROUP_ENTRIES)) break
      bytes += entry.bytes
      count++
    }
    return waiting.splice(0, count)
  }

  const work = async () => {
    while (waiting.length > 0 || riders.length > 0) {
      const group = takeGroup()
      const along = riders
      riders = []
      cancelRider?.()
      cancelRider = undefined
      point('before', group)
      try {
        await database.write(byStatement([...group.flatMap((entry) => entry.statements()), ...along]))
      } catch (thrown) {
        const error = asLabError(thrown)
        setTrouble(error)
        riders = along.length > 0 || riders.length > 0 ? [...along, ...riders] : [PROBE]
        const kept: Entry[] = []
        for (const entry of group) {
          if (entry.required) kept.push(entry)
          else entry.reject(error)
        }
        waiting = [...kept, ...waiting]
        try {
          await clock.sleep(RETRY_MS, stopRetrying.signal)
        } catch {
          break // closing: what could not be written is found missing at the next start, and the attempt interrupted
        }
        continue
      }
      point('after', group)
      setTrouble(undefined)
      for (const entry of group) {
        pendingBytes -= entry.bytes
        entry.resolve()
      }
      for (const wake of [...thirsty]) wake()
    }
    working = undefined
  }

  const kick = () => {
    // Two turns of the loop later, so that what arrives together, and what that leads to at once, is committed together.
    working ??= new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve))).then(work)
  }

  const add = (kind: CommitKind, statements: () => readonly WriteStatement[], bytes: number, required: boolean) =>
    new Promise<void>((resolve, reject) => {
      if (closed) return reject(closedError())
      if (!required && trouble !== undefined) return reject(trouble)
      pendingBytes += bytes
      waiting.push({ kind, statements, bytes, required, resolve, reject })
      kick()
    })

  return {
    append: (kind, statements, bytes = 0) => add(kind, statements, bytes, true),
    attempt: (kind, statements) => add(kind, statements, 0, false),
    later: (statement) => {
      if (closed) return
      riders.push(statement)
      if (working === undefined) cancelRider ??= clock.after(LATER_MS, kick)
    },
    get pendingBytes() {
      return pendingBytes
    },
    below: (bytes, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        if (pendingBytes < bytes) return resolve()
        const onAbort = () => {
          thirsty.delete(look)
          reject(signal.reason)
        }
        const look = () => {
          if (pendingBytes >= bytes) return
          thirsty.delete(look)
          signal.removeEventListener('abort', onAbort)
          resolve()
        }
        thirsty.add(look)
        signal.addEventListener('abort', onAbort, { once: true })
      }),
    get trouble() {
      return trouble
    },
    onTrouble: (listener) => void listeners.push(listener),
    close: async () => {
      if (closed) return
      closed = true
      cancelRider?.()
      if (riders.length > 0) kick()
      if (trouble !== undefined) stopRetrying.abort(closedError())
      let cancel = () => {}
      await Promise.race([
        working,
        new Promise<void>((resolve) => {
          cancel = clock.after(CLOSE_MS, resolve)
        }),
      ])
      cancel()
      stopRetrying.abort(closedError())
      for (const entry of waiting.splice(0)) entry.reject(closedError())
    },
  }
}

/**
 * The same statements with those of equal text together, each prepared and bound in one go. Safe because no statement
 * here depends on one of other text that comes after it: rows are inserted, then updated, then deleted.
 */
function byStatement(statements: readonly WriteStatement[]): WriteStatement[] {
  const groups = new Map<string, (readonly SqlValue[])[]>()
  for (const { sql, params = [] } of statements) {
    const rows = groups.get(sql)
    if (rows === undefined) groups.set(sql, [params])
    else rows.push(params)
  }
  return [...groups].map(([sql, rows]) => ({ sql, rows }))
}

function closedError(): LabError {
  return new LabError({ code: 'node-closing', kind: 'link', retry: 'later', message: 'the node is shutting down' })
}
