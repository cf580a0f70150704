/** Bytes over TCP: raw socket instruments (port 5025 by convention). */
import { connect, type Socket } from 'node:net'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Transport, TransportConfig } from './transport.ts'

type TcpConfig = Extract<TransportConfig, { kind: 'tcp' }>

/** Connects; rejects with `transport-unreachable` that names host and port. */
export async function openTcp(config: TcpConfig, signal: AbortSignal): Promise<Transport> {
  signal.throwIfAborted()
  const socket = connect({
    host: config.host,
    port: config.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 10_000,
  })
  await new Promise<void>((resolve, reject) => {
    const settle = (result: () => void) => {
      signal.removeEventListener('abort', onAbort)
      socket.removeAllListeners()
      result()
    }
    const onAbort = () => settle(() => reject(signal.reason))
    socket.once('connect', () => settle(resolve))
    socket.once('error', (cause) => settle(() => reject(unreachable(config, cause))))
    signal.addEventListener('abort', onAbort, { once: true })
  }).catch((error: unknown) => {
    socket.on('error', () => {})
    socket.destroy()
    throw error
  })
  return socketTransport(socket)
}

/** A transport over a connected socket. */
function socketTransport(socket: Socket): Transport {
  let reason: Error | undefined
  let closing = false
  socket.on('error', (error) => {
    reason = error
  })
  socket.on('end', () => {
    reason ??= new LabError({
      code: 'transport-closed',
      kind: 'link',
      retry: 'later',
      message: 'the other end closed the connection',
    })
  })
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()))
      }),
    onData: (listener) => {
      socket.on('data', (bytes: Buffer) => listener(bytes))
    },
    onClose: (listener) => {
      socket.once('close', () =>
        listener(
          closing
            ? undefined
            : (reason ??
                new LabError({
                  code: 'transport-closed',
                  kind: 'link',
                  retry: 'later',
                  message: 'the connection closed',
                })),
        ),
      )
    },
    close: async () => {
      closing = true
      socket.destroy()
    },
  }
}

function unreachable(config: TcpConfig, cause: Error): LabError {
  return new LabError({
    code: 'transport-unreachable',
    kind: 'link',
    retry: 'later',
    message: `no connection to ${config.host}:${config.port} (${cause.message}); check the address, the cable and that the instrument allows raw sockets`,
    details: { host: config.host, port: config.port },
    cause,
  })
}
