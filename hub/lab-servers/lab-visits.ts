/**
 * Brings the pages of labs' own servers to browsers, at the origin of labs' pages: the entry, the cookie behind it, and
 * every request until the session is over, or the sign-in by which somebody came.
 *
 * INVARIANTS: nothing is passed on but for whom `visit-hosts.ts` lets in, and of what `visit-rules.ts` leaves; nothing to
 * another address than that of the session's lab.
 */
import type { Agent, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { SessionVisit } from '@fernlab/shared/contracts/sessions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { forward, forwardSocket } from './forward.ts'
import { cookieOf, passName } from './visit-cookies.ts'
import { createVisitHosts, type VisitedSessions, type VisitHost } from './visit-hosts.ts'
import { type SayOptions, saidHeaders, say } from './visit-page.ts'
import {
  cleared,
  isPlainUpgrade,
  opensStart,
  type Refusal,
  refusalFor,
  refusedRequest,
  retrySoon,
} from './visit-rules.ts'
import { createVisitTokens, ENTRY_MS, type Visit } from './visit-tokens.ts'

export interface LabVisits {
  /** An address for the browser of somebody who takes part; throws what `sessions.visit` throws, and `pages-unreachable`. */
  open(visitor: {
    readonly sessionId: string
    readonly personId: string
    readonly signIn: string
    readonly host: string
  }): Promise<SessionVisit>
  /** Answers what is for a lab's own server; false leaves it to others. */
  take(request: IncomingMessage, response: ServerResponse): boolean
  /** The same for requests to speak WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  close(): void
}

export interface CreateLabVisitsOptions {
  readonly sessions: VisitedSessions
  /** Does the sign-in still hold, of such a person, who may use benches at all? */
  readonly mayWork: (visit: Visit) => Promise<boolean>
  /** Calls back with the person whose rights may have changed. */
  readonly onEnded: (listener: (personId: string) => void) => () => void
  readonly tunnels: { agentFor(sessionId: string): Promise<Agent>; requested(sessionId: string): void }
  /** The origin for visits of this session, for who reaches the hub at this host; undefined where there is none. */
  readonly originOf: (host: string, sessionId: string) => string | undefined
  readonly publicUrl: () => string
  /** Is the path one of the files that are served at this origin besides? */
  readonly isPageFile: (path: string) => boolean
  readonly clock: Clock
  readonly log: Log
}

/** Nothing below it is the lab's. */
const OWN_PATH = '/.fernlab/'
const ENTRY = /^\/\.fernlab\/visit\/([\w.-]{1,1000})(\?replace)?$/
const MOST_REQUESTS = 40
const MOST_SOCKETS = 16

/** No browser is anywhere yet. */
export function createLabVisits(options: CreateLabVisitsOptions): LabVisits {
  const { sessions, mayWork, onEnded, tunnels, originOf, publicUrl, isPageFile, clock, log } = options
  const tokens = createVisitTokens({ clock })
  /** A node that is away is told elsewhere, and once. */
  const noteFailure = (error: LabError) => {
    const level = error.kind === 'bug' ? 'error' : 'debug'
    log[level]({ error: error.message }, 'a request to a lab’s own server could not be passed on')
  }
  const hosts = createVisitHosts({ sessions, mayWork, onEnded, noteFailure, clock, log })

  const isSecure = (origin: string) => origin.startsWith('https:')
  /** The visitor's pass; its cookie has another name where browsers come over TLS. */
  const visitOf = ({ headers: { cookie } }: IncomingMessage): Visit | 'unreadable' | undefined => {
    const pass = cookieOf(cookie, passName(true)) ?? cookieOf(cookie, passName(false))
    return pass === undefined ? undefined : (tokens.read(pass) ?? 'unreadable')
  }

  /** Whether it may be passed on, or what to say instead. */
  const admit = async (request: IncomingMessage): Promise<{ visit: Visit; host: VisitHost } | Refusal> => {
    const visit = visitOf(request)
    if (visit === undefined || visit === 'unreadable') return { notice: 'not-open' }
    const { sessionId } = visit
    const host = hosts.of(sessionId)
    // What is said of a session that is over takes back what its lab has left in the browser.
    if (host === undefined || !hosts.isGoingOn(sessionId)) {
      const cookies = hosts.forgetCookies(sessionId) ?? []
      return {
        notice: 'over',
        visit,
        headers: { ...cleared, ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }) },
      }
    }
    const refused = refusedRequest(request, visit)
    if (refused !== undefined) return refused
    return (await hosts.takesPart(visit, host)) ? { visit, host } : { notice: 'not-yours', visit }
  }

  const tell = (
    request: IncomingMessage,
    response: ServerResponse,
    refusal: Refusal,
    more: Partial<SayOptions> = {},
  ) => {
    const { notice, visit, headers } = refusal
    const { accept, 'accept-language': language } = request.headers
    const back = new URL(visit === undefined ? '/' : `/sessions/${visit.sessionId}`, publicUrl()).href
    say(response, {
      notice,
      accept,
      language,
      back,
      isSession: visit !== undefined,
      ...(headers === undefined ? {} : { headers }),
      ...more,
    })
  }

  const enter = async (request: IncomingMessage, response: ServerResponse) => {
    const [, token = '', replace] = ENTRY.exec(request.url ?? '') ?? []
    const known = tokens.look(token)
    if (known === undefined || !opensStart(request)) return tell(request, response, { notice: 'used' })
    const before = visitOf(request)
    const isOther = before !== undefined && before !== 'unreadable' && before.sessionId !== known.sessionId
    if (isOther && hosts.of(before.sessionId) !== undefined && replace === undefined) {
      const goOn = `${OWN_PATH}visit/${token}?replace`
      return tell(request, response, { notice: 'other-open', visit: before }, { goOn })
    }
    const visit = tokens.take(token)
    if (visit === undefined) return tell(request, response, { notice: 'used' })
    const host = hosts.of(visit.sessionId)
    if (host === undefined || !hosts.isGoingOn(visit.sessionId))
      return tell(request, response, { notice: 'over', visit })
    if (!(await hosts.takesPart(visit, host))) return tell(request, response, { notice: 'not-yours', visit })
    const secure = isSecure(visit.origin)
    const pass = `${passName(secure)}=${tokens.pass(visit)}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
    const left = isOther ? hosts.forgetCookies(before.sessionId) : undefined
    response.writeHead(303, {
      location: host.entry,
      'set-cookie': [...(left ?? []), pass],
      ...saidHeaders,
      // What a session before has left here is gone; a page that is opened again keeps what it has.
      ...(isOther ? cleared : {}),
    })
    response.end()
  }

  const passOn = async (request: IncomingMessage, response: ServerResponse) => {
    const admitted = await admit(request)
    if ('notice' in admitted) return tell(request, response, admitted)
    const { visit, host } = admitted
    if (host.requests >= MOST_REQUESTS) return tell(request, response, { notice: 'busy', visit, headers: retrySoon })
    host.requests++
    const connection = hosts.connect(visit, host)
    try {
      const why = await forward(request, response, await betweenOf(visit, host, connection))
      if (why === undefined) return
      const isOver = hosts.of(visit.sessionId) !== host
      const isCut = connection.signal.aborted && !isOver
      tell(request, response, isCut ? { notice: 'not-yours', visit } : refusalFor(why, visit, isOver))
    } finally {
      host.open.delete(connection)
      host.requests--
    }
  }

  const betweenOf = async (visit: Visit, { lab, cookies, use }: VisitHost, connection: AbortController) => {
    const { sessionId, personId, origin } = visit
    const agent = await tunnels.agentFor(sessionId)
    tunnels.requested(sessionId)
    return {
      agent,
      between: { origin, lab, cookies },
      personId,
      use,
      over: connection.signal,
      clock,
    }
  }

  const passSocket = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const admitted = await admit(request)
    if ('notice' in admitted) return refuseSocket(socket, admitted.notice === 'over' ? 410 : 403)
    if (!isPlainUpgrade(request)) return refuseSocket(socket, 400)
    const { visit, host } = admitted
    if (host.sockets >= MOST_SOCKETS) return refuseSocket(socket, 503)
    host.sockets++
    const connection = hosts.connect(visit, host)
    try {
      const why = await forwardSocket(request, { socket, head }, await betweenOf(visit, host, connection))
      if (why !== undefined) refuseSocket(socket, why === 'late' ? 504 : why === 'busy' ? 503 : 502)
    } finally {
      host.open.delete(connection)
      host.sockets--
    }
  }

  const isOurs = (request: IncomingMessage): boolean => {
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    if (path.startsWith(OWN_PATH)) return true
    return !isPageFile(path) && visitOf(request) !== undefined
  }

  return {
    open: async ({ sessionId, personId, signIn, host }) => {
      const { url, through } = await sessions.visit(sessionId)
      if (through === 'direct') return { url, through }
      const origin = originOf(host, sessionId)
      if (origin === undefined) throw noOrigin(host)
      hosts.begin(sessionId, new URL(url), isSecure(origin))
      const token = tokens.entry({ sessionId, personId, signIn, origin })
      const expiresAt = new Date(clock.now() + ENTRY_MS).toISOString()
      return { url: `${origin}${OWN_PATH}visit/${token}`, through, expiresAt }
    },
    take: (request, response) => {
      if (!isOurs(request)) return false
      const isOwnPath = (request.url ?? '').startsWith(OWN_PATH)
      const answered = isOwnPath ? enter(request, response) : passOn(request, response)
      answered.catch((thrown: unknown) => {
        const error = asLabError(thrown)
        noteFailure(error)
        if (response.headersSent) {
          response.destroy()
          return
        }
        const visit = visitOf(request)
        const of = visit === undefined || visit === 'unreadable' ? {} : { visit }
        tell(request, response, { notice: error.code === 'session-not-active' ? 'over' : 'unreachable', ...of })
      })
      return true
    },
    upgrade: (request, socket, head) => {
      if (!isOurs(request) || request.headers.upgrade?.toLowerCase() !== 'websocket') return false
      // After an upgrade request nobody else hears the connection's errors.
      socket.on('error', () => socket.destroy())
      passSocket(request, socket, head).catch((thrown: unknown) => {
        noteFailure(asLabError(thrown))
        refuseSocket(socket, 502)
      })
      return true
    },
    close: hosts.close,
  }
}

function refuseSocket(socket: Duplex, status: number): void {
  const head = `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
  socket.end(head, () => socket.destroy())
}

const noOrigin = (host: string): LabError =>
  new LabError({
    code: 'pages-unreachable',
    kind: 'configuration',
    message: `there is no second origin for labs' own servers at ${host.slice(0, 100)}: set FERNLAB_PAGES_URL to one that a proxy passes to the port of the pages`,
    studentMessage: 'This hub has no address for the lab’s own page yet. Tell the staff.',
  })
