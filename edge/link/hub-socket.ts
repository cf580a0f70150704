import { rootCertificates } from 'node:tls'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { WebSocket } from 'ws'

const HANDSHAKE_MS = 10_000

export interface HubSocketOptions {
  /** `ws://` or `wss://`. */
  readonly address: string
  /** Its bearer. */
  readonly token: string
  /** PEM of an authority to trust besides the system's. */
  readonly ca: string | undefined
  /** Longer messages are refused. */
  readonly mostBytes: number
  readonly signal: AbortSignal
}

/** Resolves with what `attach` makes of one that is open, before it has told anything; rejects with `hub-unreachable`, or with the signal's reason. */
export async function openHubSocket<T>(options: HubSocketOptions, attach: (socket: WebSocket) => T): Promise<T> {
  const { address, token, ca, mostBytes, signal } = options
  // Loaded when needed: memory that a node without such a use does not miss.
  const { WebSocket } = await import('ws')
  signal.throwIfAborted()
  return await new Promise((resolve, reject) => {
    const socket = new WebSocket(address, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: mostBytes,
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    })
    const onAbort = () => {
      socket.terminate()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', (cause) => {
      signal.removeEventListener('abort', onAbort)
      reject(hubUnreachable(address, cause))
    })
    socket.once('open', () => {
      signal.removeEventListener('abort', onAbort)
      resolve(attach(socket))
    })
  })
}

function hubUnreachable(address: string, cause: Error): LabError {
  return new LabError({
    code: 'hub-unreachable',
    kind: 'link',
    retry: 'later',
    message: `the node can not connect to its hub at ${address}: ${cause.message}; hub.web in node.yaml says where it is`,
    studentMessage: 'The lab’s page can not be brought here at the moment. The staff can see why.',
    cause,
  })
}
