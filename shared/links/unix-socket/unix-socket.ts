/** Unix sockets: listening at a path, and connecting to one. */
import { lstat, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import type { Format } from '../../rpc/formats.ts'
import type { Link } from '../../rpc/link.ts'
import { greetedLink, greetingOf, socketLink } from './unix-socket-link.ts'

/** sun_path of Linux, without its end. */
const LONGEST_PATH = 107

export interface ConnectUnixSocketOptions {
  readonly path: string
  readonly format: Format
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Rejects with `link-unreachable`, or the signal's reason. */
export async function connectUnixSocket({ path, format, clock, signal }: ConnectUnixSocketOptions): Promise<Link> {
  requirePath(path)
  signal.throwIfAborted()
  const socket = await connected(path, signal)
  socket.write(greetingOf(format))
  return socketLink(socket, format, clock)
}

function connected(path: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    const forget = () => {
      signal.removeEventListener('abort', abort)
      socket.off('error', fail)
      socket.off('connect', ready)
    }
    const abort = () => {
      forget()
      socket.on('error', () => {}) // of a connection that nobody wants
      socket.destroy()
      reject(signal.reason)
    }
    const fail = (cause: Error) => {
      forget()
      const message = `nobody answers at ${path}: ${cause.message}`
      reject(new LabError({ code: 'link-unreachable', kind: 'link', retry: 'later', message, cause }))
    }
    const ready = () => {
      forget()
      resolve(socket)
    }
    signal.addEventListener('abort', abort, { once: true })
    socket.once('error', fail)
    socket.once('connect', ready)
  })
}

export interface ListenUnixSocketOptions {
  readonly path: string
  readonly clock: Clock
  /** Takes each link; it must listen at once. */
  readonly onLink: (link: Link) => void
  /** Who may connect, as of a file; the owner alone unless given. */
  readonly mode?: number
}

export interface UnixSocketServer {
  /** Takes no more connections, and ends those that are there. */
  close(): Promise<void>
}

/**
 * Listens at the path, where a socket that a dead process left is replaced. Rejects with `path-taken` where somebody listens
 * already, or where another file is.
 */
export async function listenUnixSocket({
  path,
  clock,
  onLink,
  mode = 0o600,
}: ListenUnixSocketOptions): Promise<UnixSocketServer> {
  requirePath(path)
  await clearPath(path)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    greetedLink(socket, clock, onLink)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(pathTaken(path, cause.message, cause)))
    // The file is made within this call: nobody else may connect even for a moment.
    const umask = process.umask(0o777 & ~mode)
    try {
      server.listen({ path }, resolve)
    } finally {
      process.umask(umask)
    }
  })
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

async function clearPath(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw pathTaken(path, error.message, error)
  })
  if (found === undefined) return
  if (!found.isSocket()) throw pathTaken(path, 'another file is there')
  const isAnswered = await new Promise<boolean>((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
  if (isAnswered) throw pathTaken(path, 'another process listens there')
  await rm(path, { force: true })
}

function requirePath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes <= LONGEST_PATH && path !== '' && !path.includes('\0')) return
  const message = `a socket can't have the path ${JSON.stringify(path)}: it has ${bytes} bytes, and 1 to ${LONGEST_PATH} are possible`
  throw new LabError({ code: 'path-wrong', kind: 'configuration', message })
}

function pathTaken(path: string, why: string, cause?: unknown): LabError {
  const message = `can't listen at ${path}: ${why}`
  return new LabError({ code: 'path-taken', kind: 'configuration', message, ...(cause === undefined ? {} : { cause }) })
}
