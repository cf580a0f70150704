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
import { admitUpgrade, headersOf, signInNeeded } from '../api/upgrade.ts'
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
  const admit = () => entry.admit(id, request)
  admitUpgrade({ request, socket, origins, log, what: 'a session', admit }, accept)
}
