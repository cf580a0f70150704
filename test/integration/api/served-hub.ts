import type { AddressInfo } from 'node:net'
import { createAccounts } from '@fernlab/hub/accounts/accounts'
import { type ApiParts, createApi, createApiServer } from '@fernlab/hub/api/api'
import { createBenchCare } from '@fernlab/hub/bench-care/bench-care'
import type { BookedFleet } from '@fernlab/hub/bookings/booked-fleet'
import { BookingBook, loadBookings } from '@fernlab/hub/bookings/booking-book'
import { createBookingLetters } from '@fernlab/hub/bookings/booking-letters'
import { createBookings } from '@fernlab/hub/bookings/create-bookings'
import { createKeptPlan } from '@fernlab/hub/bookings/kept-plan'
import { createBookingNotices } from '@fernlab/hub/bookings/notices'
import { createCatalogue } from '@fernlab/hub/catalogue/catalogue'
import { createDirectory } from '@fernlab/hub/directory/directory'
import { createHolds } from '@fernlab/hub/directory/holds'
import { openIssuedTokens } from '@fernlab/hub/directory/issued-tokens'
import { openServiceBook } from '@fernlab/hub/directory/service-book'
import { openSigningKey } from '@fernlab/hub/directory/service-key'
import { createServiceTokens } from '@fernlab/hub/directory/service-tokens'
import { CompatibilityCache } from '@fernlab/hub/fleet/compatible'
import { FleetBook } from '@fernlab/hub/fleet/fleet-book'
import { createLeaseEnds } from '@fernlab/hub/fleet/lease-ends'
import { createRemoval } from '@fernlab/hub/fleet/removal'
import { createGroups } from '@fernlab/hub/groups/groups'
import { createErrands } from '@fernlab/hub/mail/errands'
import { createMail } from '@fernlab/hub/mail/mail'
import { createMaintenance } from '@fernlab/hub/maintenance/maintenance'
import { createMonitoring } from '@fernlab/hub/monitoring/monitoring'
import { BenchUse } from '@fernlab/hub/permissions/bench-use'
import { createPermissions } from '@fernlab/hub/permissions/permissions'
import { createStandings } from '@fernlab/hub/permissions/standings'
import { createRecurring } from '@fernlab/hub/recurring/create-recurring'
import { createResults } from '@fernlab/hub/results/results'
import { createAdmission } from '@fernlab/hub/runs/admission'
import { openKnownLabs } from '@fernlab/hub/runs/known-labs'
import { runView } from '@fernlab/hub/runs/run-view'
import type { RunChange, Runs, RunWait } from '@fernlab/hub/runs/runs'
import { createScheduling } from '@fernlab/hub/scheduling/scheduling'
import { createLabVisitors } from '@fernlab/hub/sessions/lab-visitors'
import { createRooms } from '@fernlab/hub/sessions/rooms'
import { createTurn } from '@fernlab/hub/store/turn'
import { createUsage } from '@fernlab/hub/usage/usage'
import { HUB_VERSION } from '@fernlab/hub/version'
import type { Run } from '@fernlab/shared/contracts/api'
import type { NodeHardware } from '@fernlab/shared/contracts/hardware'
import type { ShownInstrument } from '@fernlab/shared/contracts/hardware-drafts'
import type { Role } from '@fernlab/shared/contracts/people'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { CountrySource } from '@fernlab/shared/contracts/usage'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type Log, silentLog } from '@fernlab/shared/primitives/log'
import { promised } from '../../support/api-document.ts'
import { storeRun, temporaryStore } from '../results/stored-run.ts'
import { watchErrors } from './watched-errors.ts'

export const admin = { email: 'admin@school.example', password: 'a-long-password' }

export interface ServedOptions {
  readonly smtpUrl?: string
  readonly trustedProxies?: readonly string[]
  readonly webFolder?: string
  readonly freeBytes?: () => Promise<number>
  readonly withAdmin?: boolean
  readonly log?: Log
  /** What the nodes do, where a test looks at it; without it there is no node. */
  readonly fleet?: Partial<ApiParts['fleet']>
  /** Benches that serve every lab, for bookings. */
  readonly benches?: readonly string[]
  readonly closed?: BookedFleet['closed']
  /** Of bookings alone. */
  readonly clock?: Clock
  /** As if it were reached by HTTPS. */
  readonly secure?: boolean
  readonly countrySource?: () => CountrySource
  /** Where people reach it, where the settings say so. */
  readonly publicUrl?: string
}

/** Runs straight over the table: what the API needs of them, without a fleet. */
export function tableRuns({ store, requireSpace = () => {} }: { store: ApiParts['store']; requireSpace?: () => void }) {
  const listeners = new Set<(change: RunChange) => void>()
  const tell = (change: RunChange) => {
    for (const listener of listeners) listener(change)
  }
  const rows = () =>
    store.db.selectFrom('run').leftJoin('user', 'user.id', 'run.person_id').selectAll('run').select('user.name')
  const view = ({ name, ...row }: Awaited<ReturnType<ReturnType<typeof rows>['execute']>>[number]): Run =>
    runView(row, { personName: name ?? '', lab: undefined, live: undefined, wait: undefined })
  const get = async (id: string) => {
    const row = await rows().where('run.id', '=', id).executeTakeFirst()
    return row === undefined ? undefined : view(row)
  }
  let events = 0
  const setState = async (id: string, state: Run['state'], attempt = 1) => {
    const at = new Date().toISOString()
    await store.write([
      store.db.updateTable('run').set({ state }).where('id', '=', id),
      store.db.insertInto('run_event').values({
        run_id: id,
        number: ++events,
        at: Date.parse(at),
        name: 'state',
        data: JSON.stringify({ state, attempt }),
      }),
    ])
    tell({ runId: id, kind: 'state', state, attempt })
  }
  const waits = new Map<string, RunWait>()
  const keys = new Map<string, { body: string; id: string }>()
  const runs: Runs = {
    submit: async (caller, body, { idempotencyKey } = {}) => {
      const known = idempotencyKey === undefined ? undefined : keys.get(`${caller.personId} ${idempotencyKey}`)
      if (known !== undefined) return { id: known.id, run: (await get(known.id)) as Run, replayed: true }
      requireSpace()
      const { id } = await storeRun(store, {
        id: newId(Date.now()),
        state: 'queued',
        lab: body.lab,
        protocol: body.protocol,
        person: { id: caller.personId, name: caller.name },
        parameters: (body.parameters ?? {}) as Run['parameters'],
        bench: null,
      })
      await setState(id, 'queued')
      if (idempotencyKey !== undefined) keys.set(`${caller.personId} ${idempotencyKey}`, { body: '', id })
      return { id, run: (await get(id)) as Run, replayed: false }
    },
    get,
    list: async ({ person, people, lab, state, limit, cursor }) => {
      let query = rows()
        .orderBy('run.id', 'desc')
        .limit(limit + 1)
      if (person !== undefined) query = query.where('run.person_id', '=', person)
      if (people !== undefined) query = query.where('run.person_id', 'in', [...people])
      if (lab !== undefined) query = query.where('run.lab', '=', lab)
      if (state !== undefined) query = query.where('run.state', '=', state)
      if (cursor !== undefined) query = query.where('run.id', '<', cursor)
      const found = (await query.execute()).map(view)
      const last = found[limit - 1]
      return { items: found.slice(0, limit), ...(found.length > limit && last ? { cursor: last.id } : {}) }
    },
    cancel: async (id) => {
      await setState(id, 'cancelled')
      return (await get(id)) as Run
    },
    stopAllOf: async (personId) => {
      for (const { id, state } of (await runs.list({ person: personId, limit: 1000 })).items) {
        if (state === 'queued' || state === 'assigned' || state === 'running') await setState(id, 'cancelled')
      }
    },
    giveUp: async (id) => {
      await setState(id, 'interrupted')
      return (await get(id)) as Run
    },
    live: () => undefined,
    waitOf: (id) => waits.get(id),
    queues: () => () => ({ length: 0, estimatedWaitS: null }),
    counts: () => ({ queued: 0, assigned: 0, running: 0 }),
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return { runs, setState, tell, waits, listening: () => listeners.size }
}

const noHardware: NodeHardware = { lookedAt: '2027-02-01T08:00:00.000Z', scanned: false, findings: [], added: [] }
const noInstrument: ShownInstrument = {
  name: 'air',
  driver: 'i2c',
  config: {},
  find: 'i2c:1:0x76',
  by: 'Ada',
  at: '2027-02-01T08:00:00.000Z',
}
const noFleet: ApiParts['fleet'] = {
  benches: async () => [],
  bench: async () => undefined,
  nodes: async () => [],
  node: async () => undefined,
  compatibleBenches: async () => [],
  whyNotCompatible: async () => new Map(),
  createEnrollment: async (node) => ({ node, code: 'one-time-code', expiresAt: new Date().toISOString() }),
  enroll: async () => ({ username: 'u', password: 'p' }),
  rotate: async () => ({ username: 'u', password: 'p' }),
  revoke: async () => {},
  takeLease: async () => ({ lease: 'l', expiresAt: new Date().toISOString() }),
  renewLease: async () => ({ lease: 'l', expiresAt: new Date().toISOString() }),
  releaseLease: async () => ({ safe: true }),
  endLease: async () => ({ safe: true }),
  releaseAllOf: async () => {},
  exchange: async () => ({}),
  onChange: () => () => {},
}

/** Sessions straight over the table of runs: what the API needs of them, without a bench. */
function tableSessions(runs: Runs, { db }: ApiParts['store']): ApiParts['sessions'] {
  const view = (run: Run): Session => ({
    id: run.id,
    state: 'closed',
    lab: run.lab,
    bench: run.bench,
    person: run.person,
    seconds: 60,
    mostSeconds: 60,
    idleSeconds: 60,
    createdAt: run.createdAt,
    partners: [],
  })
  const get = async (id: string) => {
    const run = await runs.get(id)
    return run?.session === undefined ? undefined : view(run)
  }
  const existing = async (id: string): Promise<Session> => {
    const session = await get(id)
    if (session !== undefined) return session
    throw new LabError({ code: 'session-unknown', kind: 'caller', message: 'there is no session' })
  }
  return {
    open: async () => ({ session: await existing(''), made: true }),
    get,
    list: async (query) => {
      const { items } = await runs.list(query)
      return { items: items.filter(({ session }) => session === true).map(view) }
    },
    extend: existing,
    lengthen: async () => {},
    finish: existing,
    command: async () => ({}),
    isActive: () => false,
    takesPart: async () => false,
    noteVisit: async () => {},
    visit: async (id) => ({ url: `https://lab.example/${(await existing(id)).id}`, through: 'direct' }),
    seat: () => ({ node: 'n1', attempt: 1 }),
    isOpen: () => true,
    waitOf: () => undefined,
    seen: () => {},
    isPartner: async (id, personId) => {
      const row = db
        .selectFrom('live_partner')
        .select('run_id')
        .where('run_id', '=', id)
        .where('person_id', '=', personId)
      return (await row.executeTakeFirst()) !== undefined
    },
    invite: async () => 'token',
    join: () => existing(''),
    labOf: async () => undefined,
    onChange: () => () => {},
    live: () => undefined,
    bumpedAt: () => undefined,
    close: () => {},
  }
}

/** The API with real accounts, catalogue, results and maintenance on a real store, listening on a free port. */
export async function serveHub(options: ServedOptions = {}) {
  const opened = await temporaryStore()
  const { store, folder } = opened
  const clock = systemClock
  const { log = silentLog, secure = false } = options
  let url = 'http://127.0.0.1:1'
  const publicUrl = () => options.publicUrl ?? url
  const mail = createMail({ smtpUrl: options.smtpUrl })
  const groups = createGroups({ store, clock })
  const accounts = await createAccounts({
    store,
    groups,
    mail,
    clock,
    log,
    config: {
      site: 'here',
      publicUrl,
      secure,
      dataFolder: folder,
      ...(options.withAdmin === false ? {} : { adminEmail: admin.email, adminPassword: admin.password }),
    },
  })
  const catalogue = createCatalogue({ store, clock, log })
  const results = createResults({ store, site: 'here', clock })
  const maintenance = await createMaintenance({
    store,
    folder,
    clock,
    log,
    ...(options.freeBytes === undefined ? {} : { freeBytes: options.freeBytes, minimumFreeBytes: 1_000_000_000 }),
  })
  const monitoring = createMonitoring({ clock, log })
  const { runs, setState, tell, waits, listening } = tableRuns({ store, requireSpace: maintenance.requireSpace })
  const book = new FleetBook(clock)
  const benchCare = createBenchCare({ store, book, clock, log, onChange: () => {}, endRun: () => {} })
  const hasLab = async (id: string) => (await catalogue.lab(id)) !== undefined
  const permissions = createPermissions({ store, hasLab, clock })
  const labs = await openKnownLabs(catalogue)
  const bookingBook = new BookingBook()
  const bookingClock = options.clock ?? clock
  const use = new BenchUse()
  const toCome = (personId: string, lab: string) => bookingBook.toCome(personId, lab, bookingClock.now())
  const standings = createStandings({ store, groups, permissions, use, toCome, clock: bookingClock })
  const load = async () => bookingBook.reset(await loadBookings(store, bookingClock.now()))
  const turn = createTurn({ database: store.database, onFailure: load, clock, log })
  const benches = new Set(options.benches)
  const fleet: BookedFleet = {
    shape: () => 0,
    benchesFor: () => benches,
    has: (bench) => benches.has(bench),
    closed: options.closed ?? (() => []),
  }
  const bookedPlan = createKeptPlan({ book: bookingBook, labs, catalogue, fleet, clock: bookingClock })
  const bookings = createBookings({
    store,
    turn,
    book: bookingBook,
    plan: bookedPlan,
    labs,
    fleet,
    standings,
    groups,
    endSession: () => {},
    lengthenSession: async () => {},
    onTold: () => bookingLetters.look(),
    delayOf: () => undefined,
    clock: bookingClock,
  })
  const bookingNotices = createBookingNotices({ store, labs, clock: bookingClock })
  const bookingLetters = createBookingLetters({
    store,
    bookings,
    groups,
    labs,
    mail,
    site: 'here',
    publicUrl,
    clock: bookingClock,
    log,
  })
  const services = await openServiceBook({ store, book, clock: systemClock, log })
  const serviceTokens = createServiceTokens({
    site: 'here',
    store,
    holds: createHolds({
      book,
      leaseEnds: createLeaseEnds(store),
      sessions: {
        open: () => undefined,
        mustBeActive: () => {
          throw new Error('no session is open here')
        },
      },
    }),
    services,
    issued: await openIssuedTokens({ store, clock }),
    key: await openSigningKey({ store, seal: accounts.seal('services'), clock, log }),
    signInHolder: accounts.signInHolder,
    clock,
  })
  const removal = createRemoval({
    store,
    book,
    clock: systemClock,
    revoke: async () => {},
    cancelWaiting: async () => {},
    countWaiting: () => 0,
    onRemoved: () => {},
  })
  const compatible = new CompatibilityCache(book)
  const recurring = createRecurring({
    store,
    runs,
    admission: createAdmission({ labs, book, compatible, standings, clock, requireSpace: maintenance.requireSpace }),
    labs,
    mail,
    errands: createErrands({ log }),
    site: 'here',
    publicUrl,
    clock,
    log,
  })
  const usage = createUsage({
    store,
    groups,
    catalogue,
    countrySource: options.countrySource ?? (() => ({})),
    benches: () => options.benches ?? [],
    benchesFor: () => options.benches ?? [],
    clock,
    log,
  })
  const app = await createApi({
    store,
    accounts,
    groups,
    permissions,
    standings,
    labVisitors: createLabVisitors({ store, site: 'here', publicUrl, clock }),
    catalogue,
    fleet: { ...noFleet, ...options.fleet },
    benchCare,
    benchChecks: { now: async () => {}, putBack: async () => {} },
    interlockResets: { reset: async () => {} },
    nodeCalibrations: { of: async () => ({}), change: async () => [] },
    nodeHardware: {
      look: async () => noHardware,
      scan: async () => noHardware,
      add: async () => noInstrument,
      remove: async () => {},
    },
    benchLetters: { wanted: async () => false, want: async () => {} },
    benchHistory: { of: async () => ({ uptime: [], changes: [] }) },
    removal,
    runs,
    recurring,
    sessions: tableSessions(runs, store),
    rooms: createRooms(),
    serviceTokens,
    directory: createDirectory({ site: 'here', services, store }),
    labPages: { open: () => undefined },
    labVisits: { open: async ({ sessionId }) => ({ url: `https://lab.example/${sessionId}`, through: 'direct' }) },
    bookings,
    bookingNotices,
    bookingLetters,
    results,
    maintenance,
    scheduling: createScheduling({ store, clock, onChange: () => {} }),
    usage,
    monitoring,
    clock,
    log,
    config: {
      site: 'here',
      title: 'Here',
      version: HUB_VERSION,
      publicUrl,
      mqttUrls: () => ['mqtt://127.0.0.1:1883'],
      secure,
      mail: mail.configured,
      trustedProxies: options.trustedProxies ?? [],
      frames: () => [],
      ...(options.webFolder === undefined ? {} : { webFolder: options.webFolder }),
    },
  })
  const described = await watchErrors(app)
  const server = createApiServer(described.app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const json = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return promised({ method, path }, response)
  }
  return {
    url,
    /** Everything that the server answers by itself, as the framework knows it. */
    routes: app.routes.map(({ method, path }) => ({ method, path })),
    store,
    folder,
    accounts,
    groups,
    catalogue,
    maintenance,
    monitoring,
    runs,
    bookings,
    bookingBook,
    turn,
    setState,
    tell,
    /** Where runs stand in the queue. */
    waits,
    /** How many listen for changes of runs. */
    listening,
    /** An answer that docs/openapi.json does not promise fails. */
    json,
    /** Signs in as a page does; the cookie as a header. */
    signIn: async (who = admin) => {
      const response = await json('POST', '/api/auth/sign-in/email', who)
      const cookie = response.headers
        .getSetCookie()
        .map((line) => line.split(';')[0])
        .join('; ')
      return { response, cookie }
    },
    /** A person of the role with a token. */
    person: async (role: Role, scopes: readonly string[]) => {
      const { newPerson } = await import('@fernlab/hub/accounts/new-person')
      const { person, inserts } = newPerson({ store, clock, name: role, email: `${newId(Date.now())}@x.example`, role })
      await store.write(inserts)
      const token = await accounts.createToken({ personId: person.id }, { name: role, scopes })
      return { person, token, bearer: { authorization: `Bearer ${token.token}` } }
    },
    /** So many people of the role, in one write; without tokens, for calls past HTTP. */
    people: async (role: Role, count: number) => {
      const { newPerson } = await import('@fernlab/hub/accounts/new-person')
      const made = Array.from({ length: count }, (_, at) =>
        newPerson({ store, clock, name: role, email: `${newId(Date.now())}-${at}@x.example`, role }),
      )
      await store.write(made.flatMap(({ inserts }) => inserts))
      return made.map(({ person }) => person)
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
      await turn.settled()
      await recurring.close()
      await bookingLetters.close()
      bookedPlan.close()
      labs.close()
      await accounts.close()
      await maintenance.close()
      monitoring.close()
      benchCare.close()
      await results.close()
      mail.close()
      await opened.close()
      const { undescribed } = described
      if (undescribed.size > 0) throw new Error(`openapi.json does not describe: ${[...undescribed].join('; ')}`)
    },
  }
}

export type ServedHub = Awaited<ReturnType<typeof serveHub>>
