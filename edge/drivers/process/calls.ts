/** Calls of a driver's program: JSON-RPC 2.0, one message a line. */

import { LabError } from '@fernlab/shared/primitives/lab-error'
import { rpcNotification, rpcRequest } from '@fernlab/shared/rpc/envelope'
import * as z from 'zod'

const replySchema = z.union([
  z.object({ jsonrpc: z.literal('2.0'), id: z.int(), result: z.unknown() }),
  z.object({
    jsonrpc: z.literal('2.0'),
    id: z.int().nullable(),
    error: z.object({ code: z.int(), message: z.string(), data: z.unknown().optional() }),
  }),
])
const notificationSchema = z.object({
  jsonrpc: z.literal('2.0'),
  method: z.string(),
  params: z.unknown().optional(),
  id: z.undefined().optional(),
})

/** JSON-RPC 2.0, section 5.1. */
const METHOD_UNKNOWN = -32601
const PARAMETERS_WRONG = -32602

export interface ProgramCalls {
  /** Rejects with the program's own refusal, why it ended, or the signal's reason at once when that aborts. */
  call(method: string, params: object, signal: AbortSignal): Promise<unknown>
  /** Takes a line of the program; `unasked` when it answers nothing that is waited for. */
  receive(line: string): 'answer' | 'notification' | 'unasked'
  /** The program is gone: what is under way fails. */
  end(reason: LabError): void
}

export interface ProgramCallsOptions {
  readonly instrument: string
  readonly send: (line: string) => void
  /** A notification of the program. */
  readonly onNotification: (method: string, params: unknown) => void
  /** A call was given up; `answered` resolves when the program answers it after all. */
  readonly onGivenUp: (method: string, answered: Promise<void>) => void
}

interface Waiting {
  readonly method: string
  resolve(result: unknown): void
  reject(error: unknown): void
}

/** Matches answers to calls by their number. */
export function createProgramCalls({ instrument, send, onNotification, onGivenUp }: ProgramCallsOptions): ProgramCalls {
  const waiting = new Map<number, Waiting>()
  let last = 0
  let ended: LabError | undefined
  return {
    call: (method, params, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        if (ended !== undefined) return reject(ended)
        const id = ++last
        const forget = () => signal.removeEventListener('abort', giveUp)
        const giveUp = () => {
          forget()
          reject(signal.reason)
          send(rpcNotification('cancel', { id }))
          const answered = new Promise<void>((done) => {
            waiting.set(id, { method, resolve: () => done(), reject: () => done() })
          })
          onGivenUp(method, answered)
        }
        signal.addEventListener('abort', giveUp, { once: true })
        waiting.set(id, {
          method,
          resolve: (result) => {
            forget()
            resolve(result)
          },
          reject: (error) => {
            forget()
            reject(error)
          },
        })
        send(rpcRequest(id, method, params))
      }),
    receive: (line) => {
      const message = parse(line)
      const notification = notificationSchema.safeParse(message)
      if (notification.success) {
        onNotification(notification.data.method, notification.data.params)
        return 'notification'
      }
      const reply = replySchema.safeParse(message)
      const id = reply.success ? reply.data.id : null
      const call = id === null ? undefined : waiting.get(id)
      if (!reply.success || id === null || call === undefined) return 'unasked'
      waiting.delete(id)
      if ('error' in reply.data) call.reject(refusal(instrument, call.method, reply.data.error))
      else call.resolve(reply.data.result)
      return 'answer'
    },
    end: (reason) => {
      ended = reason
      const calls = [...waiting.values()]
      waiting.clear()
      for (const call of calls) call.reject(reason)
    },
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** What a program may say of an error besides its text. */
const errorDataSchema = z.object({
  /** `link`: the hardware is not there. */
  kind: z.enum(['instrument', 'link']).optional().catch(undefined),
  /** Of settings that are wrong, where. */
  issues: z
    .array(z.object({ path: z.string().max(200), message: z.string().max(500) }))
    .max(100)
    .catch([]),
})

function refusal(
  instrument: string,
  method: string,
  error: { code: number; message: string; data?: unknown },
): LabError {
  const said = error.message.slice(0, 500)
  const { kind, issues } = errorDataSchema.safeParse(error.data).data ?? { issues: [] }
  if (error.code === METHOD_UNKNOWN || error.code === PARAMETERS_WRONG) {
    const message = `${instrument} can not ${method}: ${said}`
    return new LabError({ code: 'program-cannot', kind: 'caller', message, issues })
  }
  if (kind === 'link') {
    return new LabError({ code: 'instrument-away', kind, retry: 'later', message: `${instrument}: ${said}` })
  }
  return new LabError({
    code: 'instrument-refused',
    kind: 'instrument',
    retry: 'later',
    message: `${instrument} refused ${method}: ${said}`,
    studentMessage: 'An instrument of this bench refused what it was asked. What was measured until then is kept.',
    details: { instrument, number: error.code },
  })
}
