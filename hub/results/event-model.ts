/**
 * Node documents as documents of the Bluesky event model (https://blueskyproject.io/event-model), pure.
 * Uids are made from what they name, so that the same run always gives the same documents.
 */
import { createHash } from 'node:crypto'
import type { DescriptorDoc, EventPageDoc, StartDoc, StopDoc } from '@fernlab/shared/contracts/documents'
import { exitStatus } from '@fernlab/shared/contracts/run-state'
import { type StreamColumn, streamColumns } from './keys.ts'

export interface EventModelDocument {
  readonly name: 'start' | 'descriptor' | 'event_page' | 'resource' | 'datum' | 'stop'
  readonly doc: Readonly<Record<string, unknown>>
}

export interface DocumentKey {
  readonly runId: string
  readonly attempt: number
  readonly seq: number
}

/** What the hub knows of a run beside its documents. */
export interface RunFacts {
  readonly id: string
  readonly labVersion: number
  readonly site: string
  readonly note?: string
}

/** A UUID (RFC 9562, version 8) made from a text. */
function uidOf(text: string): string {
  const hex = createHash('sha256').update(`fernlab:${text}`).digest('hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export const startUid = (runId: string, attempt: number): string => uidOf(`${runId}/${attempt}/start`)

/** The run start document. */
export function eventModelStart(doc: StartDoc, { runId, attempt }: DocumentKey, facts: RunFacts): EventModelDocument {
  return {
    name: 'start',
    doc: {
      uid: startUid(runId, attempt),
      time: doc.time,
      scan_id: attempt,
      plan_name: doc.protocol,
      plan_type: 'protocol',
      plan_args: doc.parameters,
      hints: {},
      lab: doc.lab,
      lab_version: facts.labVersion,
      protocol: doc.protocol,
      protocol_digest: doc.protocolDigest,
      bench: `${doc.node}.${doc.bench}`,
      node: doc.node,
      site: facts.site,
      fernlab_run: runId,
      fernlab_attempt: attempt,
      fernlab_version: doc.nodeVersion,
      ...(doc.clockOffsetMs === undefined ? {} : { clock_offset_s: doc.clockOffsetMs / 1000 }),
      ...(facts.note === undefined ? {} : { note: facts.note }),
    },
  }
}

/** The event descriptor of a stream. */
export function eventModelDescriptor(doc: DescriptorDoc, { runId, attempt, seq }: DocumentKey): EventModelDocument {
  const columns = streamColumns(doc)
  const byObject = new Map<string, string[]>()
  for (const { key, source } of columns) {
    const object = objectOf(source)
    byObject.set(object, [...(byObject.get(object) ?? []), key])
  }
  return {
    name: 'descriptor',
    doc: {
      uid: uidOf(`${runId}/${attempt}/${seq}`),
      run_start: startUid(runId, attempt),
      time: doc.time,
      name: doc.stream,
      data_keys: Object.fromEntries(columns.map((column) => [column.key, describeKey(column)])),
      object_keys: Object.fromEntries(byObject),
      hints: Object.fromEntries([...byObject].map(([object, fields]) => [plainKey(object), { fields }])),
      configuration: Object.fromEntries(
        Object.entries(doc.configuration).map(([object, configuration]) => [
          object,
          describeConfiguration(object, configuration),
        ]),
      ),
    },
  }
}

/** Calibrations are beside the configuration signals, as JSON: with one, raw values can be had back. */
function describeConfiguration(
  object: string,
  { data: signals, units, time, calibrations = {} }: DescriptorDoc['configuration'][string],
) {
  const data = {
    ...signals,
    ...Object.fromEntries(
      Object.entries(calibrations).map(([signal, record]) => [`${signal}_calibration`, JSON.stringify(record)]),
    ),
  }
  return {
    data,
    timestamps: Object.fromEntries(Object.keys(data).map((name) => [name, time])),
    data_keys: Object.fromEntries(
      Object.entries(data).map(([name, value]) => [
        name,
        { dtype: dtypeOf(value), shape: [], source: `${object}.${name}`, units: units[name] ?? null },
      ]),
    ),
  }
}

function describeKey({ source, dataKey }: StreamColumn) {
  const { dtype, shape, unit, precision, limits, uncertainty, title, external } = dataKey
  return {
    dtype: external === undefined ? dtype : 'array',
    shape,
    source: dataKey.source,
    units: unit,
    object_name: objectOf(source),
    ...(precision === undefined ? {} : { precision }),
    ...(limits === undefined ? {} : { limits: { control: { low: limits.low ?? null, high: limits.high ?? null } } }),
    ...(uncertainty === undefined ? {} : { uncertainty }),
    ...(title === undefined ? {} : { title }),
    ...(external === undefined ? {} : { external }),
  }
}

/** How a picture is named in the events of its stream. */
const datumId = (descriptorUid: string, file: unknown) => `${descriptorUid}/${String(file)}`

/** Where a picture is, and what it is called in the events. */
export function eventModelPicture(
  { runId, attempt, seq }: DocumentKey,
  descriptorUid: string,
  file: string,
): EventModelDocument[] {
  const uid = uidOf(`${runId}/${attempt}/${seq}`)
  return [
    {
      name: 'resource',
      doc: {
        uid,
        run_start: startUid(runId, attempt),
        spec: 'FERNLAB_JPEG',
        root: '/',
        resource_path: `api/v1/runs/${runId}/pictures/${file}`,
        resource_kwargs: { attempt },
        path_semantics: 'posix',
      },
    },
    { name: 'datum', doc: { datum_id: datumId(descriptorUid, file), resource: uid, datum_kwargs: {} } },
  ]
}

const objectOf = (source: string) => source.split('.')[0] ?? source
const plainKey = (text: string) => text.replaceAll(/[./]/g, '_')
const dtypeOf = (value: number | string | boolean) =>
  typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : 'string'

/** Rows of one event page document. A line stays below the size (128 KB) from which V8 lets garbage gather. */
export const rowsPerEventPage = 512

/** The event pages of one page of a node, in order. */
export function* eventModelPages(
  doc: EventPageDoc,
  descriptorUid: string,
  columns: readonly StreamColumn[],
): Generator<EventModelDocument> {
  for (let at = 0; at < doc.count; at += rowsPerEventPage) {
    const end = Math.min(doc.count, at + rowsPerEventPage)
    const time = numbers(doc.time.subarray(at, end))
    const first = doc.first + at + 1
    const seqNum = time.map((_, i) => first + i)
    const present = columns.filter(({ source }) => doc.columns[source] !== undefined)
    yield {
      name: 'event_page',
      doc: {
        descriptor: descriptorUid,
        seq_num: seqNum,
        uid: seqNum.map((n) => `${descriptorUid}/${n}`),
        time,
        data: Object.fromEntries(
          present.map(({ key, source, dataKey }) => {
            const column = doc.columns[source] ?? []
            if (column instanceof Float64Array) return [key, numbers(column.subarray(at, end))]
            const values = column.slice(at, end)
            return [key, dataKey.external === undefined ? values : values.map((file) => datumId(descriptorUid, file))]
          }),
        ),
        timestamps: Object.fromEntries(present.map(({ key }) => [key, time])),
        filled: Object.fromEntries(
          present
            .filter(({ dataKey }) => dataKey.external !== undefined)
            .map(({ key }) => [key, time.map(() => false)]),
        ),
      },
    }
  }
}

/** JSON has no NaN and no infinity: those become null. */
export function numbers(column: Float64Array): (number | null)[] {
  return Array.from(column, (value) => (Number.isFinite(value) ? value : null))
}

/** The run stop document. */
export function eventModelStop(doc: StopDoc, { runId, attempt }: DocumentKey): EventModelDocument {
  return {
    name: 'stop',
    doc: {
      uid: uidOf(`${runId}/${attempt}/stop`),
      run_start: startUid(runId, attempt),
      time: doc.time,
      exit_status: exitStatus[doc.state],
      reason: doc.reason,
      num_events: doc.rows,
      fernlab_state: doc.state,
      outputs: doc.outputs,
      missing_outputs: doc.missingOutputs,
      safe_state: doc.safeState,
      documents: doc.documents,
      ...(doc.at === undefined ? {} : { ended_at: doc.at }),
      ...(doc.error === undefined ? {} : { error: doc.error }),
    },
  }
}
