import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type Store } from '@fernlab/hub/store/store'
import type { Run } from '@fernlab/shared/contracts/api'
import type { NodeDocument } from '@fernlab/shared/contracts/documents'
import { encode } from '@fernlab/shared/links/codec'
import { newId } from '@fernlab/shared/primitives/ids'
import { silentLog } from '@fernlab/shared/primitives/log'

export const startTime = 1_790_000_000

/** A store in a folder of its own. */
export async function temporaryStore(): Promise<{ store: Store; folder: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-store-'))
  const store = await openStore({ url: `sqlite:${join(folder, 'hub.db')}`, log: silentLog })
  return {
    store,
    folder,
    close: async () => {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A finished run as the API shows it, also put into the table. */
export async function storeRun(store: Store, change: Partial<Run> = {}): Promise<Run> {
  const run: Run = {
    id: newId(startTime * 1000),
    state: 'succeeded',
    attempt: 1,
    lab: 'rc-circuit',
    labVersion: 1,
    protocol: 'charge-curve',
    protocolDigest: 'd'.repeat(64),
    restart: 'never',
    bench: 'demo.rc-1',
    parameters: { voltage: 5 },
    person: { id: 'person-1', name: 'Ada' },
    priority: 5,
    createdAt: new Date(startTime * 1000).toISOString(),
    cancelRequested: false,
    outputs: { tau: { value: 1.002, unit: 's', uncertainty: 0.004 } },
    missingOutputs: {},
    rows: {},
    ...change,
  }
  await store.write([
    store.db.insertInto('run').values({
      id: run.id,
      person_id: run.person.id,
      lab: run.lab,
      lab_version: run.labVersion,
      protocol: run.protocol,
      protocol_digest: run.protocolDigest,
      restart: run.restart,
      parameters: JSON.stringify(run.parameters),
      note: run.note ?? null,
      wanted_bench: null,
      priority: run.priority,
      state: run.state,
      attempt: run.attempt,
      bench: run.bench,
      fence: 1,
      created_at: startTime * 1000,
      assigned_at: startTime * 1000,
      started_at: startTime * 1000,
      ended_at: run.state === 'running' ? null : startTime * 1000 + 10_000,
      estimated_s: 10,
      cancel_requested: 0,
      reason: null,
      error: null,
      outputs: JSON.stringify(run.outputs),
      missing_outputs: '{}',
      rows: JSON.stringify(run.rows),
      data_removed_at: null,
      idempotency_key: null,
      request_hash: null,
    }),
  ])
  return run
}

/** Puts documents of an attempt into the store, as ingest does. */
export async function storeDocuments(store: Store, documents: readonly NodeDocument[]): Promise<void> {
  const sql = `INSERT INTO document (run_id, attempt, seq, name, stream, first_row, row_count, first_time, last_time, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
  await store.database.write(
    documents.map((document) => {
      const page = document.name === 'event_page' ? document.doc : undefined
      const picture = document.name === 'picture' ? document.doc : undefined
      const stream = document.name === 'start' || document.name === 'stop' ? null : document.doc.stream
      const { runId, attempt, seq, name } = document
      const times = [page?.time[0] ?? picture?.time ?? null, page?.time.at(-1) ?? null]
      const body = encode(document)
      return {
        sql,
        params: [
          runId,
          attempt,
          seq,
          name,
          stream,
          page?.first ?? picture?.number ?? null,
          page?.count ?? null,
          ...times,
          body,
        ],
      }
    }),
  )
}

/** The documents of a run with `pages` pages of `rowsPerPage` rows: a sine, its square, a word and a switch. */
export function* documentsOf(
  run: Run,
  { pages, rowsPerPage, rateHz = 1000 }: { pages: number; rowsPerPage: number; rateHz?: number },
): Generator<NodeDocument> {
  const key = (seq: number) => ({ runId: run.id, attempt: run.attempt, seq })
  yield {
    ...key(0),
    name: 'start',
    doc: {
      time: startTime,
      node: 'demo',
      bench: 'rc-1',
      lab: run.lab,
      protocol: run.protocol,
      protocolDigest: run.protocolDigest,
      parameters: run.parameters,
      fence: 1,
      nodeVersion: '0.1.0',
      clockOffsetMs: 1.5,
    },
  }
  const number = { dtype: 'number' as const, shape: [], unit: 'V' }
  yield {
    ...key(1),
    name: 'descriptor',
    doc: {
      time: startTime,
      stream: 'primary',
      dataKeys: {
        'supply.voltage': { ...number, source: 'psu-1.voltage', limits: { low: 0, high: 10 }, precision: 3 },
        power: { ...number, unit: 'W', source: 'derived', title: 'Power' },
        'meter.range': { dtype: 'string', shape: [], unit: '1', source: 'dmm-1.range' },
        'switch.on': { dtype: 'boolean', shape: [], unit: '1', source: 'relay-1.on' },
      },
      configuration: {
        supply: { data: { limit: 0.5, mode: 'cv' }, units: { limit: 'A', mode: '1' }, time: startTime },
      },
    },
  }
  let first = 0
  for (let page = 0; page < pages; page++) {
    const at = (i: number) => first + i
    const time = Float64Array.from({ length: rowsPerPage }, (_, i) => startTime + at(i) / rateHz)
    const voltage = Float64Array.from({ length: rowsPerPage }, (_, i) => Math.sin(at(i) / 1000))
    yield {
      ...key(2 + page),
      name: 'event_page',
      doc: {
        stream: 'primary',
        first,
        count: rowsPerPage,
        time,
        columns: {
          'supply.voltage': voltage,
          power: voltage.map((v) => v * v),
          'meter.range': Array.from({ length: rowsPerPage }, (_, i) => (at(i) % 2 === 0 ? 'auto, "fine"' : 'manual')),
          'switch.on': Array.from({ length: rowsPerPage }, (_, i) => at(i) % 3 === 0),
        },
      },
    }
    first += rowsPerPage
  }
  yield {
    ...key(2 + pages),
    name: 'stop',
    doc: {
      time: startTime + first / rateHz,
      state: 'partial',
      reason: 'the fit of phase did not converge',
      outputs: run.outputs,
      missingOutputs: { phase: 'no fit' },
      rows: { primary: first },
      documents: 2 + pages,
      safeState: { reached: true },
    },
  }
}
