/**
 * Keeps the WebSockets of sessions to those who may be there.
 *
 * INVARIANTS: who signs out, loses the role, the token or the course in which they taught the owner is cut off within
 * `RECHECK_MS`, at once where it happened here; a connection that answers no ping is cut.
 */
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { WebSocket } from 'ws'
import type { Accounts } from '../accounts/accounts.ts'
import type { Groups } from '../groups/groups.ts'
import type { Admitted, LiveEntry } from './live-entry.ts'

/** RFC 6455, 7.4.2: close codes for the application. */
export const CLOSE = { signInEnded: 4401, tooSlow: 4408, sessionOver: 4410 } as const

/** One of them, and who is there. */
export interface Watched extends Omit<Admitted, 'session'> {
  readonly session: Pick<Session, 'id' | 'person'>
  readonly socket: WebSocket
}

export interface SocketWatch<Connection extends Watched> {
  readonly connections: ReadonlySet<Connection>
  /** Watches it until it closes. */
  add(connection: Connection): void
  /** Closes it, with a code of `CLOSE` and why. */
  cut(connection: Connection, code: number, why: string): void
  /** Cuts all. */
  stop(): void
}

export interface SocketWatchOptions<Connection> {
  readonly entry: Pick<LiveEntry, 'stays'>
  readonly groups: Pick<Groups, 'onChange'>
  readonly accounts: Pick<Accounts, 'onEnded'>
  readonly clock: Clock
  readonly log: Log
  /** Every `RECHECK_MS`, for each that is there. */
  readonly onTick?: (connection: Connection) => void
}

const RECHECK_MS = 1000
const PING_MS = 20_000

/** Nobody is there yet. */
export function createSocketWatch<Connection extends Watched>(
  options: SocketWatchOptions<Connection>,
): SocketWatch<Connection> {
  const { entry, groups, accounts, clock, log, onTick = () => {} } = options
  const connections = new Set<Connection>()
  const silent = new WeakSet<Connection>()

  const cut = ({ socket }: Connection, code: number, why: string) => {
    if (socket.readyState !== socket.OPEN) return
    socket.close(code, why)
    socket.once(
      'close',
      clock.after(RECHECK_MS, () => socket.terminate()),
    )
  }

  /** Whoever could not come in now does not stay. */
  const recheck = async (connection: Connection) => {
    const stays = await entry.stays(connection)
    if (stays || !connections.has(connection)) return
    cut(connection, CLOSE.signInEnded, 'the sign-in or the right to be here has ended')
  }
  const recheckAll = (concerns: (connection: Connection) => boolean = () => true) => {
    for (const connection of connections) {
      if (!concerns(connection)) continue
      recheck(connection).catch((error: unknown) => {
        log.warn({ error: asLabError(error).message }, 'a sign-in could not be looked up')
      })
    }
  }
  const stopEnded = accounts.onEnded((personId) => recheckAll(({ caller }) => caller.personId === personId))
  const stopGroups = groups.onChange(() => recheckAll(({ place }) => place === 'observer'))

  let sincePingMs = 0
  const tick = () => {
    recheckAll()
    for (const connection of connections) onTick(connection)
    sincePingMs += RECHECK_MS
    if (sincePingMs >= PING_MS) {
      sincePingMs = 0
      for (const connection of connections) {
        if (silent.has(connection)) connection.socket.terminate()
        silent.add(connection)
        connection.socket.ping()
      }
    }
    cancelTick = clock.after(RECHECK_MS, tick)
  }
  let cancelTick = clock.after(RECHECK_MS, tick)

  return {
    connections,
    add: (connection) => {
      const { socket } = connection
      connections.add(connection)
      socket.on('error', (error) => log.debug({ error: error.message }, 'the WebSocket of a session failed'))
      socket.on('pong', () => silent.delete(connection))
      socket.once('close', () => connections.delete(connection))
    },
    cut,
    stop: () => {
      stopEnded()
      stopGroups()
      cancelTick()
      for (const { socket } of connections) socket.terminate()
    },
  }
}
