/** A stand-in for the hub: serves the built page with its headers, and the API's objects from memory. */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import type { Run } from '@fernlab/shared/contracts/api'
import type { Session } from '@fernlab/shared/contracts/sessions'
import { docsPage, docsStyle, type OpenApiDocument } from '../../../hub/api/docs-page.ts'
import { openStaticFiles } from '../../../hub/api/static-files.ts'
import { fakeAccount } from './fake-account.ts'
import { type Area, askedOf, json, problem, type Said } from './fake-answers.ts'
import { type FakeBookings, fakeBookings } from './fake-bookings.ts'
import { contentTypes, fakeCatalogue } from './fake-catalogue.ts'
import { fakeFleet } from './fake-fleet.ts'
import { readLabs } from './fake-labs.ts'
import { fakePeople } from './fake-people.ts'
import { type FakePermissions, fakePermissions } from './fake-permissions.ts'
import { fakeRecurring } from './fake-recurring.ts'
import type { FakeRun } from './fake-run.ts'
import { fakeRuns } from './fake-runs.ts'
import type { FakeSession } from './fake-session.ts'
import { fakeSessions } from './fake-sessions.ts'
import { fakeSettings } from './fake-settings.ts'
import { fakeSignIn } from './fake-sign-in.ts'
import { benches } from './fake-staff.ts'
import { type FakeState, fakeState, ownPerson } from './fake-state.ts'
import { fakeUsage } from './fake-usage.ts'
import { KeptPromises } from './kept-promises.ts'

const openApi = new URL('../../../docs/openapi.json', import.meta.url)
const page = fileURLToPath(new URL('../../../hub/web/dist/', import.meta.url))

export interface FakeHub extends FakeState {
  readonly url: string
  /** Runs by id, newest last. */
  readonly runs: Map<string, FakeRun>
  /** While true, every connection is cut without an answer. */
  down: boolean
  readonly permissions: FakePermissions
  readonly bookings: FakeBookings
  addRun(more?: Partial<Run>, points?: number): FakeRun
  /** Live sessions by id, newest last. */
  readonly sessions: Map<string, FakeSession>
  /** A session of the person who is signed in, active unless `more` says otherwise, and its run. */
  addSession(more?: Partial<Session>): FakeSession
  close(): Promise<void>
}

export interface FakeHubOptions {
  /** Wall time between the points of a submitted run; 30 ms unless given. */
  readonly everyMs?: number
  /** Whether somebody is signed in at first. */
  readonly signedIn?: boolean
}

/** Starts the stand-in on a free port. */
export async function startFakeHub({ everyMs = 30, signedIn = true }: FakeHubOptions = {}): Promise<FakeHub> {
  const labs = readLabs()
  const files = await openStaticFiles(page)
  const promises = new KeptPromises()
  const hub = Object.assign(fakeState(signedIn), {
    down: false,
    permissions: fakePermissions(),
    bookings: fakeBookings({
      titleOf: (lab) => labs.get(lab)?.detail.title,
      benchesOf: (lab) => benches.filter((bench) => bench.labs.includes(lab)).map(({ id }) => id),
    }),
  })
  const runs = fakeRuns({ hub, labs, promises, everyMs })
  const sessions = fakeSessions({ hub, labs, runs, promises })
  const recurring = fakeRecurring()

  const usage: Area = ({ collection, url }) => {
    if (collection !== 'usage') return undefined
    const found = fakeUsage(url.pathname.slice('/api/v1/usage'.length), url.searchParams, hub.empty)
    return found === undefined ? problem(404, 'not-found') : json(found)
  }
  const permissions: Area = ({ call, url, body, collection, verb }) => {
    const isAsked = ['groups', 'permissions', 'permission-templates'].includes(collection) || verb === 'permission'
    if (!isAsked) return undefined
    const answer = hub.isSignedIn ? hub.permissions.answer(call, url, body, hub.role) : { status: 401 }
    if (answer?.status === 404) return problem(404, 'group-unknown')
    return answer === undefined ? undefined : relayed(answer)
  }
  const bookings: Area = ({ call, url, body, collection, verb }) => {
    if (!['bookings', 'booking-series'].includes(collection) && verb !== 'calendar') return undefined
    const wanted = { call, url, body, me: ownPerson(hub), role: hub.role }
    const answer = hub.isSignedIn ? hub.bookings.answer(wanted) : { status: 401 }
    return answer === undefined ? undefined : relayed(answer)
  }
  const recurs: Area = ({ call, url, body, collection }) => {
    if (!collection.startsWith('recurring')) return undefined
    const lab = labs.get((body as { lab?: string } | undefined)?.lab ?? 'rc-circuit')?.detail
    const answer = recurring.answer(call, url, body, { owner: ownPerson(hub), lab })
    if (answer.status === 404) return problem(404, 'recurring-unknown')
    if (answer.status >= 400) return problem(answer.status, answer.code ?? '', { hint: answer.hint })
    return hub.empty && call === 'GET /api/v1/recurring' ? json({ items: [] }) : json(answer.body, answer.status)
  }
  const signedInOnly: Area = () => (hub.isSignedIn ? undefined : problem(401, 'sign-in-needed'))

  /** Asked one after the other, until one answers. */
  const areas: readonly Area[] = [
    fakeSignIn(hub),
    usage,
    permissions,
    bookings,
    fakeCatalogue(hub, labs),
    signedInOnly,
    fakeAccount(hub),
    recurs,
    runs.answer,
    sessions.answer,
    fakeFleet(hub),
    fakePeople(hub),
    fakeSettings(hub),
  ]

  const server = createServer((request, response) => {
    if (hub.down) {
      request.socket.destroy()
      return
    }
    void answer(request, response).catch((error: unknown) => {
      // A page that goes elsewhere cuts what is on its way to it.
      if (response.headersSent) {
        response.destroy()
        return
      }
      response.writeHead(500, { 'content-type': 'application/problem+json' })
      response.end(JSON.stringify({ status: 500, code: 'fake-broken', detail: String(error) }))
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://hub')
    if (url.pathname === '/docs' || url.pathname === '/docs/style.css') {
      const style = url.pathname.endsWith('.css')
      response.writeHead(200, { 'content-type': contentTypes[style ? '.css' : '.html'] })
      response.end(style ? docsStyle : docsPage(JSON.parse(readFileSync(openApi, 'utf8')) as OpenApiDocument))
      return
    }
    if (!url.pathname.startsWith('/api/')) {
      await send(await files.answer(requested(url, request)), response)
      return
    }
    const text = await textOf(request)
    const method = request.method ?? 'GET'
    const body: unknown = method === 'GET' ? undefined : JSON.parse(text === '' ? '{}' : text)
    const call = { method, path: request.url ?? '/', body: text }
    promises.call(call)
    const asked = askedOf({ method, url, host: request.headers.host ?? '', body })
    for (const area of areas) {
      const said = await area(asked)
      if (said === undefined) continue
      if ('stream' in said) said.stream(response, request.headers['last-event-id']?.toString())
      else say(said)
      return
    }
    say(problem(404, 'not-found'))

    function say({ status, type, body: said }: Said): void {
      promises.answer(call, { status, type, body: typeof said === 'object' ? undefined : said })
      response.writeHead(status, { 'content-type': type })
      response.end(said)
    }
  }

  server.on('upgrade', (request, socket, head) => {
    const [, , , collection, id = '', verb] = (request.url ?? '').split('/')
    const session = collection === 'sessions' && verb === 'live' && !hub.down ? sessions.all.get(id) : undefined
    if (session === undefined) socket.destroy()
    else session.connect(request, socket, head)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(hub, {
    url: `http://127.0.0.1:${port}`,
    runs: runs.all,
    addRun: runs.add,
    sessions: sessions.all,
    addSession: sessions.add,
    close: async () => {
      for (const run of runs.all.values()) run.stop()
      for (const session of sessions.all.values()) session.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      promises.require()
    },
  })
}

/** What an area says that knows no kinds of answers. */
const relayed = ({ status, body }: { status: number; body?: unknown }): Said =>
  status < 400 ? json(body, status) : problem(status, 'refused', body as object)

const requested = (url: URL, { headers }: IncomingMessage) =>
  new Request(url, {
    headers: { accept: headers.accept ?? '', 'accept-encoding': headers['accept-encoding']?.toString() ?? '' },
  })

async function send(answer: Response | undefined, response: ServerResponse): Promise<void> {
  response.writeHead(answer?.status ?? 404, Object.fromEntries(answer?.headers ?? []))
  if (answer?.body) await pipeline(answer.body, response)
  else response.end()
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
