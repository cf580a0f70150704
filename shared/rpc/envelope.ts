/**
 * The one envelope of calls over a WebSocket, in JSON: JSON-RPC 2.0, with notifications both ways. A stream is a run of
 * notifications of one method; a call is given up with the notification `cancel`.
 */
import * as z from 'zod'
import { labErrorSchema } from '../contracts/common.ts'
import { LabError, type LabErrorJson } from '../primitives/lab-error.ts'

const version = z.literal('2.0')
const id = z.union([z.string().min(1).max(64), z.int()])
const method = z.string().min(1).max(64)
export type RpcId = z.infer<typeof id>

export const rpcRequestSchema = z.strictObject({ jsonrpc: version, id, method, params: z.unknown().optional() })
export type RpcRequest = z.infer<typeof rpcRequestSchema>

export const rpcNotificationSchema = z.strictObject({ jsonrpc: version, method, params: z.unknown().optional() })
export type RpcNotification = z.infer<typeof rpcNotificationSchema>

/** `code` is JSON-RPC's number, `data` the LabError whose own code is stable. */
export const rpcErrorSchema = z.object({ code: z.int(), message: z.string(), data: labErrorSchema })
export const rpcReplySchema = z.union([
  z.strictObject({ jsonrpc: version, id, result: z.unknown() }),
  z.strictObject({ jsonrpc: version, id: id.nullable(), error: rpcErrorSchema }),
])
export type RpcReply = z.infer<typeof rpcReplySchema>

/** The notification that gives up the call with that id; its reply does not come any more. */
export const CANCEL = 'cancel'
export const cancelParamsSchema = z.strictObject({ id })

export type RpcMessage =
  | { readonly kind: 'request'; readonly message: RpcRequest }
  | { readonly kind: 'notification'; readonly message: RpcNotification }
  | { readonly kind: 'reply'; readonly message: RpcReply }

/** Reads one message; throws `rpc-unreadable`. */
export function readRpc(text: string): RpcMessage {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    throw unreadable('it is not JSON')
  }
  const request = rpcRequestSchema.safeParse(data)
  if (request.success) return { kind: 'request', message: request.data }
  const notification = rpcNotificationSchema.safeParse(data)
  if (notification.success) return { kind: 'notification', message: notification.data }
  const reply = rpcReplySchema.safeParse(data)
  if (reply.success) return { kind: 'reply', message: reply.data }
  throw unreadable('it is no request, reply or notification of JSON-RPC 2.0')
}

/** A call as text. */
export const rpcRequest = (id: RpcId, method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params })

/** A notification, or one item of a stream, as text. */
export const rpcNotification = (method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', method, params })

/** The answer to a call, as text. */
export const rpcResult = (id: RpcId, result: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id, result: result ?? null })

/** A refusal, as text; `null` for a message that could not be read. */
export const rpcError = (id: RpcId | null, error: LabError): string =>
  JSON.stringify({ jsonrpc: '2.0', id, error: { code: numberOf(error), message: error.message, data: error.toJSON() } })

/** The error in a reply. */
export const errorOf = (error: z.infer<typeof rpcErrorSchema>): LabError =>
  LabError.fromJSON(error.data as LabErrorJson)

/** JSON-RPC 2.0, section 5.1: reserved numbers where they fit, the server's own for the rest. */
function numberOf({ code, kind }: LabError): number {
  if (code === 'rpc-unreadable') return -32700
  if (code === 'method-unknown') return -32601
  if (code === 'call-invalid') return -32602
  return kind === 'bug' ? -32603 : -32000
}

function unreadable(why: string): LabError {
  return new LabError({ code: 'rpc-unreadable', kind: 'caller', message: `the message can't be read: ${why}` })
}
