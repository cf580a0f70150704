/**
 * A run as server-sent events, live and from the database.
 *
 * INVARIANTS: an event's id names all that was sent up to it: the number of its last row in `run_event` and its last document, as
 * `<event>.<attempt>.<seq>`; so a reader who comes back with it misses nothing and hears nothing twice. Nudges only say
 * that it is time to look; what is sent is read from the database. Nothing is read before the reader asked for more.
 */
import type { Data, Run } from '@fernlab/shared/contracts/api'
import type { DescriptorDoc, EventPageDoc } from '@fernlab/shared/contracts/documents'
import { isFinal, type RunState } from '@fernlab/shared/contracts/run-state'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { hasMoved, queueMs } from '../runs/moved.ts'
import type { RunChange, Runs } from '../runs/runs.ts'
import type { Store } from '../store/store.ts'
import { type Look, lookAtOnce } from './followers.ts'
import { type StreamColumn, streamColumns } from './keys.ts'
import { docIn, documentsAfter, streamsOf } from './pages.ts'
import { Reducer } from './reduce.ts'
import { describeKeys } from './results.ts'

export const pointsPerEvent = 500
/** Something is sent at least this often. */
export const heartbeatMs = 15_000
const mostDocumentsAtOnce = 64
const bytesAtOnce = 1_000_000

/** How far a reader is. */
export interface Cursor {
  readonly event: number
  readonly attempt: number
  readonly seq: number
}

const beginning: Cursor = { event: 0, attempt: 0, seq: -1 }

/** Reads a `Last-Event-ID`; the beginning for one that is none of ours. */
export function readCursor(text: string | undefined): Cursor {
  const match = /^(\d{1,15})\.(\d{1,9})\.(-1|\d{1,15})$/.exec(text ?? '')
  if (match === null) return beginning
  return { event: Number(match[1]), attempt: Number(match[2]), seq: Number(match[3]) }
}

export interface RunEventsOptions {
  readonly store: Store
  readonly runs: Pick<Runs, 'get' | 'live' | 'waitOf' | 'onChange'>
  readonly clock: Clock
  readonly run: Run
  readonly cursor: Cursor
  /** The reader is gone. */
  readonly signal: AbortSignal
  /** By which what there is is looked up; at once unless given. */
  readonly look?: Look
}

/** Yields the text of the events; ends after `end`, or when the reader is gone. */
export async function* runEvents(options: RunEventsOptions): AsyncGenerator<string, void, void> {
  const { store, runs, clock, run, signal, look = lookAtOnce } = options
  const nudges = collectNudges(options)
  const reader = createReader({ store, look, runId: run.id, start: options.cursor })
  try {
    yield 'retry: 1000\n\n'
    yield* told(await look(() => runs.get(run.id)), true, runs, run.id)
    const place = followPlace(runs, run.id, clock)
    for (;;) {
      const heard = nudges.take()
      if (heard.size === 1 && heard.has('wait')) {
        // Others moved, and this run did not: where it stands is in memory.
        yield* place.moved()
      } else {
        yield* reader.news()
        const present = await look(() => runs.get(run.id))
        if (present === undefined) return
        nudges.followQueue(present.state === 'queued')
        if (isFinal(present.state) && !(yield* lastNews(reader))) {
          yield event('end', present)
          return
        }
        yield* told(present, heard.has('wait') || heard.has('state'), runs, run.id, heard.has('progress'))
      }
      if (signal.aborted) return
      if (nudges.waiting()) continue
      const quiet = await nudges.next(clock)
      if (signal.aborted) return
      if (!quiet) continue
      yield* told(await look(() => runs.get(run.id)), true, runs, run.id)
      yield ': still here\n\n'
    }
  } finally {
    nudges.stop()
  }
}

/** Between reading the events and reading the state the last ones may have come; true when there were some. */
async function* lastNews(reader: Reader): AsyncGenerator<string, boolean, void> {
  let some = false
  for await (const text of reader.news()) {
    some = true
    yield text
  }
  return some
}

/** What may be lost: the place in the queue, and how far a running attempt is. */
function* told(
  run: Run | undefined,
  wait: boolean,
  runs: Pick<Runs, 'live'>,
  id: string,
  progress = true,
): Generator<string, void, void> {
  if (run === undefined) return
  if (wait && run.state === 'queued') {
    const { position, estimatedStart, waitReason } = run
    yield event('wait', { position, estimatedStart, reason: waitReason ?? '' })
  }
  const live = progress && run.state === 'running' ? runs.live(id) : undefined
  if (live !== undefined) {
    const { fraction, secondsLeft, step } = live
    yield event('progress', { fraction, ...(secondsLeft === undefined ? {} : { secondsLeft }), step })
  }
}

/** Tells where the run stands when that is news, and in any case so often that the reader knows of the connection. */
function followPlace(runs: Pick<Runs, 'waitOf'>, id: string, clock: Clock) {
  let last = runs.waitOf(id)
  let toldAt = clock.monotonic()
  return {
    moved: function* (): Generator<string, void, void> {
      const now = runs.waitOf(id)
      if (now === undefined) return
      if (!hasMoved(last, now) && clock.monotonic() - toldAt < heartbeatMs - queueMs) return
      last = now
      toldAt = clock.monotonic()
      yield event('wait', now)
    },
  }
}

function event(name: string, data: unknown, id?: Cursor): string {
  const line = id === undefined ? '' : `id: ${id.event}.${id.attempt}.${id.seq}\n`
  return `${line}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

interface Reader {
  /** Everything that is new in the database, in order. */
  news(): AsyncGenerator<string, void, void>
}

interface ReaderOptions {
  readonly store: Store
  readonly look: Look
  readonly runId: string
  readonly start: Cursor
}

function createReader({ store, look, runId, start }: ReaderOptions): Reader {
  let cursor = start
  /** Few where documents are large. */
  let limit = 4
  const streams = new Map<string, readonly StreamColumn[]>()

  const columnsOf = async (attempt: number, stream: string) => {
    const key = `${attempt}/${stream}`
    if (!streams.has(key)) {
      for (const { name, descriptor } of await look(() => streamsOf(store, runId, attempt))) {
        streams.set(`${attempt}/${name}`, streamColumns(descriptor))
      }
    }
    return streams.get(key) ?? []
  }

  async function* attemptDocuments(attempt: number): AsyncGenerator<string, void, void> {
    for (;;) {
      const afterSeq = cursor.attempt === attempt ? cursor.seq : -1
      const documents = await look(() => documentsAfter(store, { runId, attempt, afterSeq, limit }))
      const asked = limit
      const bytes = documents.reduce((sum, { body }) => sum + body.byteLength, 0)
      const fitting = Math.floor((bytesAtOnce * documents.length) / (bytes + 1))
      limit = Math.max(1, Math.min(mostDocumentsAtOnce, 2 * limit, fitting))
      for (const { seq, name, stream, body } of documents) {
        cursor = { event: cursor.event, attempt, seq }
        if (name === 'descriptor') {
          const doc = docIn<DescriptorDoc>(body)
          const columns = streamColumns(doc)
          streams.set(`${attempt}/${doc.stream}`, columns)
          yield event('streams', { attempt, stream: doc.stream, keys: describeKeys(columns) }, cursor)
        } else if (name === 'event_page') {
          const columns = await columnsOf(attempt, stream ?? '')
          yield event('data', { attempt, ...reducePage(docIn<EventPageDoc>(body), columns) }, cursor)
        }
      }
      if (documents.length < asked) return
    }
  }

  /** Documents of attempts up to `last` that were not sent yet. */
  async function* documents(last: number): AsyncGenerator<string, void, void> {
    const rows = await look(() =>
      store.db
        .selectFrom('attempt')
        .select('attempt')
        .where('run_id', '=', runId)
        .where('attempt', '>=', cursor.attempt)
        .where('attempt', '<=', last)
        .orderBy('attempt')
        .execute(),
    )
    for (const { attempt } of rows) yield* attemptDocuments(attempt)
  }

  return {
    news: async function* () {
      const events = await look(() =>
        store.db
          .selectFrom('run_event')
          .select(['number', 'at', 'name', 'data'])
          .where('run_id', '=', runId)
          .where('number', '>', cursor.event)
          .orderBy('number')
          .execute(),
      )
      for (const row of events) {
        const data: { attempt?: number; state?: RunState } = {
          ...(row.name === 'state' ? { at: new Date(row.at).toISOString() } : {}),
          ...JSON.parse(row.data),
        }
        const attempt = data.attempt ?? Number.POSITIVE_INFINITY
        const last = row.name === 'outputs' || (data.state !== undefined && isFinal(data.state))
        yield* documents(Math.min(last ? attempt : attempt - 1, Number.MAX_SAFE_INTEGER))
        cursor = { ...cursor, event: row.number }
        if (row.name === 'state' || row.name === 'outputs') yield event(row.name, data, cursor)
      }
      yield* documents(Number.MAX_SAFE_INTEGER)
    },
  }
}

/** A page as the page's chart takes it: at most `pointsPerEvent` rows, peaks kept. */
export function reducePage(
  page: EventPageDoc,
  columns: readonly StreamColumn[],
): { stream: string; first: number; count: number; reduced: boolean; time: number[]; columns: Data['columns'] } {
  const reducer = new Reducer({ columns, rows: page.count, points: pointsPerEvent })
  reducer.add(page)
  const { time, columns: cells, reduced } = reducer.finish()
  const { stream, first, count } = page
  return { stream, first, count, reduced, time: [...time], columns: cells as Data['columns'] }
}

function collectNudges({ runs, run, clock, signal }: RunEventsOptions) {
  let kinds = new Set<RunChange['kind'] | 'wait'>()
  let wake: (() => void) | undefined
  let queued = false
  let cancelQueue: (() => void) | undefined
  const hear = (kind: RunChange['kind'] | 'wait') => {
    kinds.add(kind)
    wake?.()
  }
  const stop = runs.onChange(({ runId, kind }) => {
    if (runId === run.id) return hear(kind)
    if (!queued || (kind !== 'state' && kind !== 'queue')) return
    // Any run that comes, starts or ends may move this one, and any bench; many at once are one move.
    cancelQueue ??= clock.after(queueMs, () => {
      cancelQueue = undefined
      hear('wait')
    })
  })
  return {
    stop: () => {
      stop()
      cancelQueue?.()
    },
    /** Whether moves of other runs matter. */
    followQueue: (follow: boolean) => {
      queued = follow
    },
    take: () => {
      const taken = kinds
      kinds = new Set()
      return taken
    },
    waiting: () => kinds.size > 0,
    /** Resolves with true when nothing happened for a heartbeat's time. */
    next: (clock: Clock) =>
      new Promise<boolean>((resolve) => {
        const done = (quiet: boolean) => {
          wake = undefined
          cancel()
          signal.removeEventListener('abort', onAbort)
          resolve(quiet)
        }
        const onAbort = () => done(false)
        const cancel = clock.after(heartbeatMs, () => done(true))
        wake = () => done(false)
        signal.addEventListener('abort', onAbort, { once: true })
      }),
  }
}
