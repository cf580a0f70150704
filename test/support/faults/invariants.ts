/** What must hold of every accepted run, read from the hub's own database and from its API. */
import { readFileSync } from 'node:fs'
import type { NodeDocument, StopDoc } from '@fernlab/shared/contracts/documents'
import { finalStates, type RunState } from '@fernlab/shared/contracts/run-state'
import { decode } from '@fernlab/shared/links/codec'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import * as assert from 'uvu/assert'
import type { HubClient } from './hub-client.ts'
import { query } from './query.ts'

export interface AttemptRecord {
  readonly attempt: number
  /** How it ended for the hub, and when (epoch ms). */
  readonly state: string
  readonly endedAt: number
  /** Documents below it are here, by the hub's own count. */
  readonly nextSeq: number
  readonly documents: readonly NodeDocument[]
}

export interface RunRecord {
  readonly id: string
  readonly state: RunState
  readonly reason: string | null
  readonly restart: 'safe' | 'never'
  /** States in the order in which the hub committed them. */
  readonly history: readonly RunState[]
  /** Those that the node took: one that it refused has no documents, and is not among them. */
  readonly attempts: readonly AttemptRecord[]
}

/** Reads one run with everything that belongs to it out of the hub's database file. */
export async function readRun(databasePath: string, id: string): Promise<RunRecord | undefined> {
  const [[run] = [], events = [], tries = [], rows = []] = await query(databasePath, [
    { sql: 'SELECT id, state, reason, restart FROM run WHERE id = ?', params: [id] },
    { sql: "SELECT data FROM run_event WHERE run_id = ? AND name = 'state' ORDER BY number", params: [id] },
    { sql: 'SELECT attempt, state, ended_at, next_seq FROM attempt WHERE run_id = ? ORDER BY attempt', params: [id] },
    { sql: 'SELECT attempt, seq, name, body FROM document WHERE run_id = ? ORDER BY attempt, seq', params: [id] },
  ])
  if (run === undefined) return undefined
  const attempts = tries.map(({ attempt, state, ended_at, next_seq }) => ({
    attempt: Number(attempt),
    state: String(state),
    endedAt: Number(ended_at),
    nextSeq: Number(next_seq),
    documents: rows
      .filter((row) => row.attempt === attempt)
      .map(
        ({ seq, name, body }) => ({ runId: id, attempt, seq, name, doc: decode(body as Uint8Array) }) as NodeDocument,
      ),
  }))
  return {
    id,
    state: run.state as RunState,
    reason: run.reason as string | null,
    restart: run.restart as 'safe' | 'never',
    history: events.map(({ data }) => (JSON.parse(String(data)) as { state: RunState }).state),
    attempts: attempts.filter(({ state, documents }) => state !== 'refused' || documents.length > 0),
  }
}

/** Fails unless the run ended exactly once and each attempt's documents are whole, single, in order and end in its stop. */
export function assertRunIsSound(run: RunRecord | undefined, id: string): asserts run is RunRecord {
  assert.ok(run, `run ${id} was accepted and is gone`)
  const finals = run.history.filter((state) => (finalStates as readonly string[]).includes(state))
  assert.is(finals.length, 1, `run ${id} ended ${finals.length} times: ${run.history.join(' → ')}`)
  assert.is(run.history.at(-1), run.state, `run ${id}: history ends in ${run.history.at(-1)}, the run is ${run.state}`)
  const last = run.attempts.at(-1)
  for (const attempt of run.attempts) {
    assertDocumentsAreSound(`${id}/${attempt.attempt}`, attempt.documents)
    assertAttemptIsWhole(`${id}/${attempt.attempt}`, attempt, attempt === last ? run.reason : null)
  }
}

/** The clocks of hub and node are compared as exactly; an attempt that a stop document ends has ended when that says. */
const leastUntoldMs = 100

/** Without its stop document an attempt was lost: the hub ended it because the node knew nothing of it any more. */
function assertAttemptIsWhole(
  name: string,
  { state, endedAt, nextSeq, documents }: AttemptRecord,
  reason: string | null,
): void {
  const stop = stopOf(documents)
  assert.ok(stop, `${name} is ${state} without a stop document: it was lost`)
  assert.is(nextSeq, documents.length, `${name}: the hub counts ${nextSeq} documents, ${documents.length} are here`)
  // Of an attempt that was asked to end, an interruption is the end that was asked for.
  const asked = state === 'cancelled' && stop.state === 'interrupted'
  const madeRoom = state === 'bumped' && (stop.state === 'interrupted' || stop.state === 'cancelled')
  // Nothing that its person did: the attempt is not told as failed.
  const brokeDown = (state === 'broken' || state === 'unready') && stop.state === 'failed'
  // The hub ended the session before its node had told of an end, which came later and says what became of it there.
  const saysSo =
    /went out of use|broke down|can not be reached/.test(reason ?? '') &&
    ['cancelled', 'interrupted', 'failed'].includes(stop.state)
  const untold =
    (state === 'interrupted' || state === 'failed') && (saysSo || Math.abs(endedAt - stop.time * 1000) > leastUntoldMs)
  assert.ok(
    asked || madeRoom || brokeDown || untold || stop.state === state,
    `${name} is ${state}, its stop document says ${stop.state}`,
  )
}

/** The stop document that ends the attempt. */
export function stopOf(documents: readonly NodeDocument[] | undefined): StopDoc | undefined {
  const last = documents?.at(-1)
  return last?.name === 'stop' ? last.doc : undefined
}

/** Rows that the stop document counts in all streams. */
export function rowsOf(stop: StopDoc | undefined): number {
  return Object.values(stop?.rows ?? {}).reduce((sum, rows) => sum + rows, 0)
}

function assertDocumentsAreSound(name: string, documents: readonly NodeDocument[]): void {
  assert.equal(
    documents.map(({ seq }) => seq),
    documents.map((_, at) => at),
    `${name}: documents are lost, doubled or out of order`,
  )
  assert.is(documents[0]?.name, 'start', `${name} does not begin with its start document`)
  const rows: Record<string, number> = {}
  const described = new Set<string>()
  documents.forEach((document, at) => {
    if (document.name === 'descriptor') {
      described.add(document.doc.stream)
      rows[document.doc.stream] ??= 0
    }
    if (document.name === 'event_page') {
      const { stream, first, count, time, columns } = document.doc
      assert.ok(described.has(stream), `${name}: a page of ${stream} before its descriptor`)
      assert.is(first, rows[stream], `${name}: rows of ${stream} are missing or doubled at document ${at}`)
      assert.is(time.length, count, `${name}: document ${at} has ${time.length} times for ${count} rows`)
      for (const [key, column] of Object.entries(columns)) assert.is(column.length, count, `${name}: ${key} at ${at}`)
      rows[stream] = first + count
    }
    if (document.name === 'stop') {
      assert.is(at, documents.length - 1, `${name}: documents after the stop document`)
      assertCounts(name, document.doc, at, rows)
    }
  })
}

function assertCounts(name: string, stop: StopDoc, before: number, rows: Readonly<Record<string, number>>): void {
  assert.is(stop.documents, before, `${name}: the stop document counts ${stop.documents} documents, ${before} are here`)
  const here = Object.fromEntries(Object.entries(rows).filter(([, count]) => count > 0))
  const counted = Object.fromEntries(Object.entries(stop.rows).filter(([, count]) => count > 0))
  assert.equal(counted, here, `${name}: rows in the stop document and rows that are here`)
}

/** Samples of a ramp source carry their number: fails when one is missing, doubled or out of order. */
export function assertNumbered(run: RunRecord, stream: string, key: string): number {
  const last = run.attempts.at(-1)
  let next = 0
  for (const document of last?.documents ?? []) {
    if (document.name !== 'event_page' || document.doc.stream !== stream) continue
    for (const value of document.doc.columns[key] ?? []) {
      assert.is(value, next, `${run.id}: sample ${next} of ${key}`)
      next += 1
    }
  }
  return next
}

const schemaOf = {
  start: 'run_start',
  descriptor: 'event_descriptor',
  event_page: 'event_page',
  stop: 'run_stop',
} as const

/** Fails unless the documents that the API gives out are valid by the event model's own schemas. */
export async function assertEventModel(client: HubClient, id: string): Promise<void> {
  const text = await client.get<string>(`/api/v1/runs/${id}/documents`)
  const lines = text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
  for (const line of lines) {
    const { name, doc } = JSON.parse(line) as { name: keyof typeof schemaOf; doc: unknown }
    const validate = validatorOf(schemaOf[name])
    assert.ok(validate(doc), `${id} ${name}: ${JSON.stringify(validate.errors)}`)
  }
}

const ajv = new Ajv2020({ strict: false })
function validatorOf(name: string): ValidateFunction {
  const known = ajv.getSchema(name)
  if (known !== undefined) return known
  const path = new URL(`../../../shared/schemas/event-model/${name}.json`, import.meta.url)
  ajv.addSchema(JSON.parse(readFileSync(path, 'utf8')), name)
  return ajv.getSchema(name) as ValidateFunction
}
