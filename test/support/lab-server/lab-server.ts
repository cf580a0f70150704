/** A laboratory's own server as labs with weblablib have it, with faults that a test orders. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export interface LabServerSession {
  readonly id: string
  readonly client: Record<string, unknown>
  readonly server: Record<string, unknown>
  readonly back: string
  disposed: number
  /** When a browser was last heard of, its start included; monotonic milliseconds. */
  heardMs: number
}

export interface TestLabServer {
  /** The lab's base address. */
  readonly url: string
  readonly sessions: LabServerSession[]
  /** How often each session was asked for its status, by id. */
  readonly asked: Map<string, number>
  /** How often it was asked for several at once; undefined where it is too old for that. */
  askedTogether: number | undefined
  /** Of how many it tells at once in the time that it is given. */
  mostTogether: number
  /** What `status` answers. */
  shouldFinish: number
  /** A session of which no browser was heard for so long is over; without end unless a test says. */
  awayMs: number
  /** Answers instead of the lab; undefined goes on as usual. */
  instead:
    | ((call: string, request: IncomingMessage, response: ServerResponse) => Promise<boolean> | boolean)
    | undefined
  /** What a browser gets. */
  pages: (request: IncomingMessage, response: ServerResponse) => void
  /** What happens to WebSockets; undefined refuses them. */
  upgrades: ((request: IncomingMessage, socket: Duplex, head: Buffer) => void) | undefined
  /** Connections that are open. */
  readonly connections: Set<Socket>
  /** Dies: connections break, and nobody listens. */
  stop(): Promise<void>
  /** Is back at the same address, and knows nothing of sessions before. */
  start(): Promise<void>
}

export interface TestLabServerOptions {
  /** Below which path the lab is. */
  readonly path?: string
  readonly password?: string
  readonly version?: string
  readonly tls?: { readonly key: string; readonly cert: string }
}

export const LAB_USER = 'fernlab'
export const LAB_PASSWORD = 'a secret of the lab'

/** Starts it on any free port of this machine. */
export async function startTestLabServer(options: TestLabServerOptions = {}): Promise<TestLabServer> {
  const { path = '/lab', password = LAB_PASSWORD, version = '1', tls } = options
  const prefix = `${path}/weblab/sessions/`
  let port = 0
  let made = 0
  let server: Server | undefined

  const answer = (response: ServerResponse, body: object, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  const page = (response: ServerResponse, status: number, text: string) => {
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
    response.end(`<!doctype html><title>${text}</title>`)
  }
  const authorized = ({ headers }: IncomingMessage) =>
    headers.authorization === `Basic ${Buffer.from(`${LAB_USER}:${password}`).toString('base64')}`

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '/', 'http://lab')
    if (!pathname.startsWith(prefix)) {
      // One session at a time: whoever looks at a page is in it.
      for (const session of lab.sessions) session.heardMs = performance.now()
      return lab.pages(request, response)
    }
    const call = pathname.slice(prefix.length)
    if (lab.instead !== undefined && (await lab.instead(call, request, response))) return
    if (call === 'api') return answer(response, { api_version: version })
    if (call === 'status/multiple' && lab.askedTogether === undefined) return page(response, 404, 'Not Found')
    if (!authorized(request)) {
      response.setHeader('www-authenticate', 'Basic realm="Login Required"')
      // Only this one says it in JSON.
      if (call === 'test') return answer(response, { valid: false, error_messages: ['Invalid credentials'] }, 401)
      return page(response, 401, 'You do not seem to be a hub')
    }
    if (call === 'test') return answer(response, { valid: true })
    if (call === '') {
      const body = await bodyOf(request)
      return isStart(body) ? answer(response, begin(body)) : page(response, 500, 'Internal Server Error')
    }
    if (call === 'status/multiple') {
      lab.askedTogether = (lab.askedTogether ?? 0) + 1
      const ids = (await bodyOf(request)).session_ids as string[] | undefined
      if (ids === undefined) return answer(response, { success: false, error_code: 'missing-parameters' })
      // As many as it has time for.
      const told = ids.slice(0, lab.mostTogether).map((id) => [id, statusOf(id)])
      return answer(response, { status: Object.fromEntries(told) })
    }
    const [id = '', what] = call.split('/').map(decodeURIComponent)
    const session = lab.sessions.find((one) => one.id === id)
    if (what === 'status') {
      lab.asked.set(id, (lab.asked.get(id) ?? 0) + 1)
      return answer(response, { should_finish: statusOf(id) })
    }
    const { action } = await bodyOf(request)
    if (action !== 'delete') return answer(response, { message: 'Unknown op' })
    if (session === undefined) return answer(response, { message: 'Not found' })
    // What has been disposed of is for a while known to be.
    if (session.disposed === 0) session.disposed++
    return answer(response, { message: 'Deleted' })
  }

  const statusOf = (id: string) =>
    lab.sessions.some((one) => one.id === id && one.disposed === 0 && performance.now() - one.heardMs < lab.awayMs)
      ? lab.shouldFinish
      : -1

  const begin = (body: Record<string, unknown>) => {
    const id = `s ${++made}?`
    lab.sessions.push({
      id,
      client: body.client_initial_data as Record<string, unknown>,
      server: body.server_initial_data as Record<string, unknown>,
      back: String(body.back),
      disposed: 0,
      heardMs: performance.now(),
    })
    return { url: `${lab.url}callback/${made}`, session_id: id }
  }

  const lab: TestLabServer = {
    get url() {
      return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}${path}/`
    },
    sessions: [],
    asked: new Map(),
    askedTogether: undefined,
    mostTogether: Number.POSITIVE_INFINITY,
    shouldFinish: 5,
    awayMs: Number.POSITIVE_INFINITY,
    instead: undefined,
    pages: (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      response.end('<title>The lab</title><h1>The lab itself</h1>')
    },
    upgrades: undefined,
    connections: new Set(),
    stop: async () => {
      const closing = server
      server = undefined
      if (closing === undefined) return
      const closed = new Promise((resolve) => closing.close(resolve))
      for (const socket of lab.connections) socket.destroy()
      await closed
    },
    start: async () => {
      const take = (request: IncomingMessage, response: ServerResponse) => {
        handle(request, response).catch((error: unknown) => response.destroy(error as Error))
      }
      const starting: Server = tls === undefined ? createServer(take) : createTlsServer(tls, take)
      server = starting
      starting.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
        lab.connections.add(socket)
        socket.once('close', () => lab.connections.delete(socket))
      })
      starting.on('upgrade', (request, socket, head) => {
        if (lab.upgrades === undefined) socket.destroy()
        else lab.upgrades(request, socket, head)
      })
      await new Promise<void>((resolve, reject) => {
        starting.once('error', reject)
        starting.listen(port, '127.0.0.1', resolve)
      })
      port = (starting.address() as AddressInfo).port
    },
  }
  await lab.start()
  return lab
}

/** What such labs read when a session starts, in the form in which they read it. */
function isStart(body: Record<string, unknown>): boolean {
  const told = body.server_initial_data as Record<string, unknown> | undefined
  if (told === undefined || body.client_initial_data === undefined || typeof body.back !== 'string') return false
  const isTime = (name: string) => Number.isFinite(Number.parseFloat(String(told[name])))
  const isText = (name: string) => typeof told[name] === 'string'
  return (
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,6}$/.test(String(told['priority.queue.slot.start'])) &&
    ['priority.queue.slot.start.timestamp', 'priority.queue.slot.length'].every(isTime) &&
    typeof told['priority.queue.slot.initialization_in_accounting'] === 'boolean' &&
    [
      'request.username',
      'request.username.unique',
      'request.full_name',
      'request.locale',
      'request.experiment_id.experiment_name',
      'request.experiment_id.category_name',
    ].every(isText)
  )
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>
}
