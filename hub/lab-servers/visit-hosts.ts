/**
 * The labs' own servers at which sessions take place, and who is let in there.
 *
 * INVARIANTS: who is let in takes part in an active session, asked anew at least every `RECHECK_MS`, and of what is open at
 * once where an account changes; nothing that is open outlasts the session.
 */
import type { LabPageWay, VisitRow } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, type LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { createLabCookies, type LabCookies } from './visit-cookies.ts'
import type { Visit } from './visit-tokens.ts'
import { createVisitUse, type VisitUse } from './visit-use.ts'

/** What of sessions it needs. */
export interface VisitedSessions {
  /** Where the lab's page is; throws `session-not-active`, `no-own-server`, `node-offline`. */
  visit(id: string): Promise<{ readonly url: string; readonly through: LabPageWay }>
  isActive(id: string): boolean
  /** Is the person the owner or a partner of an active session? */
  takesPart(id: string, personId: string): Promise<boolean>
  noteVisit(id: string, rows: VisitRow[]): Promise<unknown>
  onChange(listener: (change: { readonly runId: string; readonly kind: string }) => void): () => void
}

/** A lab's own server while a session takes place there. */
export interface VisitHost {
  readonly lab: string
  readonly entry: string
  readonly cookies: LabCookies
  readonly use: VisitUse
  /** What is being passed on, and for whom. */
  readonly open: Map<AbortController, Visit>
  /** Until when who came by a sign-in is known to take part (monotonic ms). */
  readonly checked: Map<string, number>
  requests: number
  sockets: number
}

export interface VisitHosts {
  /** Makes it known for this session; `secure`: browsers come over TLS. */
  begin(sessionId: string, page: URL, secure: boolean): void
  /** Undefined before anybody has asked for the way there, and when the session is over. */
  of(sessionId: string): VisitHost | undefined
  /** Does the session, as far as is known, still go on there? */
  isGoingOn(sessionId: string): boolean
  /** Lines that take away the cookies that the lab has set in the session, also when it is over. */
  forgetCookies(sessionId: string): string[] | undefined
  takesPart(visit: Visit, host: VisitHost): Promise<boolean>
  /** A connection for the visit, cut at once where the session has ended since it was admitted. */
  connect(visit: Visit, host: VisitHost): AbortController
  close(): void
}

export interface CreateVisitHostsOptions {
  readonly sessions: VisitedSessions
  readonly mayWork: (visit: Visit) => Promise<boolean>
  readonly onEnded: (listener: (personId: string) => void) => () => void
  /** Hears of a look-up that failed. */
  readonly noteFailure: (error: LabError) => void
  readonly clock: Clock
  readonly log: Log
}

const RECHECK_MS = 1000
/** Sessions that are over, whose cookies can still be taken back. */
const MOST_OVER = 200

/** No session takes place anywhere yet. */
export function createVisitHosts(options: CreateVisitHostsOptions): VisitHosts {
  const { sessions, mayWork, onEnded, noteFailure, clock, log } = options
  const hosts = new Map<string, VisitHost>()
  const overCookies = new Map<string, LabCookies>()
  /** What was read of somebody's rights before a change of anybody's lets nobody in. */
  let rightsChanges = 0

  const end = (sessionId: string) => {
    const host = hosts.get(sessionId)
    if (host === undefined) return
    hosts.delete(sessionId)
    overCookies.set(sessionId, host.cookies)
    for (const oldest of overCookies.keys()) if (overCookies.size > MOST_OVER) overCookies.delete(oldest)
    for (const connection of host.open.keys()) connection.abort()
  }
  const stopChanges = sessions.onChange(({ runId, kind }) => {
    if (kind === 'state' && hosts.has(runId) && !sessions.isActive(runId)) end(runId)
  })

  const takesPart = async (visit: Visit, host: VisitHost): Promise<boolean> => {
    const { sessionId, personId, signIn } = visit
    if ((host.checked.get(signIn) ?? 0) > clock.monotonic()) return true
    const before = rightsChanges
    if (!(await sessions.takesPart(sessionId, personId)) || !(await mayWork(visit))) return false
    if (rightsChanges !== before) return takesPart(visit, host)
    host.checked.set(signIn, clock.monotonic() + RECHECK_MS)
    return true
  }

  /** Nobody's connections outlast their right to new ones. */
  const cutWhoMayNot = async (personId: string) => {
    rightsChanges++
    for (const host of hosts.values()) host.checked.clear()
    for (const host of hosts.values()) {
      for (const [connection, visit] of host.open) {
        if (visit.personId !== personId) continue
        const stays = await takesPart(visit, host).catch((error: unknown) => {
          noteFailure(asLabError(error))
          // A look-up that fails permits nothing.
          return false
        })
        if (!stays) connection.abort()
      }
    }
  }
  const stopEnded = onEnded((personId) => void cutWhoMayNot(personId))

  return {
    begin: (sessionId, page, secure) => {
      if (hosts.has(sessionId)) return
      hosts.set(sessionId, {
        lab: page.origin,
        entry: `${page.pathname}${page.search}`,
        cookies: createLabCookies(sessionId, secure),
        use: createVisitUse({ entry: page.pathname, tell: (rows) => sessions.noteVisit(sessionId, rows), log }),
        open: new Map(),
        checked: new Map(),
        requests: 0,
        sockets: 0,
      })
    },
    of: (sessionId) => hosts.get(sessionId),
    isGoingOn: (sessionId) => hosts.has(sessionId) && sessions.isActive(sessionId),
    forgetCookies: (sessionId) => (hosts.get(sessionId)?.cookies ?? overCookies.get(sessionId))?.forget(),
    takesPart,
    connect: (visit, host) => {
      const connection = new AbortController()
      host.open.set(connection, visit)
      if (hosts.get(visit.sessionId) !== host) connection.abort()
      return connection
    },
    close: () => {
      stopChanges()
      stopEnded()
      for (const sessionId of [...hosts.keys()]) end(sessionId)
    },
  }
}
