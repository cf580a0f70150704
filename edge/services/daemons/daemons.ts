/**
 * The daemons of a node and the services that are in them.
 *
 * INVARIANTS: what one daemon does, another does not notice; a reload stops and starts only those whose configuration or
 * files have changed, or that have a service which can't be used, starts none that was stopped, and leaves none stopped that
 * was up.
 */
import {
  DAEMON_CONTROL,
  type DaemonChange,
  type DaemonInfo,
  type DaemonLine,
  type DaemonReport,
  daemonUnknown,
} from '@fernlab/shared/contracts/daemon-control'
import type { DaemonEntry, OwnServiceEntry } from '@fernlab/shared/contracts/own-services'
import type { AskedLog, ServiceLog } from '@fernlab/shared/contracts/service-log'
import type { AnnouncedService, ServiceLock } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Service } from '@fernlab/shared/rpc/contract/serve-service'
import { daemonControlService } from './daemon-control.ts'
import { createLogLines, type LogLines } from './log-lines.ts'
import { logPage } from './log-page.ts'
import { type ClientSession, RunningDaemon } from './running-daemon.ts'
import { keepFolders, printOf, renamedIn } from './service-source-files.ts'

/** What node.yaml says of them. */
export interface DaemonsConfig {
  readonly daemons: Readonly<Record<string, DaemonEntry>>
  readonly services: { readonly own: Readonly<Record<string, OwnServiceEntry>> }
}

/** The connection that a client's calls come by. */
interface Client {
  readonly person: string
  onEnd(listener: () => void): void
}

export interface Daemons {
  list(): readonly AnnouncedService[]
  /** Also one that is in no directory. */
  find(name: string, client: Client): Service | undefined
  onChange(listener: () => void): void
  report(): readonly DaemonReport[]
  /** Of the daemon of that name, or the one that has the service; throws `daemon-unknown`. */
  info(name: string): Promise<DaemonInfo>
  /** The newest lines that they have written, by time; throws `daemon-unknown`. */
  lines(names: readonly string[] | undefined, most: number): readonly DaemonLine[]
  /** What the daemon of a service has written, as clients may see it; undefined for a service of none. */
  logOf(service: string, asked: AskedLog): ServiceLog | undefined
  /** Without names, all of them. Throws `daemon-unknown` before anything is done. */
  up(names?: readonly string[]): Promise<readonly DaemonChange[]>
  down(names?: readonly string[]): Promise<readonly DaemonChange[]>
  /** By what node.yaml says now; rejects with what is wrong with it, and changes nothing then. */
  reload(): Promise<readonly DaemonChange[]>
  /** Ends all of them; idempotent and bounded. */
  close(): Promise<void>
}

export interface CreateDaemonsOptions {
  readonly config: DaemonsConfig
  /** Reads node.yaml again. */
  readonly readConfig: () => Promise<DaemonsConfig>
  /** The folder of node.yaml. */
  readonly configFolder: string
  /** Each service has a folder of its own in it. */
  readonly dataFolder: string
  /** Who has locked a service. */
  readonly lockOf: (service: string) => ServiceLock | undefined
  readonly clock: Clock
  readonly log: Log
}

interface Kept {
  readonly daemon: RunningDaemon
  /** They stay where the daemon is made anew. */
  readonly lines: LogLines
  readonly own: readonly (readonly [string, OwnServiceEntry])[]
  /** Says the same as long as nothing has changed that its process is made of. */
  readonly print: string
  /** Says the same as long as nothing of its entries has changed. */
  readonly text: string
}

/** Starts those that start with the node; resolves at once, before they are up. */
export async function createDaemons(options: CreateDaemonsOptions): Promise<Daemons> {
  const { configFolder, dataFolder, lockOf, clock, log } = options
  const all = new Map<string, Kept>()
  const listeners: (() => void)[] = []
  const sessions = new WeakMap<Client, ClientSession>()
  let last: Promise<unknown> = Promise.resolve()
  let lines = 0
  let isClosed = false
  const changed = () => {
    for (const listener of listeners) listener()
  }

  const lineNumber = () => ++lines
  /** Lines of another start of the node have the same numbers. */
  const thisStart = newId(clock.now())
  const sessionOf = (client: Client): ClientSession => {
    let known = sessions.get(client)
    if (known === undefined) {
      const { person } = client
      known = { session: newId(clock.now()), person, onEnd: (listener) => client.onEnd(listener) }
      sessions.set(client, known)
    }
    return known
  }

  /** One after another: a reload that meets a stop would start what is to be stopped. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(() => {
      if (isClosed) throw new LabError({ code: 'node-closing', kind: 'link', message: 'the node is going down' })
      return work()
    })
    last = done.catch(() => {})
    return done
  }
  const kept = (name: string): Kept => {
    const found = all.get(name)
    if (found !== undefined) return found
    throw daemonUnknown(
      name,
      [...all].map(([daemon, { own }]) => ({ daemon, services: own.map(([service]) => service) })),
    )
  }
  const make = async (name: string, { daemons, services }: DaemonsConfig, lines = createLogLines()): Promise<Kept> => {
    const entry = daemons[name] as DaemonEntry
    const own = Object.entries(services.own).filter(([, { daemon }]) => daemon === name)
    const daemon = new RunningDaemon({
      name,
      entry,
      own,
      configFolder,
      dataFolder,
      clock,
      log,
      onChange: changed,
      lines,
      lineNumber,
    })
    return {
      daemon,
      lines,
      own,
      print: await printOf(entry, own, { configFolder, dataFolder }),
      text: JSON.stringify([entry, own]),
    }
  }
  const each = async (
    names: readonly string[] | undefined,
    work: (daemon: RunningDaemon) => Promise<DaemonChange['change']>,
  ): Promise<DaemonChange[]> => {
    const chosen = (names ?? [...all.keys()]).map((name) => ({ name, daemon: kept(name).daemon }))
    return await Promise.all(chosen.map(async ({ name, daemon }) => ({ daemon: name, change: await work(daemon) })))
  }
  const start = async (name: string, config: DaemonsConfig, isWanted: boolean) => {
    const made = await make(name, config)
    all.set(name, made)
    if (isWanted) await made.daemon.up()
  }
  /** A lock is of a name: by a new one, others could use what somebody has locked. */
  const requireUnlocked = (renamed: ReturnType<typeof renamedIn>) => {
    for (const [from, to] of renamed) {
      const lock = lockOf(from)
      if (lock === undefined) continue
      const hint = `it becomes ${to} once that has ended (fernlab daemon unlock ${from})`
      const message = `${from} is locked by ${lock.owner} since ${lock.since}: ${hint}`
      throw new LabError({ code: 'service-locked', kind: 'caller', retry: 'later', message })
    }
  }
  const reloaded = async (name: string, config: DaemonsConfig): Promise<DaemonChange['change']> => {
    const before = all.get(name)
    if (!Object.hasOwn(config.daemons, name)) {
      await before?.daemon.down()
      all.delete(name)
      return 'removed'
    }
    if (before === undefined) {
      await start(name, config, config.daemons[name]?.autostart === true)
      return 'added'
    }
    const made = await make(name, config, before.lines)
    // What it imports may be what was mended, and is in no print.
    if (made.print === before.print && !before.daemon.hasUseless()) {
      if (made.text === before.text) return 'unchanged'
      before.daemon.describe(made.own)
      all.set(name, { ...made, daemon: before.daemon })
      return 'changed'
    }
    const renamed = renamedIn(before.own, made.own)
    requireUnlocked(renamed)
    const wasUp = await before.daemon.down()
    try {
      // One of them may have been locked while the daemon went down.
      requireUnlocked(renamed)
      await keepFolders(renamed, dataFolder)
    } catch (thrown) {
      if (wasUp) await before.daemon.up()
      throw thrown
    }
    // Whoever reads the log of one service of a daemon reads what the others have written, and of no more than these.
    const still = new Set([...made.own.map(([own]) => own), ...renamed.map(([from]) => from)])
    if (before.own.some(([own]) => !still.has(own))) before.lines.keepBack()
    all.set(name, made)
    if (wasUp) await made.daemon.up()
    return wasUp ? 'restarted' : 'changed'
  }
  /** One that can not be reloaded is as before: the next reload tries it again. */
  const tried = async (daemon: string, config: DaemonsConfig): Promise<DaemonChange> => {
    try {
      return { daemon, change: await reloaded(daemon, config) }
    } catch (thrown) {
      const { message: reason } = asLabError(thrown)
      log.error({ daemon, reason }, 'a daemon could not be reloaded, and is as before')
      return { daemon, change: 'not reloaded', reason }
    }
  }

  for (const [name, { autostart }] of Object.entries(options.config.daemons)) {
    await start(name, options.config, autostart)
  }
  const daemons: Daemons = {
    list: () => [...all.values()].flatMap(({ daemon }) => daemon.announced()),
    find: (name, client) => {
      if (name === DAEMON_CONTROL) return daemonControlService(daemons, clock, client.person)
      for (const { daemon } of all.values()) {
        const service = daemon.find(name, sessionOf(client))
        if (service !== undefined) return service
      }
      return undefined
    },
    onChange: (listener) => void listeners.push(listener),
    report: () => [...all.values()].map(({ daemon }) => daemon.report()),
    info: async (name) => {
      const holder = [...all.values()].find(({ daemon }) => daemon.has(name))
      return await (holder ?? kept(name)).daemon.info()
    },
    lines: (names, most) =>
      (names ?? [...all.keys()])
        .flatMap((name) => kept(name).daemon.lines(most))
        .sort((one, other) => one.number - other.number)
        .slice(-most),
    logOf: (service, asked) => {
      const holder = [...all.entries()].find(([, { daemon }]) => daemon.has(service))
      if (holder === undefined) return undefined
      const [name, { daemon }] = holder
      const page = logPage(daemon.linesOfClients(), asked, thisStart)
      return { daemon: name, ...page, lines: page.lines.map((line) => daemon.shown(line)) }
    },
    up: (names) => inTurn(() => each(names, async (daemon) => ((await daemon.up()) ? 'started' : 'up already'))),
    down: (names) =>
      inTurn(() => each(names, async (daemon) => ((await daemon.down()) ? 'stopped' : 'stopped already'))),
    reload: () =>
      inTurn(async () => {
        const config = await options.readConfig()
        const names = [...new Set([...all.keys(), ...Object.keys(config.daemons)])]
        const changes: DaemonChange[] = []
        for (const name of names) changes.push(await tried(name, config))
        changed()
        return changes
      }),
    close: async () => {
      isClosed = true
      await last
      await Promise.all([...all.values()].map(({ daemon }) => daemon.down()))
    },
  }
  return daemons
}
