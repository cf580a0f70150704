/** A connection to a laboratory's own server for whoever speaks HTTP on it. */
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { unconnected } from './lab-server-client.ts'

export interface OpenConnectionOptions {
  /** Its host and port are all that is reached. */
  readonly base: URL
  readonly ca: string | undefined
  readonly signal: AbortSignal
}

/** Connects, with TLS and its certificate verified where the address is https; rejects with `lab-server-unreachable`, `lab-server-certificate`. */
export function openConnection({ base, ca, signal }: OpenConnectionOptions): Promise<Socket> {
  const host = base.hostname.replace(/^\[|\]$/g, '')
  const secure = base.protocol === 'https:'
  const port = base.port === '' ? (secure ? 443 : 80) : Number(base.port)
  const to = { host, port, allowHalfOpen: true }
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const socket = secure
      ? connectTls({
          ...to,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          ...(ca === undefined ? {} : { ca }),
        })
      : connect({ ...to, noDelay: true })
    const end = () => {
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError)
    }
    const onError = (cause: Error) => {
      end()
      socket.destroy()
      reject(unconnected(base.origin, cause))
    }
    const onAbort = () => {
      end()
      // What it still says is of no interest.
      socket.on('error', () => {})
      socket.destroy()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', onError)
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      end()
      resolve(socket)
    })
  })
}
