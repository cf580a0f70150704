/**
 * The messages between two ends of a link: JSON-RPC 2.0, and what it lacks as methods that begin with `rpc.`, as it reserves.
 * Checked by hand, since each call pays for it: members that nobody knows pass, a known one of another type is refused.
 */
import { isRecord, unreadable, type WireError } from './errors.ts'
import type { RpcLimits } from './limits.ts'
import { type Column, isColumn, isTable, type Table } from './peer/columns.ts'

export type CallId = number | string

export interface Request {
  readonly id: CallId
  readonly method: string
  readonly params?: unknown
  /** After so long the caller has given up. */
  readonly timeoutMs?: number
  /** Asks for a stream, of which so many items may come. */
  readonly credit?: number
  /** The stream is kept for so long when the link ends. */
  readonly lingerMs?: number
}
export interface OneWay {
  readonly method: string
  readonly params?: unknown
}
export interface Result {
  readonly id: CallId
  readonly result: unknown
}
export interface Failure {
  /** Null for a message that could not be read. */
  readonly id: CallId | null
  readonly error: WireError
}
export type Message =
  | { readonly kind: 'request'; readonly message: Request }
  | { readonly kind: 'one-way'; readonly message: OneWay }
  | { readonly kind: 'result'; readonly message: Result }
  | { readonly kind: 'failure'; readonly message: Failure }

/** Items of a stream, the first of which has number `from`; counted from 1. */
export const ITEMS = 'rpc.items'
export interface Items {
  readonly id: CallId
  readonly from: number
  readonly items: readonly unknown[]
}
/** Items up to number `upTo` may come; those up to `seen` have. Both only grow, so that one may be lost. */
export const MORE = 'rpc.more'
export interface More {
  readonly id: CallId
  readonly upTo: number
  readonly seen: number
}
/** Gives up a call: no answer to it is waited for. */
export const CANCEL = 'rpc.cancel'
/** The stream is kept under that token when the link ends. */
export const LINGER = 'rpc.linger'
export interface Linger {
  readonly id: CallId
  readonly token: string
}
/** A call: goes on with the stream of the token after item `seen`. */
export const RESUME = 'rpc.resume'
export interface Resume {
  readonly token: string
  readonly seen: number
}
/** A call: answered by every end, also when it takes no other call, with what it takes besides what every end does. */
export const PING = 'rpc.ping'
/** Ends of earlier versions, and those that take nothing more, answer with nothing. */
export interface Takes {
  /** Batches in columns: arguments as a table, numbers as typed arrays. */
  readonly columns?: boolean
}
/** A call: does calls one after another. */
export const BATCH = 'rpc.batch'
/** Each method stands once, as most batches have few. `stop`: after the first error the others are not done. */
export interface Batch {
  readonly methods: readonly string[]
  /** Number of the method of each call. */
  readonly calls: Column
  /** Arguments of each call, null for none; a table where all have the same names. */
  readonly params: readonly unknown[] | Table
  readonly stop: boolean
  /** The answer may have its results as a typed array. */
  readonly packs?: boolean
}
/** What became of a batch: those after the last result were not done. */
export interface BatchAnswer {
  /** Null where there is an error. */
  readonly results: Column
  readonly errors: readonly (readonly [call: number, error: WireError])[]
}

/** A call: of a function that stood among the arguments. */
export const CALLBACK = 'rpc.callback'
export interface CallbackCall {
  readonly callback: number
  readonly args: unknown[]
}

const LONGEST_ID = 64

/** Says what the message is; throws `rpc-unreadable`. */
export function kindOf(message: unknown, { methodChars, streamItems }: RpcLimits): Message {
  if (!isRecord(message)) throw unreadable('it is no request, reply or notification of JSON-RPC 2.0')
  const { jsonrpc, id, method } = message
  if (jsonrpc !== undefined && jsonrpc !== '2.0') throw unreadable('its version of JSON-RPC is not 2.0')
  if (method === undefined) return replyOf(message)
  if (typeof method !== 'string' || method.length === 0 || method.length > methodChars) {
    throw unreadable(`its method is no text of 1 to ${methodChars} characters`)
  }
  if (id === undefined) return { kind: 'one-way', message: message as unknown as OneWay }
  if (!isCallId(id)) throw unreadable(ID_WRONG)
  const { timeoutMs, credit, lingerMs } = message
  if (timeoutMs !== undefined && !isDuration(timeoutMs)) throw unreadable('its timeoutMs is no duration')
  if (lingerMs !== undefined && !isDuration(lingerMs)) throw unreadable('its lingerMs is no duration')
  if (credit !== undefined && !(isCount(credit) && credit <= streamItems)) {
    throw unreadable(`its credit is no whole number from 0 to ${streamItems}`)
  }
  return { kind: 'request', message: message as unknown as Request }
}

/** The call that a message was to be, also where {@link kindOf} can make nothing of it: who waits for it is to be told. */
export function calledBy(message: unknown): CallId | undefined {
  if (!isRecord(message) || message.method === undefined) return undefined
  return isCallId(message.id) ? message.id : undefined
}

const ID_WRONG = `its id is neither a whole number from 1 nor a text of 1 to ${LONGEST_ID} characters`

function replyOf(message: Readonly<Record<string, unknown>>): Message {
  const { id, error } = message
  if (error !== undefined) {
    if (id !== null && !isCallId(id)) throw unreadable(ID_WRONG)
    if (!isWireError(error)) throw unreadable('its error has no number and no text')
    return { kind: 'failure', message: message as unknown as Failure }
  }
  if (!isCallId(id)) throw unreadable(ID_WRONG)
  if (!('result' in message)) throw unreadable('it has neither a method nor a result nor an error')
  return { kind: 'result', message: message as unknown as Result }
}

const isWireError = (error: unknown): error is WireError =>
  isRecord(error) && typeof error.message === 'string' && Number.isInteger(error.code)
const isCallId = (id: unknown): id is CallId =>
  typeof id === 'number'
    ? Number.isSafeInteger(id) && id > 0
    : typeof id === 'string' && id.length > 0 && id.length <= LONGEST_ID
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isDuration = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER

export const readTakes = (answer: unknown): Takes => (isRecord(answer) ? { columns: answer.columns === true } : {})

/** Each reads the params of its kind; throws `rpc-unreadable`. */
export function readItems(params: unknown): Items {
  if (!isRecord(params) || !isCallId(params.id) || !isCount(params.from) || !Array.isArray(params.items))
    throw wrong(ITEMS)
  return params as unknown as Items
}
export function readMore(params: unknown): More {
  if (!isRecord(params) || !isCallId(params.id) || !isCount(params.upTo) || !isCount(params.seen)) throw wrong(MORE)
  return params as unknown as More
}
export function readCancel(params: unknown): CallId {
  if (!isRecord(params) || !isCallId(params.id)) throw wrong(CANCEL)
  return params.id
}
export function readLinger(params: unknown): Linger {
  if (!isRecord(params) || !isCallId(params.id) || typeof params.token !== 'string') throw wrong(LINGER)
  return params as unknown as Linger
}
export function readResume(params: unknown): Resume {
  if (!isRecord(params) || typeof params.token !== 'string' || !isCount(params.seen)) throw wrong(RESUME)
  return params as unknown as Resume
}
export function readCallbackCall(params: unknown): CallbackCall {
  if (!isRecord(params) || !isCount(params.callback) || !Array.isArray(params.args)) throw wrong(CALLBACK)
  return params as unknown as CallbackCall
}
export function readBatch(params: unknown, { batchCalls, methodChars }: RpcLimits): Batch {
  if (!isRecord(params) || typeof params.stop !== 'boolean') throw wrong(BATCH)
  const { methods, calls, params: args, packs = false } = params
  if (!Array.isArray(methods) || typeof packs !== 'boolean') throw wrong(BATCH)
  const count = Array.isArray(calls) || ArrayBuffer.isView(calls) ? (calls as { readonly length: number }).length : -1
  if (count > batchCalls) throw unreadable(`a batch has at most ${batchCalls} calls, not ${count}`)
  if (!isColumn(calls, count)) throw wrong(BATCH)
  if (!(Array.isArray(args) && args.length === count) && !isTable(args, count)) throw wrong(BATCH)
  for (const method of methods as unknown[]) {
    if (typeof method !== 'string' || method.length === 0 || method.length > methodChars) throw wrong(BATCH)
  }
  const { length } = methods
  for (let n = 0; n < count; n++) if (!isCount(calls[n]) || (calls[n] as number) >= length) throw wrong(BATCH)
  return params as unknown as Batch
}
export function readBatchAnswer(result: unknown, calls: number): BatchAnswer {
  if (!isRecord(result) || !Array.isArray(result.errors)) throw wrong(BATCH)
  const { results } = result as { readonly results?: { readonly length?: number } }
  const length = typeof results === 'object' && results !== null ? (results.length ?? -1) : -1
  if (length > calls || !isColumn(results, length)) throw wrong(BATCH)
  for (const entry of result.errors as unknown[]) {
    const [call, error]: unknown[] = Array.isArray(entry) ? entry : []
    if (!isCount(call) || call >= calls || !isWireError(error)) throw wrong(BATCH)
  }
  return result as unknown as BatchAnswer
}

const wrong = (method: string) => unreadable(`it is no ${method} as this end knows it`)
