/** `fernlab daemon …` on the machine of a node: the verbs that both command lines have. */
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import {
  DAEMON_CONTROL,
  type DaemonChange,
  type DaemonReport,
  daemonChangeSchema,
  daemonInfoSchema,
  daemonLineSchema,
  daemonReportSchema,
  daemonUnknown,
} from '../contracts/daemon-control.ts'
import { announcedServiceSchema } from '../contracts/services.ts'
import type { Clock } from '../primitives/clock.ts'
import { asLabError, LabError } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import type { CallOptions } from '../rpc/peer/calls.ts'
import type { Peer } from '../rpc/peer/peer.ts'
import { announcedLines, changeLines, daemonLines, lineText, ownServiceLines, reportLines } from './daemon-text.ts'
import { withNodeHere } from './node-here.ts'
import { renameService } from './rename-service.ts'

export const daemonVerbs = ['ps', 'info', 'up', 'down', 'reload', 'logs', 'unlock', 'rename'] as const
export type DaemonVerb = (typeof daemonVerbs)[number]

export interface DaemonVerbOptions {
  /** All where none is named; of `info` one daemon or service, of `unlock` services, of `rename` the old name and the new. */
  readonly daemons: readonly string[]
  readonly dataFolder: string
  /** Where the data folder has several nodes. */
  readonly node: string | undefined
  readonly json: boolean
  /** Of `logs`: how many lines, whether to go on, and the file that takes them. */
  readonly lines: number
  readonly follow: boolean
  readonly exportTo: string | undefined
  /** Of `unlock`: why. */
  readonly reason: string
  /** Of `rename`: node.yaml; the one that the node has read unless given. */
  readonly nodeFile: string | undefined
  readonly clock: Clock
  readonly out: (line: string) => void
  readonly signal: AbortSignal
}

/** A daemon may take a minute to be up. */
const TIMEOUT_MS = 90_000
const LIST_MS = 5000
const lockableSchema = z.array(announcedServiceSchema.pick({ name: true, bench: true, lock: true }))

/**
 * Does it; rejects as {@link withNodeHere} does, with `daemon-down` when one that was started is not up, and with
 * `daemon-not-reloaded` when one is as it was before the reload, and with `own-service-wrong` when a service of one can't be
 * used.
 */
export async function daemonVerb(verb: DaemonVerb, options: DaemonVerbOptions): Promise<void> {
  await withNodeHere(options, (peer, folder) => verbs[verb](peer, options, folder))
}

const verbs: Readonly<Record<DaemonVerb, (peer: Peer, options: DaemonVerbOptions, folder: string) => Promise<void>>> = {
  ps: async (peer, { daemons, json, out, signal }) => {
    const all = await reportsOf(peer, { signal })
    const unknown = daemons.find((name) => !all.some(({ daemon }) => daemon === name))
    if (unknown !== undefined) throw daemonUnknown(unknown, all.map(namesIn))
    const chosen = all.filter(({ daemon }) => daemons.length === 0 || daemons.includes(daemon))
    if (json) out(JSON.stringify(chosen, null, 2))
    else if (chosen.length === 0) out('This node has no daemons: node.yaml names none.')
    else for (const report of chosen) for (const line of reportLines(report)) out(line)
  },
  up: (peer, options) => change(peer, 'up', { daemons: options.daemons }, options),
  down: (peer, options) => change(peer, 'down', { daemons: options.daemons }, options),
  reload: (peer, options) => change(peer, 'reload', {}, options),
  info,
  unlock: async (peer, { daemons, reason, json, out, signal }) => {
    if (daemons.length === 0) throw mistake('name a service whose lock is to end')
    const listed = lockableSchema.parse(await peer.call('node/services', {}, { timeoutMs: LIST_MS, signal }))
    // Whoever takes it after this look was not meant.
    const seen = listed.flatMap(({ name, bench, lock }) => {
      if (!daemons.includes(name)) return []
      if (lock !== undefined) return [{ service: name, since: lock.since }]
      const message = `${bench === undefined ? `service ${name}` : `bench ${bench}`} is not locked: nothing was ended`
      throw new LabError({ code: 'not-locked', kind: 'caller', message })
    })
    const args = { services: daemons, seen, ...(reason === '' ? {} : { reason }) }
    const { services } = z
      .object({ services: z.array(z.string()) })
      .parse(await peer.call('node/unlock', args, { timeoutMs: TIMEOUT_MS, signal }))
    if (json) out(JSON.stringify({ services }, null, 2))
    else for (const name of services) out(`${name}: unlocked`)
  },
  rename: async (peer, options, folder) => {
    const [from, to, ...others] = options.daemons
    if (from === undefined || to === undefined || others.length > 0) throw mistake('name a service, and its new name')
    const announced = z.array(announcedServiceSchema).parse(await peer.call('node/services', {}, options))
    const own = (await reportsOf(peer, { signal: options.signal })).flatMap((each) => namesIn(each).services)
    if (!own.includes(from)) {
      const message = `this node has no service ${from} of its own${didYouMean(from, own)}`
      throw new LabError({ code: 'service-unknown', kind: 'caller', message })
    }
    const taken = [...announced.map(({ name }) => name), ...own]
    if (taken.includes(to)) {
      throw new LabError({ code: 'name-taken', kind: 'caller', message: `there is a service ${to} already` })
    }
    const lock = announced.find(({ name }) => name === from)?.lock
    if (lock !== undefined) {
      const hint = `end that first (fernlab daemon unlock ${from}), then rename it`
      const message = `${from} is locked by ${lock.owner} since ${lock.since}: ${hint}`
      throw new LabError({ code: 'service-locked', kind: 'caller', retry: 'later', message })
    }
    const { nodeFile } = await endpointsIn(folder)
    const file = options.nodeFile ?? nodeFile
    const undo = await renameService({ from, to, file, nodeFile, taken })
    try {
      const changes = await changed(peer, 'reload', {}, options)
      const holder = await holderOf(peer, to)
      if (holder !== undefined && !options.json) options.out(`${from} is now ${to}`)
      // What else is wrong was so before.
      requireWell(changes.filter(({ daemon }) => holder === undefined || daemon === holder))
    } catch (thrown) {
      // A daemon that is not well has its new name all the same. Of a node that does not say, nothing is taken for granted.
      if ((await holderOf(peer, to).catch(() => undefined)) === undefined) await undo()
      throw thrown
    }
  },
  logs,
}

async function reportsOf(peer: Peer, options: CallOptions): Promise<DaemonReport[]> {
  return z.array(daemonReportSchema).parse(await peer.call(`${DAEMON_CONTROL}/list`, {}, options))
}

const namesIn = ({ daemon, services }: DaemonReport) => ({ daemon, services: services.map(({ name }) => name) })

/** The daemon of the node that has a service of that name. */
async function holderOf(peer: Peer, service: string): Promise<string | undefined> {
  const all = await reportsOf(peer, { timeoutMs: LIST_MS })
  return all.find((each) => namesIn(each).services.includes(service))?.daemon
}

/** A daemon; or a service, with its daemon where it has one. */
async function info(peer: Peer, options: DaemonVerbOptions, folder: string): Promise<void> {
  const { daemons, json, out, signal, clock } = options
  const [name, ...others] = daemons
  if (name === undefined || others.length > 0) throw mistake('name one daemon or service')
  const announced = z.array(announcedServiceSchema).parse(await peer.call('node/services', {}, { signal }))
  const service = announced.find((one) => one.name === name)
  const given = await peer.call(`${DAEMON_CONTROL}/info`, { name }, { signal }).catch((thrown: unknown) => {
    if (asLabError(thrown).code !== 'daemon-unknown') throw thrown
    // A part of a bench is in no daemon.
    if (service === undefined) return undefined
  })
  if (given === undefined && service === undefined) {
    const all = await reportsOf(peer, { signal })
    const names = [...new Set([...all.map(({ daemon }) => daemon), ...announced.map((one) => one.name)])]
    const known = names.length === 0 ? '' : `; this node has ${names.join(', ')}`
    const message = `there is no daemon or service ${name}${didYouMean(name, names) || known}`
    throw new LabError({ code: 'daemon-unknown', kind: 'caller', message })
  }
  const daemon = given === undefined ? undefined : daemonInfoSchema.parse(given)
  const addresses = service === undefined ? [] : (await endpointsIn(folder)).addresses
  if (json) {
    out(
      JSON.stringify(
        { ...(daemon === undefined ? {} : { daemon }), ...(service === undefined ? {} : { service, addresses }) },
        null,
        2,
      ),
    )
    return
  }
  const own = daemon?.services ?? []
  for (const one of own.filter((each) => each.name === name || daemon?.daemon === name))
    for (const line of ownServiceLines(one)) out(line)
  if (service !== undefined) for (const line of announcedLines(service, addresses)) out(line)
  if (daemon !== undefined) for (const line of daemonLines(daemon, clock.now())) out(line)
}

const endpoints = z.object({ addresses: z.array(z.string()), nodeFile: z.string().exactOptional() })

/** Where the node is reached from elsewhere, and the node.yaml that it has read, as it says itself. */
async function endpointsIn(folder: string): Promise<z.infer<typeof endpoints>> {
  return endpoints.parse(JSON.parse(await readFile(join(folder, 'services.json'), 'utf8')))
}

async function logs(peer: Peer, options: DaemonVerbOptions): Promise<void> {
  const { daemons, json, lines, follow, exportTo, signal } = options
  const file = exportTo === undefined ? undefined : await newFile(exportTo)
  let written = 0
  const show = async (given: unknown) => {
    const line = daemonLineSchema.parse(given)
    const text = json ? JSON.stringify(line) : lineText(line)
    if (file === undefined) options.out(text)
    else await file.write(`${text}\n`)
    written++
  }
  try {
    // Asked for first, so that no line between both is missed; those that are in both are shown once.
    const following = follow ? peer.stream(`${DAEMON_CONTROL}/follow`, { daemons }, { signal }) : undefined
    const newest = await peer.call(`${DAEMON_CONTROL}/logs`, { daemons, most: lines }, { signal })
    const shown = z.array(daemonLineSchema).parse(newest)
    for (const line of shown) await show(line)
    const last = shown.at(-1)?.number ?? 0
    try {
      for await (const line of following ?? []) if (daemonLineSchema.parse(line).number > last) await show(line)
    } catch (thrown) {
      // Ctrl-C is how it ends.
      if (!signal.aborted) throw thrown
    }
  } finally {
    await file?.close()
  }
  if (file !== undefined) options.out(`${written} lines in ${exportTo}`)
}

async function newFile(path: string): Promise<FileHandle> {
  return await open(path, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw mistake(cause.code === 'EEXIST' ? `there is ${path} already` : `${path} can't be written: ${cause.message}`)
  })
}

async function change(
  peer: Peer,
  verb: 'up' | 'down' | 'reload',
  args: object,
  options: DaemonVerbOptions,
): Promise<void> {
  const changes = await changed(peer, verb, args, options)
  if (verb !== 'down') requireWell(changes)
}

/** Does it, and says what became of each. */
async function changed(
  peer: Peer,
  verb: 'up' | 'down' | 'reload',
  args: object,
  { json, out, signal }: DaemonVerbOptions,
): Promise<DaemonChange[]> {
  const given = await peer.call(`${DAEMON_CONTROL}/${verb}`, args, { timeoutMs: TIMEOUT_MS, signal })
  const changes = z.array(daemonChangeSchema).parse(given)
  if (json) out(JSON.stringify(changes, null, 2))
  else if (changes.length === 0) out('This node has no daemons: node.yaml names none.')
  else for (const line of changes.flatMap(changeLines)) out(line)
  return changes
}

/** Throws where one is not as it was to be, or has a service that can't be used. */
function requireWell(changes: readonly DaemonChange[]): void {
  const kept = changes.filter((each) => each.change === 'not reloaded').map(({ daemon }) => daemon)
  if (kept.length > 0) {
    const message = `not reloaded: ${kept.join(', ')}; mend why, and "fernlab daemon reload" tries it again`
    throw new LabError({ code: 'daemon-not-reloaded', kind: 'configuration', message })
  }
  const down = changes.filter((each) => startedWords.has(each.change) && isDown(each)).map(({ daemon }) => daemon)
  if (down.length > 0) {
    const message = `not up: ${down.join(', ')}; "fernlab daemon logs ${down[0]}" says more`
    throw new LabError({ code: 'daemon-down', kind: 'instrument', message })
  }
  const useless = changes.filter(({ state }) => state === 'up').flatMap(({ services = [] }) => services)
  if (useless.length === 0) return
  const message = `can not be used: ${useless.map(({ name }) => name).join(', ')}; mend why, and "fernlab daemon reload" tries it again`
  throw new LabError({ code: 'own-service-wrong', kind: 'configuration', message })
}

const startedWords: ReadonlySet<string> = new Set(['started', 'restarted', 'up already'])
const isDown = ({ state }: DaemonChange): boolean => state !== undefined && state !== 'up'

const mistake = (message: string): LabError => new LabError({ code: 'bad-argument', kind: 'caller', message })
