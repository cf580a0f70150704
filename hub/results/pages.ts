/** Reading a run's documents from the store, a few at a time. */
import type {
  DescriptorDoc,
  EventPageDoc,
  NodeDocument,
  PictureDoc,
  StartDoc,
  StopDoc,
} from '@fernlab/shared/contracts/documents'
import { decode } from '@fernlab/shared/links/codec'
import { sql } from 'kysely'
import type { Store } from '../store/store.ts'
import { cut } from './cut.ts'
import type { PicturesTaken } from './pictures-taken.ts'
import type { TimeWindow } from './reduce.ts'

/** About so many rows are read at once: some MB. */
const rowsAtOnce = 65_536
const mostPagesAtOnce = 256
const nothing = new Uint8Array()

export interface Stream {
  readonly name: string
  /** Place of its descriptor among the attempt's documents. */
  readonly seq: number
  readonly descriptor: DescriptorDoc
}

export interface StoredDocument {
  readonly seq: number
  readonly name: NodeDocument['name']
  readonly stream: string | null
  readonly first_row: number | null
  readonly body: Uint8Array
}

/** The content of a stored document: bodies hold the node's message, or its `doc` alone. */
export function docIn<Doc extends object>(body: Uint8Array): Doc {
  const value = decode(body) as Doc | { doc: Doc }
  return 'doc' in value ? (value.doc as Doc) : (value as Doc)
}

/** The latest attempt that has documents; undefined when none has. */
export async function latestAttempt(store: Store, runId: string): Promise<number | undefined> {
  const row = await store.db
    .selectFrom('document')
    .select('attempt')
    .where('run_id', '=', runId)
    .orderBy('attempt', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.attempt
}

/** The streams of an attempt in the order in which they began. */
export async function streamsOf(store: Store, runId: string, attempt: number): Promise<Stream[]> {
  const rows = await store.db
    .selectFrom('document')
    .select(['seq', 'body'])
    .where('run_id', '=', runId)
    .where('attempt', '=', attempt)
    .where('name', '=', 'descriptor')
    .orderBy('seq')
    .execute()
  const streams = new Map<string, Stream>()
  for (const { seq, body } of rows) {
    const descriptor = docIn<DescriptorDoc>(body)
    streams.set(descriptor.stream, { name: descriptor.stream, seq, descriptor })
  }
  return [...streams.values()]
}

/** The start document; undefined while there is none. */
export async function startOf(store: Store, runId: string, attempt: number): Promise<StartDoc | undefined> {
  const row = await one(store, runId, attempt, 'start')
  return row === undefined ? undefined : docIn<StartDoc>(row.body)
}

/** The stop document; undefined while there is none. */
export async function stopOf(store: Store, runId: string, attempt: number): Promise<StopDoc | undefined> {
  const row = await one(store, runId, attempt, 'stop')
  return row === undefined ? undefined : docIn<StopDoc>(row.body)
}

async function one(store: Store, runId: string, attempt: number, name: 'start' | 'stop') {
  return store.db
    .selectFrom('document')
    .select('body')
    .where('run_id', '=', runId)
    .where('attempt', '=', attempt)
    .where('name', '=', name)
    .executeTakeFirst()
}

/** The rows of each stream of an attempt, in the order in which they began. */
export async function rowsOf(store: Store, runId: string, attempt: number): Promise<Record<string, number>> {
  const streams = await streamsOf(store, runId, attempt)
  const counted = streams.map(async ({ name: stream }) => [stream, await countRows(store, { runId, attempt, stream })])
  return Object.fromEntries(await Promise.all(counted))
}

/** Rows that a stream has on the hub; while its run goes on, more may come. */
export async function countRows(store: Store, key: StreamKey): Promise<number> {
  return sum(pagesOf(store, key))
}

/** How many of the stream's first `rows` rows are in the window. */
export async function countInWindow(store: Store, key: StreamKey, rows: number, window: TimeWindow): Promise<number> {
  const { from, to } = window
  if (from === undefined && to === undefined) return rows
  const pages = () => pagesOf(store, key, window).where('first_row', '<', rows)
  const overlapping = await sum(pages())
  // Times grow within a stream, so at most the first and the last page are cut.
  const edges = await pages()
    .select('body')
    .where(({ or, eb }) =>
      or([
        ...(from === undefined ? [] : [eb('first_time', '<', from)]),
        ...(to === undefined ? [] : [eb('last_time', '>', to)]),
      ]),
    )
    .execute()
  const outside = edges.reduce((sum, { body }) => {
    const page = docIn<EventPageDoc>(body)
    return sum + page.count - cut(page, window).count
  }, 0)
  return overlapping - outside
}

async function sum(pages: ReturnType<typeof pagesOf>): Promise<number> {
  const row = await pages.select(({ fn }) => [fn.sum<number | null>('row_count').as('rows')]).executeTakeFirst()
  return Number(row?.rows ?? 0)
}

interface StreamKey {
  readonly runId: string
  readonly attempt: number
  readonly stream: string
}

function pagesOf(store: Store, { runId, attempt, stream }: StreamKey, window: TimeWindow = {}) {
  const { from, to } = window
  return store.db
    .selectFrom('document')
    .where('run_id', '=', runId)
    .where('attempt', '=', attempt)
    .where('stream', '=', stream)
    .where('name', '=', 'event_page')
    .$if(from !== undefined, (query) =>
      query.where(({ or, eb }) => or([eb('last_time', 'is', null), eb('last_time', '>=', from ?? 0)])),
    )
    .$if(to !== undefined, (query) =>
      query.where(({ or, eb }) => or([eb('first_time', 'is', null), eb('first_time', '<=', to ?? 0)])),
    )
}

/** The bodies of a stream's pages in order of rows up to `rows`, some MB at a time; each may be given away. */
export async function* pageBodies(
  store: Store,
  key: StreamKey,
  rows: number,
  window: TimeWindow = {},
): AsyncGenerator<Uint8Array[]> {
  let after = -1
  let limit = 1
  for (;;) {
    const found = await pagesOf(store, key, window)
      .select(['first_row', 'row_count', 'body'])
      .where('first_row', '>', after)
      .where('first_row', '<', rows)
      .orderBy('first_row')
      .limit(limit)
      .execute()
    if (found.length === 0) return
    const count = found.reduce((sum, row) => sum + (row.row_count ?? 0), 0)
    after = found.at(-1)?.first_row ?? after
    const average = Math.max(1, count / found.length)
    limit = Math.max(1, Math.min(mostPagesAtOnce, Math.floor(rowsAtOnce / average)))
    yield found.map((row) => row.body)
  }
}

/** Documents of an attempt after `afterSeq`, in order, with their bodies, but for those of pictures; at most `limit`. */
export async function documentsAfter(
  store: Store,
  key: { runId: string; attempt: number; afterSeq: number; limit: number },
): Promise<StoredDocument[]> {
  return store.db
    .selectFrom('document')
    .select(['seq', 'name', 'stream', 'first_row'])
    .select(({ eb }) => eb.case().when('name', '=', 'picture').then(nothing).else(eb.ref('body')).end().as('body'))
    .where('run_id', '=', key.runId)
    .where('attempt', '=', key.attempt)
    .where('seq', '>', key.afterSeq)
    .orderBy('seq')
    .limit(key.limit)
    .execute()
}

/** What of pictures an attempt has here; their bytes as they are stored. */
export async function picturesTaken(store: Store, runId: string, attempt: number): Promise<PicturesTaken> {
  const rows = await store.db
    .selectFrom('document')
    .select(['stream', sql<number>`max(first_row)`.as('newest')])
    .select([sql<number>`count(*)`.as('count'), sql<number>`sum(length(body))`.as('bytes')])
    .where('run_id', '=', runId)
    .where('attempt', '=', attempt)
    .where('name', '=', 'picture')
    .groupBy('stream')
    .execute()
  return {
    count: rows.reduce((sum, { count }) => sum + count, 0),
    bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
    newest: Object.fromEntries(rows.map(({ stream, newest }) => [stream, newest])),
  }
}

/** The file of the picture in row `number` of the stream; undefined where there is none. */
export async function pictureIn(store: Store, key: StreamKey, number: number): Promise<Uint8Array | undefined> {
  const row = await store.db
    .selectFrom('document')
    .select('body')
    .where('run_id', '=', key.runId)
    .where('attempt', '=', key.attempt)
    .where('stream', '=', key.stream)
    .where('first_row', '=', number)
    .where('name', '=', 'picture')
    .executeTakeFirst()
  return row === undefined ? undefined : docIn<PictureDoc>(row.body).jpeg
}
