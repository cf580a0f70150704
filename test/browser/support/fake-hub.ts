/** A stand-in for the hub: serves the built page with its headers, and the API's objects from memory. */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { AccountExport } from '@fernlab/shared/contracts/account-export'
import type { LabDetail, LabSummary, Me, Run, SubmitRun } from '@fernlab/shared/contracts/api'
import type { Outage, PlanOutages } from '@fernlab/shared/contracts/bench-care'
import type { BookingLetters } from '@fernlab/shared/contracts/booking-notices'
import type { OpenSession, Session } from '@fernlab/shared/contracts/sessions'
import type { SignInRules } from '@fernlab/shared/contracts/sign-in'
import type { UsageRules } from '@fernlab/shared/contracts/usage'
import { checkParameters } from '@fernlab/shared/protocol/parameters'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import { docsPage, docsStyle, type OpenApiDocument } from '../../../hub/api/docs-page.ts'
import { openStaticFiles } from '../../../hub/api/static-files.ts'
import { renderReadme } from '../../../hub/catalogue/render-readme.ts'
import { type FakeBookings, fakeBookings } from './fake-bookings.ts'
import { readLabs } from './fake-labs.ts'
import { type FakePermissions, fakePermissions } from './fake-permissions.ts'
import { fakeRecurring } from './fake-recurring.ts'
import { FakeRun } from './fake-run.ts'
import { FakeSession } from './fake-session.ts'
import {
  auditEntries,
  benches,
  benchHistory,
  invitations,
  nodes,
  ownGroups,
  passkeys,
  people,
  plannedOutages,
  signIns,
  tokens,
} from './fake-staff.ts'
import { fakeUsage, fakeUsagePreview } from './fake-usage.ts'
import { KeptPromises } from './kept-promises.ts'

const openApi = new URL('../../../docs/openapi.json', import.meta.url)
const page = fileURLToPath(new URL('../../../hub/web/dist/', import.meta.url))

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** Where the page of a lab's own server is. */
export const labPage = 'https://lab.example/robot/callback/1'

export interface FakeHub {
  readonly url: string
  /** Runs by id, newest last. */
  readonly runs: Map<string, FakeRun>
  /** While true, every connection is cut without an answer. */
  down: boolean
  /** Whether the hub knows who asks. */
  isSignedIn: boolean
  version: string
  /** Nothing in lists: a hub on its first day. */
  empty: boolean
  /** Of the person who is signed in. */
  role: Me['role']
  /** Whether the person must set up a second factor first. */
  mustSetUp: boolean
  /** Whether the invitation leads into a group. */
  intoGroup: boolean
  readonly permissions: FakePermissions
  readonly bookings: FakeBookings
  /** Of the hub's machine. */
  timeZone: string
  /** Who drives a bench directly, by the bench's id. */
  readonly heldBy: Map<string, 'me' | 'other'>
  /** Benches whose clean-up was not done. */
  readonly unclean: Set<string>
  /** How often a bench's checks were asked for. */
  checked: number
  /** Whether the person gets letters about benches. */
  benchLetters: boolean
  bookingLetters: BookingLetters
  /** Whoever takes a bench waits for this. */
  taking: Promise<void>
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
  const runs = new Map<string, FakeRun>()
  const sessions = new Map<string, FakeSession>()
  let ownName = 'Ana Ruiz'
  const roles = new Map<string, Me['role']>()
  const takenBack = new Set<string>()
  /** Whose second factor was taken away. */
  const withoutFactor = new Set<string>()
  const suspended = new Set<string>()
  let tokensRevoked = false
  const removed = new Set<string>()
  const outages: Outage[] = [...plannedOutages]
  let labServers = { names: false }
  let usageRules: UsageRules = { addressDays: 90, nameDays: null }
  let scheduling = { stepMinutes: 10, windowHours: 168, graceMinutes: 10, warningMinutes: 5 }
  let retention: { dataDays: number | null; runDays: number | null } = { dataDays: 365, runDays: null }
  let rules: SignInRules = { registration: { open: false, domains: [], role: 'student' }, staffSecondFactor: false }
  let openSignIns = signIns
  const left = new Set<string>()
  let factor = { on: false, recoveryCodes: 0 }
  let counter = 0
  const recurring = fakeRecurring()
  const promises = new KeptPromises()
  const hub = {
    isSignedIn: signedIn,
    version: '0.1.0',
    down: false,
    empty: false,
    role: 'admin' as Me['role'],
    intoGroup: false,
    permissions: fakePermissions(),
    bookings: fakeBookings({
      titleOf: (lab) => labs.get(lab)?.detail.title,
      benchesOf: (lab) => benches.filter((bench) => bench.labs.includes(lab)).map(({ id }) => id),
    }),
    runs,
    mustSetUp: false,
    timeZone: 'Europe/Madrid',
    sessions,
    heldBy: new Map<string, 'me' | 'other'>(),
    unclean: new Set<string>(),
    checked: 0,
    benchLetters: false,
    bookingLetters: { wanted: true, possible: true, confirmed: true } as BookingLetters,
    taking: Promise.resolve(),
  }

  const me = () => ({ id: 'p1', name: ownName })

  function addRun(more: Partial<Run> = {}, points = 50): FakeRun {
    const id = more.id ?? `01k${String(counter++).padStart(23, '0')}`
    const lab = labs.get(more.lab ?? 'rc-circuit')?.detail
    const protocol = lab?.protocols.find((one) => one.name === (more.protocol ?? 'charge-curve')) ?? lab?.protocols[0]
    if (lab === undefined || protocol === undefined) throw new Error('no such lab')
    const run = new FakeRun({
      promises,
      points,
      everyMs,
      run: {
        id,
        state: 'queued',
        attempt: 1,
        lab: lab.id,
        labTitle: lab.title,
        labVersion: 1,
        protocol: protocol.name,
        protocolTitle: protocol.title,
        outputTitles: Object.fromEntries(
          Object.entries(protocol.outputs).flatMap(([name, { title }]) => (title === undefined ? [] : [[name, title]])),
        ),
        protocolDigest: protocol.digest,
        restart: protocol.restart,
        bench: null,
        parameters: { voltage: 5, duration: 5, rate: 10 },
        person: { id: 'p1', name: 'Ana' },
        priority: 5,
        createdAt: new Date().toISOString(),
        cancelRequested: false,
        outputs: {},
        missingOutputs: {},
        rows: {},
        ...more,
      },
    })
    runs.set(id, run)
    return run
  }

  function addSession(more: Partial<Session> = {}): FakeSession {
    const id = `01s${String(counter++).padStart(23, '0')}`
    const lab = labs.get(more.lab ?? 'rc-circuit')
    if (lab?.session === undefined) throw new Error('no such lab, or none that is driven live')
    const now = Date.now()
    const state = more.state ?? 'active'
    const { title, parts } = lab.detail
    const session = new FakeSession({
      session: {
        id,
        state,
        lab: lab.detail.id,
        labTitle: title,
        bench: state === 'waiting' ? null : 'demo.rc-1',
        person: me(),
        partners: [],
        ...lab.session.times,
        createdAt: new Date(now).toISOString(),
        ...(state === 'active'
          ? {
              activeAt: new Date(now).toISOString(),
              endsAt: new Date(now + lab.session.times.seconds * 1000).toISOString(),
            }
          : {}),
        panel: lab.session.panel,
        ...more,
      },
      units: new Map(
        Object.entries(parts as Record<string, InstrumentSpec>).flatMap(([part, { signals }]) =>
          signals.map(({ name, unit }) => [`${part}.${name}`, unit]),
        ),
      ),
      me: me(),
      promises,
    })
    sessions.set(id, session)
    const runState = {
      waiting: 'queued',
      preparing: 'assigned',
      active: 'running',
      finishing: 'running',
      closed: 'succeeded',
    } as const
    addRun({
      id,
      lab: session.session.lab,
      protocol: '_session',
      session: true,
      protocolTitle: { en: 'Live session', es: 'Sesión en directo' },
      state: runState[state],
      person: session.session.person,
      parameters: {},
      ...(session.session.estimatedStart === undefined ? {} : { estimatedStart: session.session.estimatedStart }),
    })
    return session
  }

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
    const path = decodeURIComponent(url.pathname)
    if (path === '/docs' || path === '/docs/style.css') {
      const style = path.endsWith('.css')
      response.writeHead(200, { 'content-type': style ? types['.css'] : types['.html'] })
      response.end(style ? docsStyle : docsPage(JSON.parse(readFileSync(openApi, 'utf8')) as OpenApiDocument))
      return
    }
    if (!path.startsWith('/api/')) {
      await send(await files.answer(requested(url, request)), response)
      return
    }
    const text = await textOf(request)
    const body: unknown = request.method === 'GET' ? undefined : JSON.parse(text === '' ? '{}' : text)
    const asked = { method: request.method ?? 'GET', path: request.url ?? '/', body: text }
    promises.call(asked)
    const say = (status: number, type: string, said?: string | Uint8Array) => {
      promises.answer(asked, { status, type, body: typeof said === 'object' ? undefined : said })
      response.writeHead(status, { 'content-type': type })
      response.end(said)
    }
    const json = (value: unknown, status = 200) =>
      say(status, 'application/json', value === undefined ? undefined : JSON.stringify(value))
    const problem = (status: number, code: string, more: object = {}) =>
      say(
        status,
        'application/problem+json',
        JSON.stringify({ type: `urn:${code}`, title: code, status, detail: code, code, ...more }),
      )
    /** What another stand-in answers. */
    const reply = ({ status, body: said }: { status: number; body?: unknown }) =>
      status < 400 ? json(said, status) : problem(status, 'refused', said as object)
    const call = `${request.method} ${path}`
    const listed = <T>(items: readonly T[]) => json({ items: hub.empty ? [] : items })

    if (call === 'GET /api/v1/site') {
      return json({
        site: 'demo',
        title: 'Demo hub',
        version: hub.version,
        timeZone: hub.timeZone,
        setupNeeded: false,
        mail: true,
        registration: rules.registration.open
          ? { open: true, domains: rules.registration.domains }
          : { open: false, domains: [] },
        passkeysAt: `http://${request.headers.host}`,
      })
    }
    if (call === 'POST /api/auth/sign-in/email') {
      if ((body as { password?: string }).password !== 'correct horse') return problem(401, 'sign-in-refused')
      if (factor.on) return json({ secondFactor: true, by: ['code'] })
      hub.isSignedIn = true
      return json({ redirect: false, token: 's1', user: user(ownName) })
    }
    if (call === 'POST /api/v1/sign-in/second-factor') {
      if ((body as { code: string }).code !== '123456')
        return problem(401, 'code-wrong', { hint: 'This code is wrong.' })
      hub.isSignedIn = true
      return json({ id: 'p1', name: ownName, email: 'ana@school.example', role: hub.role })
    }
    if (call === 'POST /api/v1/setup/check') {
      const good = (body as { token?: string }).token === 'once'
      return good
        ? json(undefined, 204)
        : problem(410, 'link-used-or-expired', {
            hint: 'This set-up link no longer works. Start the hub again for a new one.',
          })
    }
    if (call === 'POST /api/v1/setup') {
      hub.isSignedIn = true
      return json({ id: 'p1', name: 'Ana', email: 'ana@school.example', role: 'admin' }, 201)
    }
    if (call === 'POST /api/auth/sign-out') {
      hub.isSignedIn = false
      return json({ success: true })
    }
    if (call === 'POST /api/v1/join/check') {
      const good = (body as { token?: string }).token === 'once'
      return good
        ? json({
            role: 'student',
            by: 'Bo Lindqvist',
            register: true,
            ...(hub.intoGroup ? { group: { id: 'optics', name: 'Optics, spring' } } : {}),
          })
        : problem(410, 'invitation-over', { hint: 'This invitation no longer works.' })
    }
    if (call === 'POST /api/v1/join') {
      if ((body as { email?: string }).email === 'ana@school.example') {
        return problem(409, 'address-taken', { hint: 'There is an account with this mail address.' })
      }
      hub.isSignedIn = true
      return json({ id: 'p1', name: 'Ana', email: 'new@school.example', role: 'student' }, 201)
    }
    if (call === 'POST /api/v1/password/forgot') return json({ message: 'A letter with a link is on its way.' }, 202)
    if (call === 'POST /api/v1/password/reset') return json(undefined, 204)
    if (call === 'POST /api/v1/register') return json({ message: 'A letter with a link is on its way.' }, 202)
    if (call === 'POST /api/v1/register/check' || call === 'POST /api/v1/address/confirm') {
      const good = (body as { token?: string }).token === 'once'
      return good
        ? json({ ...(call === 'POST /api/v1/address/confirm' ? {} : { name: 'Nils' }), email: 'nils@school.example' })
        : problem(410, 'link-used-or-expired', {
            hint: 'This link was used, replaced by a later one, or is older than a day.',
          })
    }
    if (call === 'POST /api/v1/register/confirm') {
      hub.isSignedIn = true
      return json({ id: 'p1', name: 'Nils', email: 'nils@school.example', role: 'student' }, 201)
    }
    if (call === 'GET /api/v1/labs') {
      return listed(
        [...labs.values()].map(({ detail }) => ({
          ...summaryOf(detail),
          benches: benchesOf(detail.id),
          estimatedWaitS: detail.id === 'rc-circuit' ? 0 : detail.id === 'membrane' ? 372 : null,
          queueLength: detail.id === 'membrane' ? 2 : 0,
        })),
      )
    }
    const [, , , collection = '', id = '', verb = '', ...rest] = path.split('/')
    if (collection === 'usage') {
      const found = fakeUsage(url.pathname.slice('/api/v1/usage'.length), url.searchParams, hub.empty)
      return found === undefined ? problem(404, 'not-found') : json(found)
    }
    if (['groups', 'permissions', 'permission-templates'].includes(collection) || verb === 'permission') {
      const answer = hub.isSignedIn ? hub.permissions.answer(call, url, body, hub.role) : { status: 401 }
      if (answer?.status === 404) return problem(404, 'group-unknown')
      if (answer !== undefined) return reply(answer)
    }
    if (['bookings', 'booking-series'].includes(collection) || verb === 'calendar') {
      const wanted = { call, url, body, me: me(), role: hub.role }
      const answer = hub.isSignedIn ? hub.bookings.answer(wanted) : { status: 401 }
      if (answer !== undefined) return reply(answer)
    }
    if (collection === 'labs') {
      const lab = labs.get(id)
      if (lab === undefined) return problem(404, 'lab-unknown')
      if (verb === 'files') {
        const file = lab.files[rest.join('/')]
        if (file === undefined) return problem(404, 'file-unknown')
        return say(200, types[extname(path)] ?? 'application/octet-stream', file)
      }
      if (verb === 'readme') {
        const asked = url.searchParams.get('language') ?? 'en'
        const language = Object.hasOwn(lab.detail.readme, asked) ? asked : 'en'
        return json({ language, nodes: renderReadme(lab.detail.readme[language] ?? '', lab.detail.filesUrl) })
      }
      return json({ ...lab.detail, benches: benchesOf(id) })
    }
    if (!hub.isSignedIn) return problem(401, 'sign-in-needed')
    if (call === 'POST /api/v1/join/accept') return json({ group: 'optics' })
    if (call === 'GET /api/v1/me') {
      const mustSetUp = hub.mustSetUp ? { mustSetUp: 'second-factor' } : {}
      const { language, timeZone } = hub.bookingLetters
      const place = { ...(language ? { language } : {}), ...(timeZone ? { timeZone } : {}) }
      return json({ id: 'p1', name: ownName, email: 'ana@school.example', role: hub.role, ...place, ...mustSetUp })
    }
    if (path.startsWith('/api/v1/me/groups')) {
      if (request.method === 'GET') return json({ items: ownGroups.filter(({ id }) => !left.has(id)) })
      left.add(path.split('/').at(-1) ?? '')
      return json(undefined, 204)
    }
    if (path.startsWith('/api/v1/me/sign-ins')) {
      if (request.method === 'GET') return json({ items: openSignIns })
      const ended = path.split('/').at(-1)
      openSignIns = openSignIns.filter(({ id, here }) => here || (ended !== 'end-others' && id !== ended))
      return json(undefined, 204)
    }
    if (call === 'GET /api/v1/me/passkeys') return json({ items: passkeys })
    if (call === 'GET /api/v1/me/second-factor') return json({ ...factor, required: hub.mustSetUp })
    if (path.startsWith('/api/v1/me/second-factor')) {
      const { password, code } = body as { password?: string; code?: string }
      const recoveryCodes = ['7K3QM-X2V9R-0HJ4T', 'WBN8C-3M5PD-Y1S6G', 'F4K9Z-T7QX2-HN0V8']
      if (code !== undefined) {
        if (code !== '123456') return problem(401, 'code-wrong', { hint: 'This code is wrong.' })
        factor = { on: true, recoveryCodes: 8 }
        hub.mustSetUp = false
        return json({ recoveryCodes })
      }
      if (password !== 'correct horse') return problem(401, 'wrong-credentials', { hint: 'The password is wrong.' })
      if (path.endsWith('/recovery-codes')) return json({ recoveryCodes })
      if (path.endsWith('/remove')) {
        factor = { on: false, recoveryCodes: 0 }
        return json(undefined, 204)
      }
      const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
      return json({ secret, uri: `otpauth://totp/demo:ana%40school.example?secret=${secret}&issuer=demo` }, 201)
    }
    if (call === 'PUT /api/v1/me') {
      ownName = (body as { name: string }).name.trim()
      return json({ id: 'p1', name: ownName, email: 'ana@school.example', role: hub.role })
    }
    if (call === 'POST /api/auth/change-password') {
      const { currentPassword } = body as { currentPassword: string }
      return currentPassword === 'correct horse'
        ? json({ token: 's2', user: user(ownName) })
        : problem(401, 'wrong-credentials', { hint: 'The address or the password is wrong.' })
    }
    if (call === 'POST /api/v1/me/address') {
      return (body as { password: string }).password === 'correct horse'
        ? json({ message: 'A letter with a link is on its way.' }, 202)
        : problem(401, 'wrong-credentials', { hint: 'The password is wrong.' })
    }
    if (call === 'POST /api/v1/me/sign-out-everywhere') {
      hub.isSignedIn = false
      return json(undefined, 204)
    }
    if (call === 'POST /api/v1/me/close') {
      if ((body as { password: string }).password !== 'correct horse') {
        return problem(401, 'wrong-credentials', { hint: 'The password is wrong.' })
      }
      hub.isSignedIn = false
      return json(undefined, 204)
    }
    if (call === 'GET /api/v1/me/export') return json(exportOf({ id: 'p1', name: ownName, role: hub.role }))
    if (collection.startsWith('recurring')) {
      const lab = labs.get((body as { lab?: string } | undefined)?.lab ?? 'rc-circuit')?.detail
      const answer = recurring.answer(call, url, body, { owner: me(), lab })
      if (answer.status === 404) return problem(404, 'recurring-unknown')
      if (answer.status >= 400) return problem(answer.status, answer.code ?? '', { hint: answer.hint })
      return hub.empty && call === 'GET /api/v1/recurring' ? listed([]) : json(answer.body, answer.status)
    }
    if (call === 'GET /api/v1/runs') {
      const states = url.searchParams.get('state')?.split(',')
      const items = [...runs.values()]
        .map(({ run }) => run)
        .filter((run) => states === undefined || states.includes(run.state))
        .filter((run) => (url.searchParams.get('lab') ?? run.lab) === run.lab)
        .filter((run) => (url.searchParams.get('person') ?? run.person.id) === run.person.id)
        .reverse()
      const limit = Number(url.searchParams.get('limit') ?? 50)
      const from = Number(url.searchParams.get('cursor') ?? 0)
      const next = from + limit
      return json({
        items: hub.empty ? [] : items.slice(from, next),
        ...(next < items.length ? { cursor: String(next) } : {}),
      })
    }
    if (call === 'POST /api/v1/runs') {
      const sent = body as SubmitRun
      const protocol = labs.get(sent.lab)?.detail.protocols.find((one) => one.name === sent.protocol)
      if (protocol === undefined) return problem(404, 'protocol-unknown')
      const { values, issues } = checkParameters(protocol.definition as Protocol, sent.parameters)
      if (issues.length > 0) return problem(422, 'parameters-invalid', { issues })
      const run = addRun({ lab: sent.lab, protocol: sent.protocol, parameters: values as Run['parameters'] })
      run.play()
      return json(run.run, 201)
    }
    if (collection === 'runs') {
      const run = runs.get(id)
      if (run === undefined) return problem(404, 'run-unknown')
      if (verb === 'events') {
        run.connect(response, request.headers['last-event-id']?.toString())
        return
      }
      if (verb === 'data.json') return json(run.data())
      if (verb === 'documents') {
        return say(
          200,
          'application/jsonl',
          `${JSON.stringify({ name: 'descriptor', doc: { configuration: { psu: { data: { psu_range: 30 }, data_keys: { psu_range: { units: 'V' } } } } } })}\n`,
        )
      }
      if (verb === 'cancel') {
        run.end('cancelled', { reason: 'cancelled on request', cancelRequested: true })
        return json(run.run)
      }
      return json(run.run)
    }
    if (call === 'GET /api/v1/sessions') {
      const all = [...sessions.values()].map(({ session }) => session).reverse()
      const wanted = url.searchParams.get('open') === 'true' ? all.filter(({ state }) => state !== 'closed') : all
      const from = Number(url.searchParams.get('cursor') ?? 0)
      const next = from + Number(url.searchParams.get('limit') ?? 50)
      return json({
        items: hub.empty ? [] : wanted.slice(from, next),
        ...(next < wanted.length ? { cursor: String(next) } : {}),
      })
    }
    if (call === 'POST /api/v1/sessions') {
      const { lab, seconds, bench } = body as OpenSession
      const wanted = bench === undefined ? {} : { wantedBench: bench }
      return json(addSession({ lab, ...(seconds === undefined ? {} : { seconds }), ...wanted }).session, 201)
    }
    if (call === 'POST /api/v1/sessions/join') {
      const [session] = sessions.values()
      return (body as { token?: string }).token === 'once' && session !== undefined
        ? json(session.session)
        : problem(410, 'link-used-or-expired', {
            hint: 'This session is over, or the link was replaced. Ask for a new one.',
          })
    }
    if (collection === 'sessions') {
      const found = sessions.get(id)
      if (found === undefined) return problem(404, 'session-unknown')
      if (verb === 'link') {
        return json({ token: 'once', link: `http://${request.headers.host}/sessions/join#token=once` }, 201)
      }
      if (verb === 'visit') return json({ url: labPage, through: 'direct' })
      if (verb === 'extend') {
        const { seconds } = body as { seconds: number }
        const { session } = found
        const endsAt = new Date(Date.parse(session.endsAt ?? '') + seconds * 1000).toISOString()
        found.become({ seconds: session.seconds + seconds, endsAt })
      }
      if (verb === 'finish') {
        const run = runs.get(id)
        run?.end('succeeded', { rows: { readings: 1200, commands: 14 }, reason: 'it was finished' })
        found.become({ state: 'closed', endedAt: new Date().toISOString(), reason: 'it was finished' })
      }
      return json(found.session)
    }
    if (call === 'GET /api/v1/benches') {
      return listed(
        benches.map((bench) => ({
          ...bench,
          ...held(hub.heldBy.get(bench.id)),
          ...(hub.unclean.has(bench.id) ? notCleanedUp : {}),
        })),
      )
    }
    if (call === 'GET /api/v1/me/booking-letters') return json(hub.bookingLetters)
    if (call === 'PUT /api/v1/me/booking-letters') {
      hub.bookingLetters = { ...hub.bookingLetters, ...(body as Partial<BookingLetters>) }
      return json(hub.bookingLetters)
    }
    if (call === 'GET /api/v1/me/bench-letters') return json({ wanted: hub.benchLetters, possible: true })
    if (call === 'PUT /api/v1/me/bench-letters') {
      hub.benchLetters = (body as { wanted: boolean }).wanted
      return json({ wanted: hub.benchLetters, possible: true })
    }
    if (collection === 'benches' && verb === 'history') return json(benchHistory)
    if (collection === 'benches' && verb === 'checks') {
      hub.checked++
      return json(benches.find((bench) => bench.id === id))
    }
    if (collection === 'benches' && verb === 'put-back') {
      hub.unclean.delete(id)
      return json(benches.find((bench) => bench.id === id))
    }
    if (collection === 'benches' && verb === 'lease') {
      if (request.method === 'DELETE') {
        hub.heldBy.delete(id)
        return json({ safe: true })
      }
      const { lease, resume } = body as { lease?: string; resume?: boolean }
      const holder = hub.heldBy.get(id)
      if (holder === 'other' || (holder === 'me' && lease === undefined && resume !== true)) {
        return problem(409, 'bench-busy')
      }
      hub.heldBy.set(id, 'me')
      await hub.taking
      const check = benches.find((one) => one.id === id)?.checks?.find(({ underWay }) => underWay !== undefined)
      const ended = lease !== undefined || resume !== true || check === undefined ? {} : { endedCheck: check.title }
      return json({ lease: 'l1', expiresAt: new Date(Date.now() + 120_000).toISOString(), ...ended })
    }
    if (collection === 'benches' && verb === 'exchange') {
      const { lease, set = {}, read = [] } = body as { lease?: string; set?: Record<string, unknown>; read?: string[] }
      if (hub.heldBy.has(id) && lease === undefined) {
        const hint = 'An instrument of this bench failed. What was measured until then is kept.'
        return problem(409, 'bench-busy', { hint })
      }
      if (set['psu.current_limit'] === 0.4) return problem(422, 'value-out-of-limits', { hint: 'it takes 0.3 A' })
      const time = new Date().toISOString()
      return json({
        readings: Object.fromEntries(
          read.map((name) => [name, { value: name.endsWith('.output') ? false : 3.3012, unit: 'V', time }]),
        ),
      })
    }
    if (collection === 'benches' && verb === 'outages') {
      const mine = outages.filter(({ bench }) => bench === id)
      if (request.method === 'GET') return json({ items: mine })
      if (request.method === 'DELETE') {
        const at = outages.findIndex((outage) => outage.id === rest[0])
        if (at === -1) return problem(404, 'outage-unknown')
        outages.splice(at, 1)
        return json(undefined, 204)
      }
    }
    if (call === 'POST /api/v1/outages') {
      const { benches: closed, ...planned } = body as PlanOutages
      const made = closed.map(
        (bench, at): Outage => ({
          id: `o${outages.length + 1 + at}`,
          bench,
          reason: planned.reason,
          atOnce: planned.atOnce ?? false,
          from: planned.from ?? new Date().toISOString(),
          ...(planned.until === undefined ? {} : { until: planned.until }),
          ...(planned.weekly === undefined ? {} : { weekly: { ...planned.weekly, timeZone: 'Europe/Madrid' } }),
          inForce: planned.from === undefined && planned.weekly === undefined,
          createdBy: ownName,
          createdAt: new Date().toISOString(),
        }),
      )
      outages.push(...made)
      return json({ items: made }, 201)
    }
    if (call === 'GET /api/v1/nodes') return listed(nodes.filter(({ id }) => !removed.has(id)))
    if (collection === 'nodes' && verb === 'removal')
      return json({ benches: ['physics-2.diode-1'], waiting: 2, runsKept: 1 })
    if (collection === 'nodes' && request.method === 'DELETE') {
      if (url.searchParams.get('confirm') !== id) return problem(422, 'not-confirmed')
      removed.add(id)
      return json(undefined, 204)
    }
    if (call === 'POST /api/v1/nodes') {
      const { node } = body as { node: string }
      return json(
        {
          node,
          code: 'K7QM-4XWD-9RTB',
          expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
          mqtt: ['mqtt://127.0.0.1:1883'],
        },
        201,
      )
    }
    if (call === 'GET /api/v1/tokens') {
      const revokedAt = new Date().toISOString()
      return listed(tokensRevoked ? tokens.map((token) => ({ ...token, revokedAt })) : tokens)
    }
    if (call === 'POST /api/v1/tokens/revoke-all') {
      tokensRevoked = true
      return json(undefined, 204)
    }
    if (call === 'POST /api/v1/tokens') {
      const { name, scopes } = body as { name: string; scopes: string[] }
      return json({ ...tokens[0], name, scopes, token: 'fl_3Jx8mQ2vZt7KpWc5Rb9LnYd4' }, 201)
    }
    if (call === 'GET /api/v1/users') {
      const q = (url.searchParams.get('q') ?? '').toLowerCase()
      return json({
        items: people
          .filter(({ role }) => !url.searchParams.has('group') || role === 'student')
          .map(({ secondFactor, ...person }) => ({
            ...person,
            role: roles.get(person.id) ?? person.role,
            ...(secondFactor === true && !withoutFactor.has(person.id) ? { secondFactor } : {}),
            ...(suspended.has(person.id) ? { suspendedAt: new Date().toISOString() } : {}),
          }))
          .filter(({ role }) => (url.searchParams.get('role') ?? role) === role)
          .filter(({ name, email }) => `${name} ${email}`.toLowerCase().includes(q)),
      })
    }
    if (call === 'GET /api/v1/users/import') return json({ items: [] })
    if (call === 'POST /api/v1/users/import') {
      const { csv, role, preview } = body as { csv: string; role: Me['role']; preview: boolean }
      const lines = csv.trim().split('\n').slice(1)
      const wrong = lines.findIndex((line) => !line.includes('@'))
      if (wrong >= 0) {
        return problem(422, 'import-invalid', {
          hint: 'The list has mistakes. Nobody was made: mend the lines below and choose the list again.',
          issues: [
            {
              path: `csv[${wrong + 2}].email`,
              message: `line ${wrong + 2}: "${lines[wrong]?.split(',')[1]}" is not a mail address`,
            },
          ],
        })
      }
      const listed = lines.map((text, index) => {
        const [name = '', email = ''] = text.split(',')
        const known = people.some((person) => person.email === email)
        const { group } = body as { group?: string }
        const link = known || preview ? {} : { link: `https://lab.school.example/reset#token=t${index}` }
        return { line: index + 2, name, email, role, groups: group === undefined ? [] : [group], known, ...link }
      })
      const fresh = listed.filter(({ known }) => !known).length
      const joining = listed.filter(({ known, groups }) => known && groups.length > 0).length
      return json({ letters: false, count: listed.length, fresh, joining, people: listed })
    }
    if (collection === 'users' && (verb === 'suspend' || verb === 'restore')) {
      if (verb === 'suspend') suspended.add(id)
      else suspended.delete(id)
      return json(undefined, 204)
    }
    if (collection === 'users' && (verb === 'second-factor' || verb === 'revoke-tokens')) {
      if (verb === 'second-factor') withoutFactor.add(id)
      return json(undefined, 204)
    }
    if (collection === 'users') {
      const { role } = body as { role: Me['role'] }
      if (id === 'p1' && role !== 'admin') {
        return problem(409, 'last-admin', { hint: 'This is the only admin who can sign in.' })
      }
      roles.set(id, role)
      return json({ ...people.find((person) => person.id === id), role })
    }
    if (call === 'GET /api/v1/invitations') return listed(invitations.filter((one) => !takenBack.has(one.id)))
    if (call === 'POST /api/v1/invitations') {
      const link = 'https://lab.school.example/join#token=q8Zt5xW2mB7cVn4RkLd9'
      const { expiresInDays: _, ...given } = body as { expiresInDays: number }
      return json({ ...invitations[0], ...given, used: 0, link }, 201)
    }
    if (collection === 'invitations') {
      takenBack.add(id)
      return json(undefined, 204)
    }
    if (call === 'GET /api/v1/audit') {
      const wanted = Object.fromEntries(url.searchParams)
      const fitting = auditEntries.filter(
        (entry) =>
          (wanted.person ?? entry.person) === entry.person &&
          (wanted.subject ?? entry.subject) === entry.subject &&
          `${entry.action}.`.startsWith(wanted.action === undefined ? '' : `${wanted.action}.`) &&
          entry.at >= (wanted.from ?? '') &&
          entry.at < (wanted.to ?? '9'),
      )
      const from = Number(wanted.cursor ?? 0)
      const next = from + Number(wanted.limit)
      return json({
        items: hub.empty ? [] : fitting.slice(from, next),
        ...(next < fitting.length ? { cursor: String(next) } : {}),
      })
    }
    if (call === 'GET /api/v1/storage') {
      return json({
        databaseBytes: 184_000_000,
        freeBytes: 22_400_000_000,
        acceptingRuns: true,
        retention,
      })
    }
    if (path === '/api/v1/settings/sign-in') {
      if (request.method === 'PUT') rules = body as SignInRules
      return json(rules)
    }
    if (path === '/api/v1/settings/lab-servers') {
      if (request.method === 'PUT') labServers = body as typeof labServers
      return json(labServers)
    }
    if (path === '/api/v1/settings/usage') {
      if (request.method === 'PUT') usageRules = body as UsageRules
      return json(usageRules)
    }
    if (call === 'POST /api/v1/settings/usage/preview') return json(fakeUsagePreview(body as UsageRules))
    if (call === 'GET /api/v1/settings/scheduling') return json(scheduling)
    if (call === 'PUT /api/v1/settings/scheduling') {
      scheduling = body as typeof scheduling
      return json(body)
    }
    if (call === 'PUT /api/v1/settings/retention') {
      retention = body as typeof retention
      return json(body)
    }
    return problem(404, 'not-found')
  }

  server.on('upgrade', (request, socket, head) => {
    const [, , , collection, id = '', verb] = (request.url ?? '').split('/')
    const session = collection === 'sessions' && verb === 'live' && !hub.down ? sessions.get(id) : undefined
    if (session === undefined) socket.destroy()
    else session.connect(request, socket, head)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(hub, {
    url: `http://127.0.0.1:${port}`,
    addRun,
    addSession,
    close: async () => {
      for (const run of runs.values()) run.stop()
      for (const session of sessions.values()) session.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      promises.require()
    },
  })
}

/** As a list of labs has them. */
const benchesOf = (lab: string): LabDetail['benches'] =>
  benches
    .filter(({ labs }) => labs.includes(lab))
    .map(({ id, title, state, reason }) => ({
      id,
      state,
      ...(title === undefined ? {} : { title }),
      ...(reason === undefined ? {} : { reason }),
    }))

function summaryOf({
  id,
  title,
  summary,
  subject,
  level,
  picture,
  version,
  protocols,
  ...rest
}: LabDetail): LabSummary {
  return {
    id,
    title,
    summary,
    ...(subject === undefined ? {} : { subject }),
    ...(level === undefined ? {} : { level }),
    ...(picture === undefined ? {} : { picture }),
    version,
    benches: rest.benches,
    queueLength: rest.queueLength,
    estimatedWaitS: rest.estimatedWaitS,
    protocols: protocols.map((protocol) => ({ name: protocol.name, title: protocol.title })),
  }
}

const exportOf = (person: Pick<Me, 'id' | 'name' | 'role'>): AccountExport => ({
  exportedAt: new Date().toISOString(),
  person: { ...person, email: 'ana@school.example' },
  ...{ tokens: [], passkeys: [], sessions: [], origins: [], downloads: [], groups: [], invitations: [] },
  ...{ bookings: [], series: [], recurring: [], permissions: [], partnerIn: [], chat: [], notices: [], letters: [] },
  ...{ audit: [], directUses: [], runs: [] },
})

const user = (name: string) => ({
  id: 'p1',
  name,
  email: 'ana@school.example',
  emailVerified: true,
  image: null,
  createdAt: '2026-09-01T08:00:00.000Z',
  updatedAt: '2026-09-01T08:00:00.000Z',
})

const notCleanedUp = {
  state: 'fault',
  reason: 'the clean-up after session s1 was not done: the supply did not answer',
  out: true,
}

const held = (holder: 'me' | 'other' | undefined) =>
  holder === undefined
    ? {}
    : {
        state: 'busy',
        reason: 'it is being used directly',
        leased: true,
        ...(holder === 'me' ? { mine: true } : {}),
      }

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
