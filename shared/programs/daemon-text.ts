/** Daemons and services in words, as `fernlab daemon` says them. */
import type { DaemonChange, DaemonInfo, DaemonLine, DaemonReport } from '../contracts/daemon-control.ts'
import type { AnnouncedService } from '../contracts/services.ts'

/** What became of one. */
export function changeLines({ daemon, change: word, state, reason, services = [] }: DaemonChange): string[] {
  const now = state === undefined || state === 'up' ? '' : `, now ${state}`
  const why = reason === undefined ? '' : ` (${reason})`
  return [`${daemon}: ${word}${now}${why}`, ...services.map(({ name, error }) => `  ${name} can not be used: ${error}`)]
}

/** How one stands, and its services. */
export function reportLines({ daemon, state, reason, pid, upSince, services }: DaemonReport): string[] {
  const since = upSince === undefined ? '' : ` since ${upSince}`
  const process = pid === undefined ? '' : `, process ${pid}`
  const first = `${daemon}: ${state}${since}${process}${reason === undefined ? '' : ` (${reason})`}`
  return [first, ...services.map(({ name, error }) => `  ${name}${error === undefined ? '' : `: ${error}`}`)]
}

const marks = { output: ' ', errors: '!', node: '*' } as const
/** One line of a log. */
export const lineText = ({ time, daemon, from, text }: DaemonLine): string => `${time} ${daemon} ${marks[from]} ${text}`

const listed = (what: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`${what}: ${names.join(', ')}`]
const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`

/** All that there is to know of a daemon; `nowMs` is the time of reading, in epoch milliseconds. */
export function daemonLines(info: DaemonInfo, nowMs: number): string[] {
  const { daemon, state, reason, pid, upSince, memoryBytes, memoryMB, restarts, lastEnd } = info
  const upMs = upSince === undefined ? undefined : nowMs - Date.parse(upSince)
  return [
    `daemon: ${daemon}`,
    `state: ${state}${reason === undefined ? '' : ` (${reason})`}`,
    ...(upMs === undefined ? [] : [`up: ${Math.round(upMs / 1000)} s, since ${upSince}`]),
    ...(pid === undefined ? [] : [`process: ${pid}`]),
    `memory: ${memoryBytes === undefined ? 'none' : megabytes(memoryBytes)} of ${memoryMB} MB`,
    `restarts: ${restarts}`,
    ...(lastEnd === undefined ? [] : [`last end: ${lastEnd.time}, ${lastEnd.reason}`]),
  ]
}

/** What a service of a daemon is. */
export function ownServiceLines(service: DaemonInfo['services'][number]): string[] {
  const { name, error, source, instances, kind, version, actions, signals, events } = service
  return [
    `service: ${name}`,
    `of: ${source}, ${instances}`,
    ...(error === undefined ? [] : [`error: ${error}`]),
    ...(kind === undefined ? [] : [`contract: ${kind} ${version}`]),
    ...listed('actions', actions),
    ...listed('signals', signals),
    ...listed('events', events),
  ]
}

/** How a service stands among all of a node; of a part of a bench also what it can do. */
export function announcedLines(service: AnnouncedService, addresses: readonly string[]): string[] {
  const { name, state, reason, bench, lock, description, tags = [], contract } = service
  const what = [
    `service: ${name}`,
    `contract: ${contract.kind} ${contract.version}`,
    ...listed('actions', Object.keys(contract.actions)),
    ...listed('signals', Object.keys(contract.signals)),
  ]
  return [
    ...(bench === undefined ? [] : what),
    `in the directory: ${state}${reason === undefined ? '' : ` (${reason})`}`,
    ...(lock === undefined
      ? []
      : [`locked: by ${lock.owner} since ${lock.since}${lock.reason === undefined ? '' : ` (${lock.reason})`}`]),
    ...(description === undefined ? [] : [`description: ${description}`]),
    ...listed('tags', tags),
    ...listed('addresses', addresses),
  ]
}
