/**
 * Puts the hub together. In the order of a run: api → runs → scheduling → dispatch → (a node) → ingest → results.
 *
 * Longer than most files on purpose: the parts that decide about runs know each other, and are to be seen side by side;
 * the groups that they stand on, and that stand on them, are in main/.
 */
import type { Duplex } from 'node:stream'
import { topics } from '@fernlab/shared/contracts/topics'
import { connectedPair } from '@fernlab/shared/links/in-process'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { createApi } from './api/api.ts'
import { createClientAddress } from './api/client-address.ts'
import { openBenchHistory } from './bench-care/bench-history.ts'
import { createBenchLetters } from './bench-care/bench-letters.ts'
import { createProtocolChecks } from './bench-care/protocol-checks.ts'
import { createBenchWatch } from './bookings/bench-watch.ts'
import { createBookingPermits } from './bookings/booking-permits.ts'
import { createGroupPeople } from './bookings/group-people.ts'
import { createBookingStarts } from './bookings/starts.ts'
import { authenticateMqtt, type MqttAuthentication } from './broker/authenticate.ts'
import { createBroker } from './broker/broker.ts'
import { openNodeLink } from './broker/node-link.ts'
import { createCameraLines } from './cameras/camera-lines.ts'
import { createCameraSockets } from './cameras/camera-sockets.ts'
import { createRecorder, TIMES_LEFT_BY_FILMS } from './cameras/recorder.ts'
import type { HubConfig } from './config/config.ts'
import { openServiceBook } from './directory/service-book.ts'
import { openSigningKey } from './directory/service-key.ts'
import { createDispatcher } from './dispatch/dispatcher.ts'
import type { FaultHook } from './fault-point.ts'
import type { Fleet, NodeCredential } from './fleet/fleet.ts'
import { createNodeCalls } from './fleet/node-calls.ts'
import { createIngest } from './ingest/ingest.ts'
import type { LabTunnels } from './lab-servers/lab-tunnels.ts'
import type { Basics } from './main/basics.ts'
import { openBenchKeeping } from './main/bench-keeping.ts'
import { type ListeningAt, mqttUrlsOf, openDoors } from './main/doors.ts'
import { openGround } from './main/ground.ts'
import { loadMemory } from './main/memory.ts'
import { takeNodeMessages } from './main/node-messages.ts'
import { openOwnPages } from './main/own-pages.ts'
import { openServices } from './main/services.ts'
import { openUses } from './main/uses.ts'
import { watchHub } from './main/watched.ts'
import { createMayBeBumped } from './permissions/may-be-bumped.ts'
import { createPermissions } from './permissions/permissions.ts'
import { createStandings } from './permissions/standings.ts'
import type { RecurringRuns } from './recurring/recurring.ts'
import { createBenchTimes } from './runs/bench-times.ts'
import type { CreateRunsOptions } from './runs/create-runs.ts'
import { createLedger } from './runs/ledger.ts'
import { runStatements } from './runs/run-statements.ts'
import type { Runs } from './runs/runs.ts'
import { decideWithBookings } from './scheduling/decide.ts'
import { explain } from './scheduling/explain.ts'
import { createSessionChat } from './sessions/chat.ts'
import { createLabVisitors } from './sessions/lab-visitors.ts'
import { createLiveSockets } from './sessions/live-sockets.ts'
import { openSessions } from './sessions/open-sessions.ts'
import { giveRestOfSessions } from './sessions/rest-of-session.ts'
import { createRooms } from './sessions/rooms.ts'
import { createTurn } from './store/turn.ts'
import { openCountries } from './usage/countries.ts'
import { createLateCountries } from './usage/late-countries.ts'
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
  const { site } = config
  const at: ListeningAt = { http: '', pagesPort: 0, mqtt: [] }
  const publicUrl = () => config.publicUrl ?? at.http
  const basics: Basics = { config, site, publicUrl, clock, log, faultPoint, onClose }
  const ground = await openGround(basics, options.demoCatalogueFolder)
  const { tls, secure, store, maintenance, mail, groups, accounts, labs, monitoring } = ground
  const memory = await loadMemory(basics, ground, () => queueMoved())
  const { book, compatible, open, scheduling, bookingBook, bookedBenches } = memory

  const bookingTold = () => uses.bookingLetters.look()

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
    onFailure: memory.reload,
    clock,
    log,
    faultPoint,
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
    settle: (bench) => keeping.benchChecks.settle(bench),
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
  const signingKey = await openSigningKey({ store, seal: accounts.seal('services'), clock, log })
  const dispatcher = createDispatcher({
    scheduler,
    link,
    ledger,
    turn,
    book,
    compatible,
    benchBackInS: benchTimes.backInS,
    benchLatestInS: benchTimes.latestInS,
    booked,
    checks,
    mayBeBumped,
    bumpRules: () => ({ graceMs: scheduling.graceMs, warningMs: scheduling.warningMs }),
    visitorOf: labVisitors.of,
    serviceKeys: [signingKey.publicKey],
    pageOrigin: () => new URL(publicUrl()).origin,
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
  const countries = await openCountries({ file: config.countryDb, clock, log })
  onClose(() => countries.close())
  const originOf: CreateRunsOptions['originOf'] = (address) => ({
    client_address: maintenance.keepsAddresses() ? (address ?? null) : null,
    country: (address === undefined ? undefined : countries.of(address)) ?? null,
  })
  const lateCountries = createLateCountries({ store, countries, clock, log })
  onClose(() => lateCountries.close())
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
  const serviceBook = await openServiceBook({ store, book, clock, log })
  onClose(() => serviceBook.settled())
  const keeping = openBenchKeeping(basics, ground, memory, {
    broker,
    calls,
    turn,
    ledger,
    dispatcher,
    checks,
    benchHistory,
    serviceBook,
    originOf,
    stopRun,
    queueMoved,
  })
  const { fleet } = keeping
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
  permissions.onChange(mayBeBumped.forget)
  const uses = openUses(basics, ground, memory, {
    scheduler,
    benchFreeInS: benchTimes.freeInS,
    turn,
    statements,
    ledger,
    standings,
    booked,
    dispatcher,
    calls,
    countries,
    originOf,
    stopRun,
    bookingTold,
    sessionLostMs: options.sessionLostMs,
  })
  const { runs, sessions, recurring } = uses
  const benchWatch = await createBenchWatch({
    store,
    turn,
    book: bookingBook,
    plan: memory.bookedPlan,
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
  const services = await openServices(basics, ground, memory, {
    fleet,
    calls,
    link,
    serviceBook,
    signingKey,
    sessions: openSessions({ ledger, book, turn }),
  })
  const { serviceLines } = services
  await takeNodeMessages(basics, { broker, link, fleet, dispatcher, ingest, calls, serviceBook, serviceLines })

  watchHub(ground, memory, { runs, turn, broker, benchHistory })
  const { webFolder } = options
  const own = await openOwnPages(basics, ground, { sessions, fleet, calls, webFolder }, at)
  const { pageAddress, labPages, labTunnels, labVisits } = own
  const rooms = createRooms()
  const chat = await createSessionChat({ store, sessions, clock, log })
  onClose(() => chat.close())
  const api = await createApi({
    ...ground,
    ...keeping,
    ...uses,
    benchHistory,
    benchLetters,
    permissions,
    standings,
    scheduling,
    rooms,
    ...services,
    labVisitors,
    labPages,
    labVisits,
    config: {
      site,
      title: options.title ?? 'Fernlab',
      version: HUB_VERSION,
      publicUrl,
      mqttUrls: mqttUrlsOf(basics, tls !== undefined, at.mqtt),
      secure,
      mail: mail.configured,
      trustedProxies: config.trustedProxies,
      frames: (asked) => [pageAddress.origin(asked) ?? []].flat(),
      ...(webFolder === undefined ? {} : { webFolder }),
    },
    clock,
    log,
  })
  const origins = () => [new URL(publicUrl()).origin]
  const addresses = createClientAddress(config.trustedProxies)
  const liveSockets = createLiveSockets({ sessions, rooms, chat, groups, accounts, addresses, origins, clock, log })
  const cameraLines = createCameraLines({ sessions, calls, publicUrl, clock, log })
  const cameraSockets = createCameraSockets({
    lines: cameraLines,
    sessions,
    rooms,
    groups,
    accounts,
    addresses,
    origins,
    clock,
    log,
  })
  const recorder = createRecorder({
    store,
    sessions,
    lines: cameraLines,
    requireSpace: () => maintenance.requireSpace(TIMES_LEFT_BY_FILMS),
    clock,
    log,
    faultPoint,
  })
  onClose(() => recorder.stop())
  const sockets = { liveSockets, labTunnels, cameraLines, cameraSockets, serviceLines }
  const doors = { fetch: api.fetch, broker, ...sockets, addresses, labPages, labVisits, pageAddress }
  // Who was suspended as the hub was killed has nothing under way, before a node can begin it or anybody see it.
  for (const personId of new Set([...open.byId.values()].map((run) => run.personId))) {
    if (accounts.suspension.isSuspended(personId)) await runs.stopAllOf(personId)
  }
  const { mqttUrl } = await openDoors(basics, ground, doors, at)

  broker.publish(map.hubStatus, 'online', { retain: true })
  onClose(async () => {
    broker.publish(map.hubStatus, 'offline', { retain: true })
    // Until those who listen have it.
    await clock.sleep(20)
    await turn.settled()
  })
  recurring.start()
  uses.bookingLetters.look()
  log.info({ http: at.http, mqtt: mqttUrl, site }, 'the hub is up')
  return {
    httpUrl: at.http,
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
