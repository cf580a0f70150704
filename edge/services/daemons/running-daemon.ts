/** A daemon with its services: what is known of each, what it has written, and what there is to tell of it. */
import { mkdir } from 'node:fs/promises'
import type { DaemonInfo, DaemonLine, DaemonReport, DaemonState } from '@fernlab/shared/contracts/daemon-control'
import { type DaemonEntry, isPython, type OwnServiceEntry } from '@fernlab/shared/contracts/own-services'
import type { ServiceLog } from '@fernlab/shared/contracts/service-log'
import type { AnnouncedService } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Service } from '@fernlab/shared/rpc/contract/serve-service'
import { serviceContractSchema } from '@fernlab/shared/rpc/contract/service-contract'
import type { Onward } from '@fernlab/shared/rpc/peer/handing-on'
import type { Peer } from '@fernlab/shared/rpc/peer/peer'
import { boundedNotes } from '../../drivers/process/child.ts'
import { SharedReadings } from '../shared-readings.ts'
import { Daemon } from './daemon.ts'
import { DaemonCalls, type Share } from './daemon-calls.ts'
import { daemonOnward, daemonService, type OwnSession } from './daemon-service.ts'
import { hostCommand, limitedCommand } from './host-command.ts'
import { GIVE_UP, LOAD, type Loaded, SESSION_ENDED, type ServiceToLoad } from './host-messages.ts'
import { type HostProcess, startHostProcess } from './host-process.ts'
import type { LogLines } from './log-lines.ts'
import { type Hide, hidingParameters, hidingTexts } from './parameters-hidden.ts'
import { requireSource, serviceFolder } from './service-source-files.ts'

export interface RunningDaemonOptions {
  readonly name: string
  readonly entry: DaemonEntry
  readonly own: readonly (readonly [string, OwnServiceEntry])[]
  readonly configFolder: string
  readonly dataFolder: string
  readonly clock: Clock
  readonly log: Log
  readonly onChange: () => void
  /** Of the daemon of that name, whatever was in it before. */
  readonly lines: LogLines
  /** Of the next line that is written. */
  readonly lineNumber: () => number
}

/** The connection that a client's calls come by: the same object for each of its calls. */
export interface ClientSession {
  readonly session: string
  readonly person: string
  onEnd(listener: () => void): void
}

/** What one client has of a daemon. */
interface Served {
  readonly share: Share
  readonly onward: Onward | undefined
  readonly services: Map<string, Service>
}

type Known = { readonly contract: AnnouncedService['contract'] } | { readonly error: LabError }
/** Making services may take its time: a camera that warms up. */
const LOAD_MS = 50_000
/** Nobody's name: what is read for all who follow a service is nobody's call. */
const FOLLOWERS = ' followers'

export class RunningDaemon {
  readonly #options: RunningDaemonOptions
  #own: RunningDaemonOptions['own']
  readonly #daemon: Daemon
  /** What each service was when it was last there. */
  readonly #known = new Map<string, Known>()
  readonly #sessions = new WeakMap<ClientSession, OwnSession>()
  readonly #readings = new Map<string, SharedReadings>()
  readonly #calls: DaemonCalls
  readonly #hide: Hide
  readonly #hidden: (words: string) => string
  readonly #served = new WeakMap<ClientSession, Served>()
  /** The process of services in Python takes calls one by one. */
  readonly #handsOn: boolean

  constructor(options: RunningDaemonOptions) {
    this.#options = options
    this.#own = options.own
    const { name, entry, own, clock, log } = options
    this.#handsOn = !isPython(own[0]?.[1].file)
    const given = [entry.env, ...own.map(([, { parameters }]) => parameters)]
    this.#hide = hidingParameters(given)
    this.#hidden = hidingTexts(given)
    const note = boundedNotes(clock, (said, left) => {
      log.info({ daemon: name, said, ...(left === 0 ? {} : { leftOut: left }) }, 'a daemon says')
    })
    this.#calls = new DaemonCalls({
      daemon: name,
      clock,
      giveUp: (call) => this.#tell(GIVE_UP, { call }, 'a daemon was not told that a call was given up'),
    })
    this.#daemon = new Daemon({
      name,
      clock,
      memoryMB: entry.memoryMB,
      hungS: entry.hungS,
      start: ({ onPeer, onEnd }) => this.#start({ onPeer, onEnd, onLine: note }),
      load: (peer) => this.#load(peer),
      stuck: () => this.#calls.stuck(),
      onState: (state, reason, words) => this.#told(state, reason, words),
    })
  }

  up(): Promise<boolean> {
    return this.#daemon.up()
  }

  down(): Promise<boolean> {
    return this.#daemon.down()
  }

  /** Says that of its services from now on; their names, and what the process is given, are those that it has. */
  describe(own: RunningDaemonOptions['own']): void {
    this.#own = own
  }

  lines(most: number): readonly DaemonLine[] {
    return this.#options.lines.newest(most)
  }

  /** Those that clients may see. */
  linesOfClients(): readonly DaemonLine[] {
    return this.#options.lines.ofClients()
  }

  /** The line as it may leave the machine: without what node.yaml gives to the daemon and its services. */
  shown(line: DaemonLine): ServiceLog['lines'][number] {
    const { number, time, from } = line
    return { number, time, from, text: this.#options.lines.shown(line) }
  }

  report(): DaemonReport {
    const { state, pid, upSinceMs, ends } = this.#daemon
    const reason = reasonWith(this.#daemon.reason, this.#daemon.words)
    return {
      daemon: this.#options.name,
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(pid === undefined ? {} : { pid }),
      ...(upSinceMs === undefined ? {} : { upSince: new Date(upSinceMs).toISOString() }),
      ends,
      services: this.#own.map(([name]) => {
        const known = this.#known.get(name)
        return known !== undefined && 'error' in known ? { name, error: known.error.message } : { name }
      }),
    }
  }

  /** Whether it is up with a service that can't be used. */
  hasUseless(): boolean {
    return this.#daemon.state === 'up' && this.report().services.some(({ error }) => error !== undefined)
  }

  async info(): Promise<DaemonInfo> {
    const memoryBytes = await this.#daemon.memoryBytes()
    const { restarts, lastEnd } = this.#daemon
    const { entry } = this.#options
    const { services, ...report } = this.report()
    return {
      ...report,
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      memoryMB: entry.memoryMB,
      restarts,
      ...(lastEnd === undefined
        ? {}
        : { lastEnd: { time: new Date(lastEnd.atMs).toISOString(), reason: lastEnd.reason } }),
      services: this.#own.map(([name, { file, folder, instances }], index) => {
        const known = this.#known.get(name)
        const contract = known !== undefined && 'contract' in known ? known.contract : undefined
        return {
          name,
          ...services[index],
          source: file ?? folder ?? '',
          instances,
          ...(contract === undefined ? {} : { kind: contract.kind, version: contract.version }),
          actions: Object.keys(contract?.actions ?? {}),
          signals: Object.keys(contract?.signals ?? {}),
          events: Object.keys(contract?.events ?? {}),
        }
      }),
    }
  }

  has(service: string): boolean {
    return this.#own.some(([own]) => own === service)
  }

  announced(): AnnouncedService[] {
    const { state, reason, lastUpMs } = this.#daemon
    // Whoever stops it takes its services away; whoever loses it keeps what is to be kept.
    if (state === 'stopped' || state === 'stopping') return []
    return this.#own.flatMap(([name, { description, tags, metadata, register, whenLost }]) => {
      const known = this.#known.get(name)
      if (!register || known === undefined || 'error' in known) return []
      const isLost = state !== 'up' && state !== 'unhealthy'
      if (isLost && whenLost === 'remove') return []
      return [
        {
          name,
          daemon: this.#options.name,
          state: state === 'up' || state === 'unhealthy' ? state : ('gone' as const),
          ...(reason === undefined ? {} : { reason: reason.slice(0, 500) }),
          ...(isLost && lastUpMs !== undefined ? { lastSeen: new Date(lastUpMs).toISOString() } : {}),
          ...(description === undefined ? {} : { description }),
          tags,
          ...(metadata === undefined ? {} : { metadata }),
          contract: known.contract,
        },
      ]
    })
  }

  /** Undefined for one of another daemon, and for one that was never there; throws why one can not be used. */
  find(name: string, client: ClientSession): Service | undefined {
    const entry = this.#own.find(([own]) => own === name)?.[1]
    if (entry === undefined) return undefined
    const known = this.#known.get(name)
    if (known === undefined) {
      this.#daemon.peer(name)
      return undefined
    }
    if ('error' in known) throw this.#hide(known.error)
    return this.#servedTo(client, name, entry, known.contract)
  }

  /** The same for each call of a client, as long as the service can do the same. */
  #servedTo(
    client: ClientSession,
    name: string,
    { instances }: OwnServiceEntry,
    contract: AnnouncedService['contract'],
  ): Service {
    let served = this.#served.get(client)
    if (served === undefined) {
      const share = this.#calls.share(client.person)
      const onward = this.#handsOn ? daemonOnward(share, this.#daemon) : undefined
      served = { share, onward, services: new Map() }
      this.#served.set(client, served)
    }
    const before = served.services.get(name)
    if (before?.contract === contract) return before
    const { share, onward } = served
    const own = instances === 'session' ? this.#sessionOf(client) : undefined
    const followed = { readings: this.#readingsOf(name, own), share: this.#calls.share(FOLLOWERS) }
    const of = { daemon: this.#daemon, hide: this.#hide, share, followed, onward }
    const service = daemonService({ name, contract, own, ...of })
    served.services.set(name, service)
    return service
  }

  /** Of all who follow the service; of a session's object, whose client alone does. */
  #readingsOf(name: string, own: OwnSession | undefined): SharedReadings {
    const readings = this.#readings.get(name) ?? new SharedReadings(this.#options.clock)
    if (own !== undefined) return new SharedReadings(this.#options.clock)
    this.#readings.set(name, readings)
    return readings
  }

  #sessionOf(client: ClientSession): OwnSession {
    const known = this.#sessions.get(client)
    if (known !== undefined) return known
    const { session } = client
    const ended = new AbortController()
    const own = { session, ended: ended.signal }
    this.#sessions.set(client, own)
    client.onEnd(() => {
      // First, so that nothing of it comes to the process after its end.
      ended.abort(sessionEnded())
      this.#tell(SESSION_ENDED, { session }, 'a daemon was not told that a client is gone')
    })
    return own
  }

  /** In a process that is not there, or ends just now, there is nothing of it. */
  #tell(method: string, params: object, otherwise: string): void {
    const { name, log } = this.#options
    const error = this.#daemon.tell(method, params)?.message
    if (error !== undefined) log.warn({ daemon: name, error }, otherwise)
  }

  #start(listeners: {
    onPeer: (peer: Peer) => void
    onEnd: (reason: string, words: string | undefined) => void
    onLine: (text: string) => void
  }): HostProcess {
    const { entry, configFolder, clock } = this.#options
    return startHostProcess({
      command: limitedCommand(hostCommand(this.#own[0]?.[1].file, entry.memoryMB), entry),
      folder: configFolder,
      env: entry.env,
      clock,
      onPeer: listeners.onPeer,
      onEnd: listeners.onEnd,
      onLine: (from, text) => {
        this.#write(from, text)
        listeners.onLine(text)
      },
    })
  }

  async #load(peer: Peer): Promise<void> {
    const { configFolder, dataFolder } = this.#options
    const services: ServiceToLoad[] = []
    const refused: Record<string, Loaded[string]> = {}
    for (const [name, entry] of this.#own) {
      try {
        const source = await requireSource(entry, { configFolder, dataFolder })
        const { instances, parameters } = entry
        const folder = serviceFolder(dataFolder, name)
        await mkdir(folder, { recursive: true, mode: 0o700 })
        services.push({ name, ...source, instances, parameters, folder })
      } catch (thrown) {
        refused[name] = { error: asLabError(thrown).toJSON() }
      }
    }
    const loaded = (await peer.call(LOAD, { services }, { timeoutMs: LOAD_MS })) as Loaded
    for (const [name, said] of Object.entries({ ...loaded, ...refused })) {
      const known: Known = 'error' in said ? { error: LabError.fromJSON(said.error) } : knownBy(name, said.contract)
      this.#known.set(name, known)
      if (!('error' in known)) continue
      const { message: reason } = known.error
      this.#write('node', `${name} can not be used: ${reason}`)
      this.#options.log.warn({ daemon: this.#options.name, service: name, reason }, 'a service can not be used')
    }
  }

  #told(state: DaemonState, reason: string | undefined, words: string | undefined): void {
    const { name, log, onChange } = this.#options
    const why = reasonWith(reason, words)
    this.#write('node', why === undefined ? state : `${state}: ${why}`)
    const said = { daemon: name, state, ...(why === undefined ? {} : { reason: why }) }
    if (state === 'failed') log.error(said, 'a daemon ended too often, and stays down until somebody starts it')
    else if (state === 'backing-off' || state === 'unhealthy') log.warn(said, 'a daemon is not well')
    else log.info(said, 'a daemon has another state')
    onChange()
  }

  #write(from: DaemonLine['from'], text: string): void {
    const { name: daemon, clock, lines, lineNumber } = this.#options
    const time = new Date(clock.now()).toISOString()
    lines.add({ number: lineNumber(), daemon, time, from, text }, this.#hidden)
  }
}

/** For whoever owns the machine. */
const reasonWith = (reason: string | undefined, words: string | undefined) =>
  words === undefined ? reason : `${reason}: ${words}`

const sessionEnded = () =>
  new LabError({
    code: 'session-ended',
    kind: 'link',
    retry: 'later',
    message:
      'the connection has ended, and with it the object that it had of the service: ask again for one of its own',
  })

/** What a process says is not taken on trust. */
function knownBy(name: string, said: unknown): Known {
  const { success, data, error } = serviceContractSchema.safeParse(said)
  if (success) return { contract: data }
  const [issue] = error.issues
  const message = `${name} has a contract that is none: ${issue?.path.join('.')}: ${issue?.message}`
  return { error: new LabError({ code: 'own-service-wrong', kind: 'configuration', message }) }
}
