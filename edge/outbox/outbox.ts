/**
 * What the hub must still get: documents by attempt, on disk until the hub has acknowledged them.
 *
 * INVARIANTS: a document is sent only after its commit, and deleted only after the hub acknowledged it; documents of an
 * attempt are sent in order of `seq`, without a gap; at most `WINDOW_BYTES` are sent and not acknowledged; memory is
 * bounded: what does not fit the cache is read back from disk. After `welcomed` sending goes on where the hub says it is.
 */
import type { NodeDocument } from '@fernlab/shared/contracts/documents'
import type { Inventory, Welcome } from '@fernlab/shared/contracts/sync'
import { encode } from '@fernlab/shared/links/codec'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Database, WriteStatement } from '@fernlab/shared/storage/database'
import type { FaultHook } from '../fault-point.ts'
import type { CommitKind, Journal } from '../store/journal.ts'
import { composeDocuments, MESSAGE_BYTES } from './message.ts'

type Body<D = NodeDocument> = D extends { name: infer N; doc: infer B } ? { readonly name: N; readonly doc: B } : never
export type DocumentBody = Body

type DocumentCommit = Exclude<CommitKind, 'accept' | 'other'>

export interface AttemptKey {
  readonly runId: string
  readonly attempt: number
}

export type AttemptState = 'waiting' | 'running' | 'stopped'

/** The documents of one attempt. */
export interface AttemptOutbox extends AttemptKey {
  readonly nextSeq: number
  /** Documents that are on disk. */
  readonly committed: number
  /** Rows per stream and what was moved, committed along with the next documents. */
  readonly rows: Record<string, number>
  moved: ReadonlySet<string>
  /** Whether the attempt itself is on disk; until then the hub is not told of it. */
  accepted: boolean
  /** Encodes now; resolves when on disk. `start` and `stop` change the attempt's state in the same commit. */
  append(kind: DocumentCommit, documents: readonly DocumentBody[]): Promise<void>
  below(bytes: number, abort: AbortSignal): Promise<void>
}

export interface Outbox {
  /** The outbox of an attempt; with what a former life of the node had committed. */
  open(key: AttemptKey & { readonly fence: number }, before?: Restored): AttemptOutbox
  /** Sends to the hub as of now; undefined: away. Sending begins after `welcomed`. */
  connect(send: ((message: Uint8Array) => Promise<void>) | undefined): void
  inventory(): Inventory['attempts']
  /** Takes the hub's word for what it has; answers with the attempts that the hub does not want. */
  welcomed(attempts: Welcome['attempts']): AttemptKey[]
  acknowledged(key: AttemptKey, seq: number): void
  /** Drops an attempt that the hub does not want any more. */
  forget(key: AttemptKey): void
  /** Documents that the hub has not acknowledged. */
  readonly depth: number
  has(key: AttemptKey): boolean
  close(): void
}

export interface Restored {
  readonly nextSeq: number
  readonly acknowledged: number
  readonly state: AttemptState
  readonly rows: Record<string, number>
}

export interface CreateOutboxOptions {
  readonly journal: Journal
  readonly database: Pick<Database, 'read'>
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
  /** Called when the hub owes an acknowledgement for `OVERDUE_MS`. */
  readonly onOverdue: () => void
  readonly onForgotten: (key: AttemptKey) => void
}

interface Entry extends AttemptKey {
  readonly fence: number
  state: AttemptState
  nextSeq: number
  committed: number
  sent: number
  acked: number
  readonly rows: Record<string, number>
  moved: ReadonlySet<string>
  readonly cache: Map<number, Uint8Array>
  /** What was sent and not acknowledged, in order: documents below `upTo`, so many bytes. */
  flight: { upTo: number; bytes: number }[]
  dropped: boolean
  accepted: boolean
}

const WINDOW_BYTES = 8 * 1024 * 1024
const CACHE_BYTES = 8 * 1024 * 1024
const OVERDUE_MS = 10_000
/** From here on the database takes buffers without copying them. */
const LARGE_BYTES = 65_536

const INSERT = 'INSERT INTO document (run_id, attempt, seq, size, bytes) VALUES (?, ?, ?, ?, ?)'
const UPDATE = 'UPDATE attempt SET next_seq = ?, rows = ?, moved = ?, state = ? WHERE run_id = ? AND attempt = ?'
const ACKNOWLEDGE = 'UPDATE attempt SET acknowledged = MAX(acknowledged, ?) WHERE run_id = ? AND attempt = ?'
const DELETE = 'DELETE FROM document WHERE run_id = ? AND attempt = ? AND seq < ?'
const FORGET = 'DELETE FROM attempt WHERE run_id = ? AND attempt = ?'

export const keyText = ({ runId, attempt }: AttemptKey): string => `${runId}/${attempt}`

export function createOutbox(options: CreateOutboxOptions): Outbox {
  const { journal, database, clock, log, faultPoint } = options
  const entries = new Map<string, Entry>()
  const ready = new Set<Entry>()
  let send: ((message: Uint8Array) => Promise<void>) | undefined
  let welcome = false
  let sending = false
  let inFlight = 0
  let cached = 0
  let depth = 0
  let progressAt = 0
  let cancelWatch: (() => void) | undefined
  let closed = false

  const uncache = (entry: Entry, below: number) => {
    for (const [seq, bytes] of entry.cache) {
      if (seq >= below) break
      cached -= bytes.byteLength
      entry.cache.delete(seq)
    }
  }

  const settleFlight = (entry: Entry) => {
    while (entry.flight[0] !== undefined && entry.flight[0].upTo <= entry.acked) {
      inFlight -= entry.flight.shift()?.bytes ?? 0
    }
  }

  const watch = () => {
    if (cancelWatch !== undefined || closed) return
    cancelWatch = clock.after(1000, () => {
      cancelWatch = undefined
      if (inFlight === 0 || !welcome) return
      if (clock.monotonic() - progressAt >= OVERDUE_MS) {
        progressAt = clock.monotonic()
        log.warn({ bytes: inFlight }, 'the hub owes acknowledgements; comparing inventories')
        options.onOverdue()
      }
      watch()
    })
  }

  /** Documents of one entry from its `sent` on, up to `room` bytes (one at least). */
  const fetch = async (entry: Entry, room: number): Promise<Uint8Array[]> => {
    const bytes: Uint8Array[] = []
    let size = 0
    for (let seq = entry.sent; seq < entry.committed; seq++) {
      const known = entry.cache.get(seq)
      if (known === undefined) break
      if (size + known.byteLength > room && size > 0) return bytes
      bytes.push(known)
      size += known.byteLength
    }
    if (bytes.length > 0) return bytes
    const sizes = await database.read(
      'SELECT seq, size FROM document WHERE run_id = ? AND attempt = ? AND seq >= ? AND seq < ? ORDER BY seq LIMIT 1000',
      [entry.runId, entry.attempt, entry.sent, entry.committed],
    )
    let upTo = entry.sent
    for (const row of sizes) {
      if (Number(row.seq) !== upTo) break
      if (size > 0 && size + Number(row.size) > room) break
      size += Number(row.size)
      upTo++
    }
    const rows = await database.read(
      'SELECT bytes FROM document WHERE run_id = ? AND attempt = ? AND seq >= ? AND seq < ? ORDER BY seq',
      [entry.runId, entry.attempt, entry.sent, upTo],
    )
    return rows.map((row) => row.bytes as Uint8Array)
  }

  const pump = async () => {
    if (sending) return
    sending = true
    // After the present turn, so that what is committed together is sent together.
    await new Promise<void>((resolve) => setImmediate(resolve))
    try {
      while (send !== undefined && welcome && !closed && ready.size > 0 && inFlight < WINDOW_BYTES) {
        const to = send
        const message: Uint8Array[] = []
        const parts: { entry: Entry; upTo: number; bytes: number }[] = []
        let size = 0
        for (const entry of ready) {
          if (entry.sent >= entry.committed) {
            ready.delete(entry) // acknowledged since it was put here
            continue
          }
          const from = entry.sent
          const found = await fetch(entry, MESSAGE_BYTES - size)
          if (send !== to || entry.dropped || entry.sent !== from) break
          const bytes = found.reduce((sum, one) => sum + one.byteLength, 0)
          if (size > 0 && size + bytes > MESSAGE_BYTES) break
          ready.delete(entry)
          if (found.length === 0) {
            log.error({ run: entry.runId, attempt: entry.attempt, seq: from }, 'a document is missing from the outbox')
            continue
          }
          message.push(...found)
          size += bytes
          entry.sent += found.length
          parts.push({ entry, upTo: entry.sent, bytes })
          if (entry.sent < entry.committed) ready.add(entry)
          if (size >= MESSAGE_BYTES || message.length >= 5000) break
        }
        if (send !== to || message.length === 0) continue
        for (const { entry, upTo, bytes } of parts) {
          uncache(entry, upTo)
          if (entry.dropped || upTo <= entry.acked) continue
          entry.flight.push({ upTo, bytes })
          if (inFlight === 0) progressAt = clock.monotonic()
          inFlight += bytes
        }
        faultPoint?.('before-send-documents')
        watch()
        await to(composeDocuments(message))
        faultPoint?.('after-send-documents')
      }
    } catch (thrown) {
      // The link broke: `connect` and `welcomed` begin again from what the hub has.
      log.debug({ error: (thrown as LabError).message }, 'documents were not sent')
      welcome = false
      if (send !== undefined) clock.after(1000, options.onOverdue)
    } finally {
      sending = false
    }
  }

  const kick = (entry: Entry) => {
    if (entry.sent < entry.committed && !entry.dropped) ready.add(entry)
    if (ready.size > 0 && welcome && send !== undefined) void pump()
  }

  const remove = (entry: Entry) => {
    entry.dropped = true
    uncache(entry, Number.POSITIVE_INFINITY)
    for (const { bytes } of entry.flight) inFlight -= bytes
    entry.flight = []
    ready.delete(entry)
    depth -= entry.nextSeq - entry.acked
    entries.delete(keyText(entry))
    journal.later({ sql: DELETE, params: [entry.runId, entry.attempt, Number.MAX_SAFE_INTEGER] })
    journal.later({ sql: FORGET, params: [entry.runId, entry.attempt] })
    options.onForgotten(entry)
  }

  const acknowledge = (entry: Entry, seq: number) => {
    const upTo = Math.min(seq, entry.committed)
    if (upTo > entry.acked) {
      depth -= upTo - entry.acked
      entry.acked = upTo
      if (entry.sent < upTo) entry.sent = upTo
      uncache(entry, upTo)
      settleFlight(entry)
      progressAt = clock.monotonic()
      faultPoint?.('after-acknowledge')
      if (entry.state !== 'stopped' || entry.acked < entry.nextSeq) {
        journal.later({ sql: DELETE, params: [entry.runId, entry.attempt, upTo] })
        journal.later({ sql: ACKNOWLEDGE, params: [upTo, entry.runId, entry.attempt] })
      }
    }
    if (entry.state === 'stopped' && entry.acked >= entry.nextSeq && entry.committed === entry.nextSeq) remove(entry)
  }

  const append = (entry: Entry, kind: DocumentCommit, documents: readonly DocumentBody[]): Promise<void> => {
    if (entry.dropped) return Promise.resolve()
    const { runId, attempt } = entry
    const encoded = documents.map((document, i) => {
      const seq = entry.nextSeq + i
      const shared = encode({ runId, attempt, seq, name: document.name, doc: document.doc })
      return { seq, bytes: shared }
    })
    entry.nextSeq += documents.length
    depth += documents.length
    if (kind === 'start') entry.state = 'running'
    if (kind === 'stop') entry.state = 'stopped'
    const update: WriteStatement = {
      sql: UPDATE,
      params: [
        entry.nextSeq,
        JSON.stringify(entry.rows),
        JSON.stringify([...entry.moved]),
        entry.state,
        runId,
        attempt,
      ],
    }
    const size = encoded.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
    // Made anew at each try: large buffers move to the database's thread and are gone here; small ones share a pool.
    const statements = (): WriteStatement[] => {
      const row = ({ seq, bytes }: { seq: number; bytes: Uint8Array }) => [
        runId,
        attempt,
        seq,
        bytes.byteLength,
        bytes.byteLength < LARGE_BYTES ? bytes : new Uint8Array(bytes),
      ]
      return [...encoded.map((one) => ({ sql: INSERT, params: row(one) })), update]
    }
    return journal.append(kind, statements, size).then(() => {
      if (entry.dropped) {
        journal.later({ sql: DELETE, params: [runId, attempt, Number.MAX_SAFE_INTEGER] })
        return
      }
      for (const { seq, bytes } of encoded) {
        entry.committed = seq + 1
        if (seq < entry.sent || cached + bytes.byteLength > CACHE_BYTES) continue
        entry.cache.set(seq, bytes)
        cached += bytes.byteLength
      }
      kick(entry)
    })
  }

  return {
    open: ({ runId, attempt, fence }, before) => {
      const entry: Entry = {
        runId,
        attempt,
        fence,
        state: before?.state ?? 'waiting',
        nextSeq: before?.nextSeq ?? 0,
        committed: before?.nextSeq ?? 0,
        sent: before?.acknowledged ?? 0,
        acked: before?.acknowledged ?? 0,
        rows: before?.rows ?? {},
        moved: new Set(),
        cache: new Map(),
        flight: [],
        dropped: false,
        accepted: false,
      }
      entries.set(keyText(entry), entry)
      depth += entry.nextSeq - entry.acked
      kick(entry)
      return {
        runId,
        attempt,
        get nextSeq() {
          return entry.nextSeq
        },
        get committed() {
          return entry.committed
        },
        rows: entry.rows,
        get moved() {
          return entry.moved
        },
        set moved(moved) {
          entry.moved = moved
        },
        get accepted() {
          return entry.accepted
        },
        set accepted(accepted) {
          entry.accepted = accepted
        },
        append: (kind, documents) => append(entry, kind, documents),
        below: (bytes, abort) => journal.below(bytes, abort),
      }
    },
    connect: (next) => {
      send = next
      welcome = false
    },
    inventory: () =>
      [...entries.values()]
        .filter(({ accepted }) => accepted)
        .map(({ runId, attempt, fence, state, committed, acked }) => ({
          runId,
          attempt,
          fence,
          state,
          nextSeq: committed,
          firstHeld: acked,
        })),
    welcomed: (attempts) => {
      const unwanted: AttemptKey[] = []
      for (const known of attempts) {
        const entry = entries.get(keyText(known))
        if (entry === undefined) continue
        if (!known.wanted) unwanted.push({ runId: known.runId, attempt: known.attempt })
        else if (known.seq < entry.acked) {
          log.error(
            { run: known.runId, hub: known.seq, node: entry.acked },
            'the hub has lost documents that it had acknowledged',
          )
        } else acknowledge(entry, known.seq)
      }
      welcome = true
      inFlight = 0
      for (const entry of entries.values()) {
        entry.flight = []
        entry.sent = entry.acked
        if (entry.committed > entry.acked) ready.add(entry)
      }
      if (ready.size > 0) void pump()
      return unwanted
    },
    acknowledged: (key, seq) => {
      const entry = entries.get(keyText(key))
      if (entry === undefined) return
      acknowledge(entry, seq)
      kick(entry)
    },
    forget: (key) => {
      const entry = entries.get(keyText(key))
      if (entry !== undefined) remove(entry)
    },
    get depth() {
      return depth
    },
    has: (key) => entries.has(keyText(key)),
    close: () => {
      closed = true
      cancelWatch?.()
    },
  }
}
