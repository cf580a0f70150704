/**
 * Who is let on to the WebSocket of a session, and who may stay.
 *
 * INVARIANTS: nobody is let on who may not know of the session; whoever could not come in now does not stay.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Session } from '@fernlab/shared/contracts/sessions'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Accounts } from '../accounts/accounts.ts'
import type { Caller } from '../accounts/caller.ts'
import { can } from '../accounts/can.ts'
import type { ClientAddress } from '../api/client-address.ts'
import { problemResponse } from '../api/problems.ts'
import { isOwnOrigin } from '../broker/listeners.ts'
import type { Groups } from '../groups/groups.ts'
import { placeOf, type SessionPlace } from './place.ts'
import type { Rooms } from './rooms.ts'
import type { Sessions } from './sessions.ts'

/** Somebody who was let on, and what they came in with. */
export interface Admitted {
  readonly session: Session
  readonly place: SessionPlace
  readonly caller: Caller
  readonly headers: Headers
}

export interface LiveEntry {
  /** Throws `sign-in-needed`, `not-found`, `scope-missing` and `too-many-attempts`. */
  admit(id: string, request: IncomingMessage): Promise<Admitted>
  /** Whether they could come in now as what they came in. */
  stays(admitted: Omit<Admitted, 'session'> & { readonly session: Pick<Session, 'id' | 'person'> }): Promise<boolean>
}

export interface LiveEntryOptions {
  readonly sessions: Pick<Sessions, 'get' | 'isPartner'>
  readonly rooms: Pick<Rooms, 'get'>
  readonly groups: Pick<Groups, 'teaches'>
  readonly accounts: Pick<Accounts, 'authenticate'>
  readonly addresses: Pick<ClientAddress, 'of'>
}

const MOST_VIEWERS = 200

/** Asks accounts, groups and sessions as they are at the time. */
export function createLiveEntry(options: LiveEntryOptions): LiveEntry {
  const { sessions, rooms, accounts, addresses } = options
  const mayObserve = async (caller: Caller, session: Pick<Session, 'id' | 'person'>) =>
    can(caller, 'runs.read', { ownerId: session.person.id }) || (await placeOf(options, caller, session)) !== undefined

  return {
    admit: async (id, request) => {
      const headers = headersOf(request)
      const caller = await accounts.authenticate(headers)
      if (caller === undefined) throw signInNeeded()
      const session = await sessions.get(id)
      const place = session === undefined ? undefined : await placeOf(options, caller, session)
      if (session === undefined || place === undefined) {
        throw new LabError({ code: 'not-found', kind: 'caller', message: `the session ${id} does not exist` })
      }
      if (place !== 'observer' && !can(caller, 'runs.submit')) {
        throw new LabError({ code: 'scope-missing', kind: 'caller', message: 'this needs a token with the scope run' })
      }
      if ((rooms.get(id)?.viewers.size ?? 0) >= MOST_VIEWERS) {
        throw new LabError({
          code: 'too-many-attempts',
          kind: 'caller',
          retry: 'later',
          message: 'the session is full',
        })
      }
      const address = addresses.of(request.socket.remoteAddress, headers)
      return { session, place, caller: { ...caller, address }, headers }
    },
    stays: async ({ session, place, caller: before, headers }) => {
      const caller = await accounts.authenticate(headers)
      const same = caller?.personId === before.personId && caller.role === before.role
      return same && (place !== 'observer' || (await mayObserve(caller, session)))
    },
  }
}

export interface LetOn {
  /** The session's. */
  readonly id: string
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly entry: Pick<LiveEntry, 'admit'>
  /** Origins of the hub's own page besides the one of the request's host. */
  readonly origins: () => readonly string[]
  readonly log: Log
}

/** Lets on whoever may be there, from no page of another origin; everybody else is answered why not. */
export function letOn({ id, request, socket, entry, origins, log }: LetOn, accept: (admitted: Admitted) => void): void {
  socket.on('error', () => socket.destroy())
  const refuse = (error: unknown) => void refuseUpgrade(socket, error)
  if (!isOwnOrigin(request.headers.origin, request.headers.host, origins())) {
    log.warn({ origin: request.headers.origin }, 'a page of another origin was refused at a session')
    const message = 'pages of other sites may not come in'
    refuse(new LabError({ code: 'origin-refused', kind: 'caller', message }))
    return
  }
  entry.admit(id, request).then((admitted) => {
    if (!socket.destroyed) accept(admitted)
  }, refuse)
}

/** Answers an upgrade as any other call is refused. */
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

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    if (/^(authorization|cookie|user-agent)$/i.test(name)) headers.append(name, value)
  }
  return headers
}

function signInNeeded(): LabError {
  return new LabError({ code: 'sign-in-needed', kind: 'caller', message: 'this needs somebody who is signed in' })
}
