/**
 * A TCP port that passes bytes to a device's port and back, so that tools that know nothing of Fernlab reach it.
 *
 * INVARIANTS: the device's port is open only while a tool is connected, and to one tool at a time; whichever side ends
 * ends the other. Only this machine is listened to unless another address is named.
 */
import { createServer, type Socket } from 'node:net'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Transport } from '../transports/transport.ts'

export interface ForwardOptions {
  /** Opens the device's port for a tool; what it rejects with is logged, and the tool is hung up on. */
  readonly open: (signal: AbortSignal) => Promise<Transport>
  readonly host?: string
  /** 0: any free one. */
  readonly port: number
  readonly clock: Clock
  readonly log: Log
}

export interface ForwardedPort {
  readonly host: string
  readonly port: number
  /** Ends a tool's connection and frees everything; idempotent. */
  close(): Promise<void>
}

/** How long a tool waits for the one before it, which may have gone a moment ago. */
const HAND_OVER_MS = 500
/** Bytes that a tool may leave lying; a device can not be told to wait. */
const MOST_WAITING = 1_000_000

/** Listens; rejects with `forward-refused` where the port is taken. */
export async function forwardPort({
  open,
  host = '127.0.0.1',
  port,
  clock,
  log,
}: ForwardOptions): Promise<ForwardedPort> {
  let user: Socket | undefined
  let underWay: Promise<void> | undefined
  const take = async (socket: Socket) => {
    if (underWay !== undefined) await settledWithin(underWay, HAND_OVER_MS, clock)
    if (underWay !== undefined || !server.listening) {
      log.warn({ from: socket.remoteAddress, port }, 'a second tool was refused at a forwarded port')
      socket.destroy()
      return
    }
    user = socket
    underWay = pass(socket, open, log).finally(() => {
      user = undefined
      underWay = undefined
    })
  }
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    void take(socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(refused(host, port, cause)))
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  let closing: Promise<void> | undefined
  return {
    host,
    port: actual,
    close: () => {
      closing ??= (async () => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()))
        user?.destroy()
        await Promise.all([closed, underWay])
      })()
      return closing
    },
  }
}

async function settledWithin(work: Promise<void>, ms: number, clock: Clock): Promise<void> {
  let cancel = () => {}
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve)
  })
  await Promise.race([work, late])
  cancel()
}

/** Resolves when both sides have ended. What the tool says before the port is open waits in its socket, which is paused. */
async function pass(socket: Socket, open: ForwardOptions['open'], log: Log): Promise<void> {
  if (socket.destroyed) return
  const gone = new AbortController()
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => {
      gone.abort(new LabError({ code: 'tool-gone', kind: 'caller', message: 'the tool has disconnected' }))
      resolve()
    })
  })
  let transport: Transport
  try {
    transport = await open(gone.signal)
  } catch (thrown) {
    if (!gone.signal.aborted) log.warn({ error: asLabError(thrown).message }, 'a forwarded port can not be opened')
    socket.destroy()
    return await ended
  }
  transport.onData((bytes) => {
    if (socket.writableLength > MOST_WAITING) {
      log.warn({ waiting: socket.writableLength }, 'a tool at a forwarded port takes nothing, and was hung up on')
      socket.destroy()
    } else socket.write(bytes)
  })
  transport.onClose(() => socket.destroy())
  socket.on('data', (bytes: Buffer) => {
    transport.write(bytes).catch((thrown: unknown) => {
      if (!gone.signal.aborted) log.warn({ error: asLabError(thrown).message }, 'a forwarded port was lost')
      socket.destroy()
    })
  })
  socket.resume()
  await ended
  await transport.close()
}

function refused(host: string, port: number, cause: Error): LabError {
  return new LabError({
    code: 'forward-refused',
    kind: 'configuration',
    message: `nothing can listen at ${host}:${port} (${cause.message}); take another port`,
    cause,
  })
}
