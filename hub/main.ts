/** Puts the hub together. In the order of a run: api → runs → scheduling → dispatch → (a node) → ingest → results. */
import { readdir } from 'node:fs/promises'
import { createServer as createHttpsServer } from 'node:https'
import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { parseTopic, topics } from '@fernlab/shared/contracts/topics'
import { connectedPair } from '@fernlab/shared/links/in-process'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { isLoopback } from '@fernlab/shared/programs/loopback'
import { settingWrong } from '@fernlab/shared/programs/settings-reader'
import { lockDataFolder } from '@fernlab/shared/storage/data-folder'
import { createAdaptorServer } from '@hono/node-server'
import { createAccounts } from './accounts/accounts.ts'
import { can } from './accounts/can.ts'
import { createApi } from './api/api.ts'
import { createClientAddress } from './api/client-address.ts'
import { sendWhole } from './api/whole-answers.ts'
import { createBenchCare } from './bench-care/bench-care.ts'
import { createBenchChecks } from './bench-care/bench-checks.ts'
import { openBenchHistory } from './bench-care/bench-history.ts'
import { createBenchLetters } from './bench-care/bench-letters.ts'
import { createProtocolChecks } from './bench-care/protocol-checks.ts'
import { createBenchWatch } from './bookings/bench-watch.ts'
import { bookedFleet } from './bookings/booked-fleet.ts'
import { BookingBook, loadBookings, loadMissed } from './bookings/booking-book.ts'
import { createBookingLetters } from './bookings/booking-letters.ts'
import { createBookingPermits } from './bookings/booking-permits.ts'
import { createBookings } from './bookings/create-bookings.ts'
import { createGroupPeople } from './bookings/group-people.ts'
import { createKeptPlan } from './bookings/kept-plan.ts'
import { createBookingNotices } from './bookings/notices.ts'
import { createBookingStarts } from './bookings/starts.ts'
import { authenticateMqtt, type MqttAuthentication } from './broker/authenticate.ts'
import { createBroker } from './broker/broker.ts'
import {
  type Listener,
  listen,
  listenMqtt,
  serveWebSocket,
  trackConnections,
  type WebSocketOptions,
} from './broker/listeners.ts'
import { openNodeLink } from './broker/node-link.ts'
import { createCatalogue } from './catalogue/catalogue.ts'
import type { HubConfig } from './config/config.ts'
import { hostAndPort, removeEndpoints, writeEndpoints } from './config/endpoints.ts'
import { readTls } from './config/read-tls.ts'
import { createDispatcher } from './dispatch/dispatcher.ts'
import type { FaultHook } from './fault-point.ts'
import { CompatibilityCache } from './fleet/compatible.ts'
import type { Fleet, NodeCredential } from './fleet/fleet.ts'
import { loadFleetBook, reloadHolds } from './fleet/fleet-book.ts'
import { createNodeCalls } from './fleet/node-calls.ts'
import { createFleet } from './fleet/open-fleet.ts'
import { createRemoval } from './fleet/removal.ts'
import { createGroups } from './groups/groups.ts'
import { createIngest } from './ingest/ingest.ts'
import { createLabPages } from './lab-pages/lab-pages.ts'
import { listenPages } from './lab-pages/listen-pages.ts'
import { createPageAddress } from './lab-pages/page-address.ts'
import { createLabTunnels, type LabTunnels } from './lab-servers/lab-tunnels.ts'
import { createLabVisits } from './lab-servers/lab-visits.ts'
import { createErrands } from './mail/errands.ts'
import { createMail } from './mail/mail.ts'
import { createMaintenance } from './maintenance/maintenance.ts'
import { createMonitoring } from './monitoring/monitoring.ts'
import { loadSpent } from './permissions/bench-use.ts'
import { createMayBeBumped } from './permissions/may-be-bumped.ts'
import { createPermissions } from './permissions/permissions.ts'
import { createStandings } from './permissions/standings.ts'
import { createRecurring } from './recurring/create-recurring.ts'
import type { RecurringRuns } from './recurring/recurring.ts'
import { createResults } from './results/results.ts'
import { createAdmission } from './runs/admission.ts'
import { createBenchTimes } from './runs/bench-times.ts'
import { type CreateRunsOptions, createRuns } from './runs/create-runs.ts'
import { openKnownLabs } from './runs/known-labs.ts'
import { createLedger } from './runs/ledger.ts'
import { loadOpenRuns, OpenRuns } from './runs/open-runs.ts'
import { runStatements } from './runs/run-statements.ts'
import type { Runs } from './runs/runs.ts'
import { createWaiting } from './runs/waiting.ts'
import { decideWithBookings } from './scheduling/decide.ts'
import { explain } from './scheduling/explain.ts'
import { createScheduling } from './scheduling/scheduling.ts'
import { createSessionChat } from './sessions/chat.ts'
import { createLabVisitors } from './sessions/lab-visitors.ts'
import { createLiveSockets } from './sessions/live-sockets.ts'
import { giveRestOfSessions } from './sessions/rest-of-session.ts'
import { createRooms } from './sessions/rooms.ts'
import { createSessions } from './sessions/sessions.ts'
import { openStore, sqlitePath } from './store/store.ts'
import { createTurn } from './store/turn.ts'
import { openCountries } from './usage/countries.ts'
import { createLateCountries } from './usage/late-countries.ts'
import { createUsage } from './usage/usage.ts'
import { HUB_VERSION } from './version.ts'

export interface StartHubOptions {
  readonly config: HubConfig
  /** A folder of lab folders that are put into the catalogue where they are new. */
  readonly demoCatalogueFolder?: string
  /** The built page. */
  readonly webFolder?: string
  readonly title?: string
  readonly log: Log
  readonly clock?: Clock
  readonly faultPoint?: FaultHook
  /** After how long somebody who waits for a session and is not heard of has left, instead of the documented time. */
  readonly sessionLostMs?: number
}

export interface Hub {
  readonly httpUrl: string
  readonly mqttUrl: string
  readonly site: string
  /** One-time address at which the first admin is made; undefined once there is one. */
  readonly setupUrl: string | undefined
  readonly runs: Runs
  readonly fleet: Fleet
  readonly recurring: RecurringRuns
  readonly labTunnels: LabTunnels
  /** A connection to the broker in this process. */
  connectInProcess(): Duplex
  /** A credential for a node in this process; each call makes the one before invalid. */
  enrollInProcess(node: string): Promise<NodeCredential>
  /** Stops within 5 s; idempotent. */
  close(): Promise<void>
}

/** Starts a hub; rejects with a configuration-kind LabError of one line when it can't. */
export async function startHub(options: StartHubOptions): Promise<Hub> {
  const closers: (() => Promise<unknown> | unknown)[] = []
  const close = closeOnce(closers, options.log)
  try {
    return { ...(await assemble(options, (closer) => void closers.push(closer))), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function assemble(
  { config, log, clock = systemClock, faultPoint, ...options }: StartHubOptions,
  onClose: (closer: () => Promise<unknown> | unknown) => void,
): Promise<Omit<Hub, 'close'>> {
  const { site, hubFolder } = config
  const tls = await readTls(config)
  await checkLabsFolder(config)
  if (tls === undefined && !isLoopback(config.host)) {
    const message = 'passwords and tokens travel readable: set FERNLAB_TLS_CERT and FERNLAB_TLS_KEY, or use a proxy'
    log.warn({ host: config.host }, `the hub listens beyond this machine without TLS; ${message}`)
  }
  const databaseFolder = dirname(sqlitePath(config.databaseUrl))
  for (const folder of new Set([hubFolder, databaseFolder])) {
    const lock = await lockDataFolder(folder, 'hub')
    onClose(() => lock.release())
  }
  const store = await openStore({ url: config.databaseUrl, log })
  onClose(() => store.close())

  let httpUrl = ''
  const publicUrl = () => config.publicUrl ?? httpUrl
  const secure = tls !== undefined || config.publicUrl?.startsWith('https:') === true
  const maintenance = await createMaintenance({ store, folder: databaseFolder, clock, log })
  onClose(() => maintenance.close())
  const mail = createMail({ smtpUrl: config.smtpUrl })
  onClose(() => mail.close())
  const groups = createGroups({ store, clock })
  const accounts = await createAccounts({
    store,
    groups,
    config: { site, publicUrl, secure, dataFolder: hubFolder, ...adminOf(config) },
    mail,
    clock,
    log,
  })
  onClose(() => accounts.close())
  const catalogue = createCatalogue({ store, clock, log })
  if (options.demoCatalogueFolder !== undefined) await catalogue.loadFolder(options.demoCatalogueFolder)
  if (config.labsFolder !== undefined) onClose(await catalogue.watchFolder(config.labsFolder))
  const labs = await openKnownLabs(catalogue)
  onClose(() => labs.close())
  const results = createResults({ store, site, clock })
  onClose(() => results.close())
  const monitoring = createMonitoring({ clock, log })
  onClose(() => monitoring.close())

  await store.db.updateTable('node').set({ online: 0 }).where('online', '=', 1).execute()
  const book = await loadFleetBook(store, clock)
  const compatible = new CompatibilityCache(book)
  const open = new OpenRuns()
  const scheduling = createScheduling({
    store,
    clock,
    onChange: (rules, used) => {
      open.reorder(rules, used)
      queueMoved()
    },
  })
  const load = async () => {
    const { rules, used } = await scheduling.load()
    const loaded = await loadOpenRuns({ store, labVersion: catalogue.version })
    const spent = await loadSpent(store, clock.now())
    open.reset(rules, used)
    open.use.reset(spent)
    for (const run of loaded) open.add(run)
  }
  await load()
  const bookingBook = new BookingBook()
  const bookedBenches = bookedFleet(book, compatible)
  const loadBooked = async () => {
    const now = clock.now()
    bookingBook.reset(await loadBookings(store, now), await loadMissed(store, now))
  }
  await loadBooked()
  const bookedPlan = createKeptPlan({ book: bookingBook, labs, catalogue, fleet: bookedBenches, clock })
  onClose(() => bookedPlan.close())
  const bookingTold = () => bookingLetters.look()

  const map = topics(site)
  let authentication: MqttAuthentication | undefined
  const broker = await createBroker({
    site,
    authenticate: async (username, password) => authentication?.identify(username, password),
    clock,
    log,
    faultPoint,
  })
  onClose(() => broker.close())
  // Before anybody can connect: a node that comes back at once says itself that it is online.
  for (const node of book.nodes.values()) broker.publish(map.nodeStatus(node.id), 'offline', { retain: true })
  const link = await openNodeLink({ site, broker, log })

  const statements = runStatements(store.db)
  const turn = createTurn({
    database: store.database,
    onFailure: async () => {
      await load()
      await loadBooked()
      await reloadHolds(store, book)
    },
    clock,
    log,
  })
  const ledger = createLedger({
    turn,
    statements,
    runs: open,
    book,
    clock,
    notices: {
      wanted: (state) => broker.mayHaveListeners(map.hubRuns(state)),
      publish: (notice) => broker.publish(map.hubRuns(notice.state), JSON.stringify(notice)),
    },
  })
  const scheduler = { decide: decideWithBookings, explain }
  const benchTimes = createBenchTimes({ runs: open, book, clock })
  const hasLab = async (id: string) => (await labs.lab(id)) !== undefined
  const permissions = createPermissions({ store, hasLab, clock })
  const standings = createStandings({
    store,
    groups,
    permissions,
    use: open.use,
    toCome: (personId, lab) => bookingBook.toCome(personId, lab, clock.now()),
    clock,
  })
  const booked = createBookingStarts({
    store,
    turn,
    runStatements: statements,
    book: bookingBook,
    fleet: bookedBenches,
    benches: book,
    ledger,
    labs,
    clock,
    people: createGroupPeople({ groups, clock, log, onKnown: () => dispatcher.nudge() }),
    permits: createBookingPermits({
      store,
      standings,
      groups,
      permissions,
      isSuspended: accounts.suspension.isSuspended,
      clock,
      log,
      onKnown: () => dispatcher.nudge(),
    }),
    graceMs: () => scheduling.graceMs,
    onTold: bookingTold,
    faultPoint,
  })
  const checks = createProtocolChecks({
    store,
    turn,
    runStatements: statements,
    ledger,
    book,
    labOf: labs.peek,
    stop: (run, reason) => stopRun(run.id, reason),
    settle: (bench) => benchChecks.settle(bench),
    hasSpace: maintenance.hasSpace,
    clock,
    log,
    faultPoint,
  })
  giveRestOfSessions({ turn, statements, ledger, clock })
  const labVisitors = createLabVisitors({ store, site, publicUrl, clock })
  const mayBeBumped = createMayBeBumped({
    store,
    standings: () => standings,
    clock,
    log,
    onKnown: () => dispatcher.nudge(),
  })
  groups.onChange(mayBeBumped.forget)
  const dispatcher = createDispatcher({
    scheduler,
    link,
    ledger,
    turn,
    book,
    compatible,
    benchBackInS: benchTimes.backInS,
    booked,
    checks,
    mayBeBumped,
    bumpRules: () => ({ graceMs: scheduling.graceMs, warningMs: scheduling.warningMs }),
    visitorOf: labVisitors.of,
    clock,
    log,
    faultPoint,
  })
  onClose(() => dispatcher.close())
  ledger.onMove(dispatcher.nudge)
  const ingest = createIngest({
    link,
    ledger,
    turn,
    statements,
    book,
    clock,
    log,
    compare: dispatcher.compare,
    taken: dispatcher.taken,
    booked,
    onCommit: (stored, seconds) => {
      monitoring.noteIngest(stored)
      monitoring.noteCommit(seconds)
    },
    faultPoint,
  })
  const calls = createNodeCalls({ link, clock })
  onClose(() => calls.close())
  const queueMoved = () => ledger.notify({ runId: '', kind: 'queue' })
  const benchLetters = createBenchLetters({ store, book, mail, site, publicUrl, clock, log, faultPoint })
  onClose(() => benchLetters.close())
  const benchHistory = await openBenchHistory({
    store,
    book,
    letters: mail.configured,
    clock,
    log,
    onNoted: benchLetters.look,
    faultPoint,
  })
  onClose(() => benchHistory.close())
  const benchChecks = createBenchChecks({
    store,
    book,
    calls,
    clock,
    log,
    onChange: (bench, by) => {
      benchHistory.look(bench, by)
      dispatcher.nudge()
      queueMoved()
    },
  })
  const countries = await openCountries({ file: config.countryDb, clock, log })
  onClose(() => countries.close())
  const originOf: CreateRunsOptions['originOf'] = (address) => ({
    client_address: maintenance.keepsAddresses() ? (address ?? null) : null,
    country: (address === undefined ? undefined : countries.of(address)) ?? null,
  })
  const lateCountries = createLateCountries({ store, countries, clock, log })
  onClose(() => lateCountries.close())
  const fleet = createFleet({
    book,
    compatible,
    store,
    calls,
    checks: benchChecks,
    checkDetails: checks.details,
    giveWay: checks.giveWay,
    originOf,
    space: maintenance,
    clock,
    log,
    onShutOut: (node) => broker.disconnect((who) => who.kind === 'node' && who.node === node),
    onRevoked: dispatcher.shutOut,
  })
  onClose(() => fleet.close())
  fleet.onChange(dispatcher.nudge)
  const stopRun = (id: string, reason: string) => {
    const run = open.get(id)
    if (run === undefined || run.cancelRequested || !turn.open) return
    if (run.state === 'queued') {
      ledger.finish(run, { state: 'cancelled', reason, endedAt: clock.now() })
      return
    }
    ledger.requestCancel(run, reason)
    turn.afterCommit(() => dispatcher.sendCancel(run, reason))
  }
  const benchCare = createBenchCare({
    store,
    book,
    clock,
    log,
    onChange: (bench) => {
      benchHistory.look(bench)
      dispatcher.nudge()
      queueMoved()
    },
    cancelRun: stopRun,
  })
  onClose(() => benchCare.close())
  fleet.onChange(queueMoved)
  fleet.onChange(({ node }) => {
    for (const bench of book.benches.values()) if (bench.node === node) benchHistory.look(bench)
  })
  const waitingFor = (benches: readonly string[]) =>
    [...open.byId.values()].filter(
      ({ state, wantedBench }) => state === 'queued' && wantedBench !== null && benches.includes(wantedBench),
    )
  const removal = createRemoval({
    store,
    book,
    clock,
    revoke: fleet.revoke,
    countWaiting: (benches) => waitingFor(benches).length,
    cancelWaiting: async (benches) => {
      for (const run of waitingFor(benches)) {
        ledger.finish(run, { state: 'cancelled', reason: `${run.wantedBench} was removed`, endedAt: clock.now() })
      }
      await turn.kept()
    },
    onRemoved: (node, benches, whole) => {
      const topicsGone = benches.map((bench) => map.bench(node.id, bench.name))
      if (whole) {
        topicsGone.push(map.nodeStatus(node.id), map.nodeHealth(node.id))
        for (const { name, signals } of node.instruments.values()) {
          topicsGone.push(...signals.map((signal) => map.signal(node.id, name, signal.name)))
        }
      }
      // An empty retained message takes the one before it away.
      for (const topic of topicsGone) broker.publish(topic, '', { retain: true })
      log.info(
        { node: node.id, benches: benches.map(({ id }) => id) },
        whole ? 'a node was removed' : 'a bench was removed',
      )
    },
  })
  authentication = authenticateMqtt({
    verifyNode: fleet.enrollment.verify,
    verifyToken: accounts.verifyToken,
    tokenHolder: accounts.tokenHolder,
    onRevoked: accounts.onRevoked,
    onEnded: accounts.onEnded,
    broker,
    clock,
    log,
  })
  onClose(authentication.close)
  const waiting = createWaiting({
    scheduler,
    runs: open,
    book,
    compatible,
    benchFreeInS: benchTimes.freeInS,
    reserved: dispatcher.reserved,
    calendar: () => bookingBook.plan,
    clock,
  })
  permissions.onChange(mayBeBumped.forget)
  const admission = createAdmission({
    labs,
    book,
    compatible,
    standings,
    clock,
    requireSpace: maintenance.requireSpace,
  })
  const runs = createRuns({
    store,
    turn,
    statements,
    ledger,
    admission,
    waiting,
    catalogue,
    labs,
    originOf,
    isSuspended: accounts.suspension.isSuspended,
    sendCancel: dispatcher.sendCancel,
    clock,
    faultPoint,
  })
  const usage = createUsage({
    store,
    groups,
    catalogue,
    countrySource: countries.source,
    benches: () => [...book.benches.keys()],
    benchesFor: (id) => {
      const lab = labs.peek(id)
      return lab === undefined ? [] : compatible.benchesFor(lab)
    },
    clock,
    log,
  })

  const sessions = createSessions({
    store,
    runs,
    ledger,
    turn,
    catalogue,
    labs,
    book,
    compatible,
    standings,
    calls,
    sendCancel: dispatcher.sendCancel,
    statements,
    originOf,
    booked,
    bookedFrom: (bench) => dispatcher.reserved()?.freeUntil(bench) ?? Number.POSITIVE_INFINITY,
    lengthenBooking: (id, endsAt, lengthenSession) => bookings.lengthen(id, endsAt, lengthenSession),
    clock,
    log,
    faultPoint,
    ...(options.sessionLostMs === undefined ? {} : { lostMs: options.sessionLostMs }),
  })
  onClose(() => sessions.close())
  const bookings = createBookings({
    store,
    turn,
    book: bookingBook,
    plan: bookedPlan,
    labs,
    fleet: bookedBenches,
    standings,
    groups,
    endSession: stopRun,
    lengthenSession: (id, by, endsAt) => sessions.lengthen(id, by, endsAt),
    onTold: bookingTold,
    delayOf: (place) => dispatcher.delayOf(place),
    clock,
    faultPoint,
  })
  const bookingNotices = createBookingNotices({ store, labs, clock })
  const bookingLetters = createBookingLetters({
    store,
    bookings,
    groups,
    labs,
    mail,
    site,
    publicUrl,
    clock,
    log,
    faultPoint,
  })
  onClose(() => bookingLetters.close())
  const benchWatch = await createBenchWatch({
    store,
    turn,
    book: bookingBook,
    plan: bookedPlan,
    fleet: bookedBenches,
    benches: () => book.benches.keys(),
    history: benchHistory,
    labs,
    benchOf: (id) => open.get(id)?.hold?.bench,
    onTold: bookingTold,
    clock,
    log,
  })
  onClose(() => benchWatch.close())
  const letters = createErrands({ log })
  onClose(() => letters.close())
  const recurring = createRecurring({
    store,
    runs,
    admission,
    labs,
    mail,
    errands: letters,
    site,
    publicUrl,
    clock,
    log,
    faultPoint,
  })
  onClose(() => recurring.close())

  link.on('inventory', (node, message) => dispatcher.reconcile(node, fleet.inventory(node, message)))
  link.on('accepted', dispatcher.accepted)
  link.on('documents', ingest.receive)
  link.on('live', dispatcher.live)
  link.on('reply', calls.reply)
  const onJson = (filter: string, take: (topic: string, message: unknown) => void) =>
    broker.subscribe(filter, ({ topic, payload }) => {
      // What was retained is taken away.
      if (payload.length === 0) return
      try {
        take(topic, JSON.parse(Buffer.from(payload).toString('utf8')))
      } catch (error) {
        log.warn({ topic, error: asLabError(error).message }, 'a message of a node was not understood')
      }
    })
  await broker.subscribe(map.nodeStatus('+'), ({ topic, payload }) => {
    const parsed = parseTopic(site, topic)
    if (parsed?.kind === 'node-status') fleet.status(parsed.node, Buffer.from(payload).toString('utf8'))
  })
  await onJson(map.nodeHealth('+'), (topic, message) => {
    const parsed = parseTopic(site, topic)
    if (parsed?.kind === 'node-health') fleet.health(parsed.node, message)
  })
  await onJson(map.bench('+', '+'), (topic, message) => {
    const parsed = parseTopic(site, topic)
    if (parsed?.kind === 'bench') fleet.benchStatus(parsed.node, parsed.bench, message)
  })

  monitoring.watchRuns(runs)
  monitoring.benches(() =>
    [...book.benches.values()].map(({ id }) => ({ bench: id, up: benchHistory.now(id) === 'up' })),
  )
  monitoring.gauge('fernlab_mqtt_clients', 'Connected MQTT clients', () => broker.clients)
  monitoring.addCheck('database', async () => {
    await store.database.read('SELECT 1')
    return undefined
  })
  monitoring.addCheck('writes', async () => {
    if (!turn.open)
      throw new LabError({ code: 'database-recovering', kind: 'configuration', message: 'it is recovering' })
    return undefined
  })

  const mqtt: Listener[] = []
  const mqttUrls = (host?: string) => {
    const asked = `${tls === undefined ? 'http' : 'https'}://${host}`
    const known = config.publicUrl !== undefined || host === undefined || !URL.canParse(asked)
    return mqttAddresses(config, mqtt, known ? publicUrl() : asked, tls !== undefined)
  }
  let pagesPort = 0
  const pageAddress = createPageAddress({
    pagesUrl: config.pagesUrl,
    publicUrl: config.publicUrl,
    tls: tls !== undefined,
    hubPort: () => Number(new URL(httpUrl).port),
    pagesPort: () => pagesPort,
  })
  const { webFolder } = options
  const labPages = await createLabPages({ catalogue, address: pageAddress, webFolder, clock, log })
  const labTunnels = createLabTunnels({ sessions, fleet, calls, publicUrl, clock, log })
  const labVisits = createLabVisits({
    sessions,
    mayWork: async ({ personId, signIn }) => {
      const caller = await accounts.signInHolder(signIn)
      return caller?.personId === personId && can(caller, 'runs.submit')
    },
    onEnded: accounts.onEnded,
    tunnels: labTunnels,
    originOf: pageAddress.forVisit,
    publicUrl,
    isPageFile: labPages.owns,
    clock,
    log,
  })
  const rooms = createRooms()
  const chat = await createSessionChat({ store, sessions, clock, log })
  onClose(() => chat.close())
  const api = await createApi({
    store,
    accounts,
    groups,
    permissions,
    standings,
    catalogue,
    fleet,
    benchCare,
    benchChecks,
    benchHistory,
    benchLetters,
    removal,
    runs,
    sessions,
    rooms,
    labVisitors,
    labPages,
    labVisits,
    bookings,
    bookingNotices,
    bookingLetters,
    recurring,
    results,
    scheduling,
    maintenance,
    usage,
    monitoring,
    config: {
      site,
      title: options.title ?? 'Fernlab',
      version: HUB_VERSION,
      publicUrl,
      mqttUrls,
      secure,
      mail: mail.configured,
      trustedProxies: config.trustedProxies,
      frames: (asked) => [pageAddress.origin(asked) ?? []].flat(),
      ...(webFolder === undefined ? {} : { webFolder }),
    },
    clock,
    log,
  })
  const server = createAdaptorServer({
    fetch: sendWhole(api.fetch),
    overrideGlobalObjects: false,
    ...(tls === undefined ? {} : { createServer: createHttpsServer, serverOptions: tls }),
  }) as import('node:http').Server
  const cutAll = trackConnections(server)
  const origins = () => [new URL(publicUrl()).origin]
  const addresses = createClientAddress(config.trustedProxies)
  const liveSockets = createLiveSockets({ sessions, rooms, chat, groups, accounts, addresses, origins, clock, log })
  const others: WebSocketOptions['others'] = (...upgrade) =>
    liveSockets.upgrade(...upgrade) || labTunnels.upgrade(...upgrade)
  const webSockets = serveWebSocket({ broker, server, origins, others, log })
  const port = await listen(server, config.host, config.port, 'FERNLAB_PORT')
  onClose(() => closeServer(server, cutAll))
  onClose(() => webSockets.close())
  onClose(() => liveSockets.close())
  onClose(() => labTunnels.stop())
  httpUrl = `${tls === undefined ? 'http' : 'https'}://${hostAndPort(config.host, port)}`

  const { host } = config
  mqtt.push(await listenMqtt({ broker, host, port: config.mqttPort, setting: 'FERNLAB_MQTT_PORT' }))
  onClose(() => mqtt[0]?.close())
  if (tls !== undefined) {
    mqtt.push(await listenMqtt({ broker, host, port: config.mqttsPort, tls, setting: 'FERNLAB_MQTTS_PORT' }))
    onClose(() => mqtt[1]?.close())
  }
  // After the rest, whose ports are promised: without a port of its own it makes way.
  const { fetch } = labPages
  const pages = await listenPages({
    fetch,
    visits: labVisits,
    host,
    port: config.pagesPort,
    hubPort: config.port,
    tls,
    log,
  })
  onClose(() => pages.close())
  onClose(() => labVisits.close())
  pagesPort = pages.port
  const pagesUrl =
    (config.pagesUrl === undefined ? undefined : pageAddress.origin('')) ??
    `${tls === undefined ? 'http' : 'https'}://${hostAndPort(host, pagesPort)}`
  if (pageAddress.origin(new URL(publicUrl()).host) === undefined) {
    log.warn({ port: pagesPort }, 'labs’ own pages are not shown: set FERNLAB_PAGES_URL to an origin for them')
  }
  const mqttUrl = `mqtt://${hostAndPort(host, mqtt[0]?.port ?? 0)}`
  const mqtts = mqtt[1] === undefined ? {} : { mqtts: `mqtts://${hostAndPort(host, mqtt[1].port)}` }
  await writeEndpoints(config.dataFolder, { http: httpUrl, mqtt: mqttUrl, ...mqtts, pages: pagesUrl })
  onClose(() => removeEndpoints(config.dataFolder))

  broker.publish(map.hubStatus, 'online', { retain: true })
  onClose(async () => {
    broker.publish(map.hubStatus, 'offline', { retain: true })
    // Until those who listen have it.
    await clock.sleep(20)
    await turn.settled()
  })
  // Who was suspended as the hub was killed has nothing under way.
  for (const { personId } of [...open.byId.values()]) {
    if (accounts.suspension.isSuspended(personId)) await runs.stopAllOf(personId)
  }
  recurring.start()
  bookingLetters.look()
  log.info({ http: httpUrl, mqtt: mqttUrl, site }, 'the hub is up')
  return {
    httpUrl,
    mqttUrl,
    site,
    setupUrl: await accounts.ensureSetupLink(),
    runs,
    fleet,
    recurring,
    labTunnels,
    connectInProcess: () => {
      const [here, there] = connectedPair()
      broker.handle(here)
      return there
    },
    enrollInProcess: async (node) => {
      const credential = await fleet.enrollment.issue(node)
      book.node(node).revokedAt = null
      return credential
    },
  }
}

/** Closes in the reverse order of opening; what fails is logged, the rest goes on. */
function closeOnce(closers: readonly (() => Promise<unknown> | unknown)[], log: Log): () => Promise<void> {
  let closing: Promise<void> | undefined
  return () => {
    closing ??= (async () => {
      for (const closer of [...closers].reverse()) {
        try {
          await closer()
        } catch (error) {
          log.error({ error: asLabError(error).message }, 'a part did not close cleanly')
        }
      }
    })()
    return closing
  }
}

async function checkLabsFolder({ labsFolder }: HubConfig): Promise<void> {
  if (labsFolder === undefined) return
  try {
    await readdir(labsFolder)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw settingWrong(
      'FERNLAB_LABS',
      `is ${labsFolder}, which can't be read (${code}); it may be a folder of labs`,
      cause,
    )
  }
}

function adminOf({ adminEmail, adminPassword, adminToken }: HubConfig) {
  return {
    ...(adminEmail === undefined ? {} : { adminEmail }),
    ...(adminPassword === undefined ? {} : { adminPassword }),
    ...(adminToken === undefined ? {} : { adminToken }),
  }
}

/** Addresses of the broker for nodes, best first: TLS, WebSocket where the page has TLS, plain. */
function mqttAddresses(config: HubConfig, mqtt: readonly Listener[], publicUrl: string, tls: boolean): string[] {
  const { protocol, host, hostname } = new URL(publicUrl)
  const webSocket = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/mqtt`
  const plain = mqtt[0] === undefined ? [] : [`mqtt://${hostname}:${mqtt[0].port}`]
  const sealed = mqtt[1] === undefined ? [] : [`mqtts://${hostname}:${mqtt[1].port}`]
  if (tls) return [...sealed, webSocket, ...plain]
  return config.publicUrl?.startsWith('https:') === true ? [webSocket, ...plain] : [...plain, webSocket]
}

/** Stops listening; gives running requests half a second. */
function closeServer(server: import('node:http').Server, cutAll: () => void): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(cutAll, 500)
    server.close(() => {
      clearTimeout(force)
      resolve()
    })
    server.closeIdleConnections()
  })
}
