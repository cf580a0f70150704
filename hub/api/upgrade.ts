/** WebSockets of the API: who is let on, and how everybody else is told why not. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { isOwnOrigin } from '../broker/listeners.ts'
import { problemResponse } from './problems.ts'

export interface AdmitUpgrade<Admitted> {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** Origins of the hub's own page besides the one of the request's host. */
  readonly origins: () => readonly string[]
  readonly log: Log
  /** What it is for, as the log names it. */
  readonly what: string
  /** Rejects for who may not come in. */
  readonly admit: () => Promise<Admitted>
}

/** Lets on whoever may be there, from no page of another origin; everybody else is answered why not, as any call is. */
export function admitUpgrade<Admitted>(
  { request, socket, origins, log, what, admit }: AdmitUpgrade<Admitted>,
  accept: (admitted: Admitted) => void,
): void {
  socket.on('error', () => socket.destroy())
  const refuse = (error: unknown) => void refuseUpgrade(socket, error)
  if (!isOwnOrigin(request.headers.origin, request.headers.host, origins())) {
    log.warn({ origin: request.headers.origin }, `a page of another origin was refused at ${what}`)
    refuse(new LabError({ code: 'origin-refused', kind: 'caller', message: 'pages of other sites may not come in' }))
    return
  }
  admit().then((admitted) => {
    if (!socket.destroyed) accept(admitted)
  }, refuse)
}

async function refuseUpgrade(socket: Duplex, error: unknown): Promise<void> {
  const response = problemResponse(error)
  const body = await response.text()
  const head = [
    `HTTP/1.1 ${response.status} Refused`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

/** Of an upgrade request, those by which somebody is known. */
export function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    if (/^(authorization|cookie|user-agent)$/i.test(name)) headers.append(name, value)
  }
  return headers
}

export function signInNeeded(): LabError {
  return new LabError({ code: 'sign-in-needed', kind: 'caller', message: 'this needs somebody who is signed in' })
}
