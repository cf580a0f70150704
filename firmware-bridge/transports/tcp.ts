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

/** What to do, by what the system says of the connection. */
function adviceFor({ host, port }: TcpConfig, code: string | undefined): string {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return host.endsWith('.local')
        ? 'no such name on the network; is it on, is it in the same network, and does this machine look up such names (sudo apt install libnss-mdns)?'
        : 'no such name; check it, or use the address'
    case 'ECONNREFUSED':
      return `the instrument is there and takes no connection on that port; raw sockets must be allowed in its menu (LXI instruments mostly have them on 5025), and many take one connection only`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return 'nothing answers there; check the address, the cable and that it is on'
    default:
      return `check the address, the cable and that the instrument allows raw sockets on ${port}`
  }
}

function unreachable(config: TcpConfig, cause: Error): LabError {
  const { host, port } = config
  return new LabError({
    code: 'transport-unreachable',
    kind: 'link',
    retry: 'later',
    message: `no connection to ${host}:${port} (${cause.message}): ${adviceFor(config, (cause as NodeJS.ErrnoException).code)}`,
    details: { host, port },
    cause,
  })
}
