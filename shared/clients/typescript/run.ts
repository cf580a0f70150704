/**
 * A run of a hub: followed while it goes on, its documents and data read.
 *
 * INVARIANTS: an event or a document is given once and in order, however often the connection breaks; following one never
 * ends it.
 */
import * as z from 'zod'
import {
  type Data,
  dataSchema,
  type RunEventName,
  type Run as RunStatus,
  runEventSchemas,
  runSchema,
} from '../../contracts/api.ts'
import { type RunDocument, runDocumentSchema } from '../../contracts/event-model.ts'
import { isFinal } from '../../contracts/run-state.ts'
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import type { Hub } from './hub.ts'
import { linesOf } from './hub-lines.ts'
import { type PatienceOptions, resumed } from './resumed.ts'
import { type ServerEvent, serverEvents } from './server-events.ts'

export type { PatienceOptions, RunDocument, RunStatus }

/** What happens to a run; `end`, with the whole run, is the last. */
export type RunEvent = {
  readonly [Name in RunEventName]: { readonly name: Name; readonly data: z.infer<(typeof runEventSchemas)[Name]> }
}[RunEventName]

export interface DocumentsOptions extends PatienceOptions {
  /** The last one, and those that begin meanwhile, unless given. */
  readonly attempt?: number
  /** With false, those that there are. */
  readonly follow?: boolean
}

export interface DataOptions {
  readonly stream?: string
  readonly attempt?: number
  readonly signal?: AbortSignal
}

interface Asking {
  readonly signal?: AbortSignal
}

export class Run {
  readonly id: string
  readonly #hub: Hub
  readonly #clock: Clock

  constructor({ id, hub, clock }: { readonly id: string; readonly hub: Hub; readonly clock: Clock }) {
    this.id = id
    this.#hub = hub
    this.#clock = clock
  }

  /** How it stands: `state`, `outputs`, times, who. */
  get({ signal }: Asking = {}): Promise<RunStatus> {
    return this.#hub.ask(runSchema, this.#path(), { signal })
  }

  /** A queued run ends at once, one under way stops safely and keeps its data, one that is over stays as it is. */
  cancel({ signal }: Asking = {}): Promise<RunStatus> {
    return this.#hub.ask(runSchema, this.#path('/cancel'), { method: 'POST', signal })
  }

  /**
   * What happens, from its beginning to its end, while it happens; goes on without a gap when the hub was away. Throws
   * `hub-unreachable` when it is away for longer than the patience.
   */
  async *events({ signal, ...patience }: PatienceOptions = {}): AsyncGenerator<RunEvent, void, void> {
    const given = signal === undefined ? {} : { signal }
    const open = (headers: Readonly<Record<string, string>>) =>
      linesOf(this.#hub, this.#path('/events'), { headers, clock: this.#clock, ...given })
    let last: string | undefined
    yield* resumed(this.#clock, { ...patience, ...given }, async function* (heard) {
      const take = serverEvents()
      for await (const line of open(last === undefined ? {} : { 'last-event-id': last })) {
        heard()
        const taken = take(line)
        const event = taken === undefined ? undefined : readEvent(taken)
        last = taken?.id ?? last
        if (event === undefined) continue
        yield event
        if (event.name === 'end') return 'over'
      }
      return 'cut'
    })
  }

  /** Waits for its end, and resolves with the run, whatever became of it: see its `state`. */
  async wait(options: PatienceOptions = {}): Promise<RunStatus> {
    for await (const { name, data } of this.events(options)) if (name === 'end') return data
    return await this.get(options)
  }

  /**
   * Its documents in the Bluesky event model, while they come, to the `stop` at its end; goes on without a gap when the hub
   * was away, as `events` does. A run that was cut off may have none. Where a further attempt begins, its documents follow,
   * from its `start` on.
   */
  async *documents({
    attempt: asked,
    follow = true,
    signal,
    ...patience
  }: DocumentsOptions = {}): AsyncGenerator<RunDocument, void, void> {
    const given = signal === undefined ? {} : { signal }
    let attempt = asked
    let taken = 0
    const open = () =>
      linesOf(this.#hub, this.#path('/documents'), {
        query: { attempt: attempt?.toString(), follow: String(follow), skip: String(taken) },
        clock: this.#clock,
        ...given,
      })
    const stands = () => this.get(given)
    yield* resumed(this.#clock, { ...patience, ...given }, async function* (heard) {
      if (attempt === undefined) {
        const { state, attempt: present } = await stands()
        // Of one that is over, the hub knows the last attempt that has any.
        if (!isFinal(state)) attempt = present
      }
      for await (const line of open()) {
        heard()
        if (line === '') continue
        const document = readDocument(line)
        taken += 1
        if (document !== undefined) yield document
      }
      const after = await stands()
      if (!follow) return 'over'
      if (asked === undefined && attempt !== undefined && after.attempt > attempt) {
        attempt += 1
        taken = 0
        return 'next'
      }
      return isFinal(after.state) || after.attempt > (attempt ?? after.attempt) ? 'over' : 'cut'
    })
  }

  /** A stream in columns. */
  data({ stream, attempt, signal }: DataOptions = {}): Promise<Data> {
    return this.#hub.ask(dataSchema, this.#path('/data.json'), {
      query: { stream, attempt: attempt?.toString() },
      signal,
    })
  }

  #path(more = ''): string {
    return `/runs/${encodeURIComponent(this.id)}${more}`
  }
}

/** Undefined for one of a kind that this client does not know: later hubs may have more. */
function readEvent({ name, data }: ServerEvent): RunEvent | undefined {
  if (!Object.hasOwn(runEventSchemas, name)) return undefined
  const schema: z.ZodType = runEventSchemas[name as RunEventName]
  const what = `an event "${name}"`
  return { name, data: read(schema, jsonIn(data, what), what) } as RunEvent
}

const namedSchema = z.object({ name: z.string(), doc: z.record(z.string(), z.unknown()) })
const DOCUMENT = 'a document of a run'
const documentNames: ReadonlySet<string> = new Set(runDocumentSchema.options.map(({ shape }) => shape.name.value))

/** The same of documents. */
function readDocument(line: string): RunDocument | undefined {
  const json = jsonIn(line, DOCUMENT)
  const { name } = read(namedSchema, json, DOCUMENT)
  return documentNames.has(name) ? read(runDocumentSchema, json, DOCUMENT) : undefined
}

function jsonIn(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notUnderstood(what, [{ path: '', message: 'no JSON' }])
  }
}

function read<Value>(schema: z.ZodType<Value>, value: unknown, what: string): Value {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw notUnderstood(
    what,
    result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  )
}

const notUnderstood = (what: string, issues: LabError['issues']) =>
  new LabError({
    code: 'unexpected-answer',
    kind: 'link',
    message: `the hub gave ${what} that this client does not understand; it may be of another version`,
    issues,
  })
