import type { Clock } from '../primitives/clock.ts'
import { LabError } from '../primitives/lab-error.ts'
import { CANCEL, errorOf, readRpc, rpcNotification, rpcRequest } from './envelope.ts'

/** The calling end of a connection that carries the envelope. */
export interface RpcClient {
  /** Rejects with the other end's LabError, `deadline-exceeded`, or why the connection ended. */
  call(method: string, params: unknown, timeoutMs?: number): Promise<unknown>
  /** Takes one message of the connection; throws `rpc-unreadable`. */
  receive(text: string): void
  /** The connection has ended: what is under way fails. */
  end(reason: string): void
}

export interface CreateRpcClientOptions {
  readonly send: (text: string) => void
  readonly onNotification: (method: string, params: unknown) => void
  readonly clock: Clock
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: LabError): void
  readonly cancel: () => void
}

const TIMEOUT_MS = 30_000

/** A client over whatever sends text. */
export function createRpcClient({ send, onNotification, clock }: CreateRpcClientOptions): RpcClient {
  const waiting = new Map<number, Waiting>()
  let calls = 0
  let ended: LabError | undefined

  const take = (id: unknown): Waiting | undefined => {
    const call = waiting.get(Number(id))
    waiting.delete(Number(id))
    call?.cancel()
    return call
  }

  return {
    call: (method, params, timeoutMs = TIMEOUT_MS) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended)
        const id = ++calls
        const late = () => {
          send(rpcNotification(CANCEL, { id }))
          take(id)?.reject(connectionError('deadline-exceeded', `${method} was not answered within ${timeoutMs} ms`))
        }
        waiting.set(id, { resolve, reject, cancel: clock.after(timeoutMs, late) })
        send(rpcRequest(id, method, params))
      }),
    receive: (text) => {
      const { kind, message } = readRpc(text)
      if (kind === 'notification') onNotification(message.method, message.params)
      if (kind !== 'reply') return
      const call = take(message.id)
      if ('error' in message) call?.reject(errorOf(message.error))
      else call?.resolve(message.result)
    },
    end: (reason) => {
      ended = connectionError('connection-ended', reason)
      for (const id of waiting.keys()) take(id)?.reject(ended)
    },
  }
}

function connectionError(code: string, message: string): LabError {
  return new LabError({ code, kind: 'link', retry: 'later', message })
}
