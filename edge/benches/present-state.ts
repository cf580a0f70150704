/** What state a bench is in, from what is known of it. Pure. */
import type { InterlockStatus } from '@fernlab/shared/contracts/interlocks'
import type { BenchStatus } from '@fernlab/shared/contracts/node-status'
import type { BenchState } from '@fernlab/shared/contracts/run-state'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface BenchFacts {
  readonly held: boolean
  readonly interlocks: readonly InterlockStatus[]
  /** Why its safe state was not reached. */
  readonly fault: string | undefined
  /** Why an instrument is away. */
  readonly offline: string | undefined
  /** It goes to its safe state, or has to. */
  readonly moving: boolean
}

export function presentState(facts: BenchFacts): { readonly state: BenchState; readonly reason?: string } {
  const { held, interlocks, fault, offline, moving } = facts
  if (held) return { state: 'busy' }
  if (fault !== undefined) return { state: 'fault', reason: fault }
  const tripped = interlocks.filter(isTripped)
  // A sensor that is only switched off with its bench says nothing that the bench does not.
  const first = tripped.find(({ latched }) => latched) ?? (offline === undefined ? tripped[0] : undefined)
  if (first !== undefined) return { state: 'fault', reason: trippedText(first) }
  if (offline !== undefined) return { state: 'offline', reason: offline }
  const unread = interlocks.find(({ state }) => state === 'unread')
  if (unread !== undefined) return { state: 'busy', reason: `interlock ${unread.name} waits for its first reading` }
  if (moving) return { state: 'busy', reason: 'going to its safe state' }
  return { state: 'free' }
}

export const isTripped = ({ state }: InterlockStatus): boolean => state === 'tripped'

/** What a status is made of. */
export interface StatusFacts {
  readonly state: BenchState
  readonly reason?: string
  readonly run: string | undefined
  readonly direct: boolean
  readonly interlocks: readonly InterlockStatus[]
}

/** When the state of a status began, in ms. */
const begun = new WeakMap<BenchStatus, number>()

/** The status as it is now; the one before where nothing has changed. */
export function makeStatus(facts: StatusFacts, before: BenchStatus, nowMs: number): BenchStatus {
  const { state, reason, run, direct } = facts
  const interlocks = facts.interlocks.length === 0 ? undefined : facts.interlocks
  const sameUse =
    state === before.state && reason === before.reason && run === before.run && direct === (before.lease === true)
  if (sameUse && interlocks === before.interlocks) return before
  const sinceMs = sameUse ? (begun.get(before) ?? Date.parse(before.since)) : nowMs
  const status: BenchStatus = {
    state,
    // Written out when asked for: most states of a busy bench are never published.
    get since() {
      return new Date(sinceMs).toISOString()
    },
    ...(reason === undefined ? {} : { reason }),
    ...(run === undefined ? {} : { run }),
    ...(direct ? { lease: true as const } : {}),
    ...(interlocks === undefined ? {} : { interlocks }),
  }
  begun.set(status, sinceMs)
  return status
}

/** Why nobody may use the bench, and what to do. */
function trippedText({ name, reason, holds, latched }: InterlockStatus): string {
  const why = reason ?? ''
  if (!latched) return `interlock ${name} has tripped: ${why}`
  if (holds) return `interlock ${name} has tripped: ${why}; when that is over, reset it`
  return `interlock ${name} has tripped: ${why}; that is over: look at the bench, then reset it`
}

/** Why a bench can not be had, for who may try again later. */
export function unavailable(code: string, message: string): LabError {
  return new LabError({
    code,
    kind: 'caller',
    retry: 'later',
    message,
    studentMessage: 'The bench is not available at the moment.',
  })
}

/** Why another tool may not have the ports of a bench now; undefined: it may. */
export function inUseReason(bench: {
  readonly name: string
  readonly lease: unknown
  readonly unsafe: LabError | undefined
  readonly status: BenchStatus
}): string | undefined {
  const { name, lease, unsafe, status } = bench
  if (lease !== undefined) return `bench ${name} is in use`
  if (unsafe !== undefined) return unsafe.message
  // Still to be driven, or tripped: its instruments are the node's until it is safe.
  if (status.state !== 'busy' && status.state !== 'fault') return undefined
  return `bench ${name} is ${status.state}${status.reason === undefined ? '' : `: ${status.reason}`}`
}

/** What ends the use of a bench whose interlock has tripped. */
export function trippedError(bench: string, { name, title, reason }: InterlockStatus): LabError {
  return new LabError({
    code: 'interlock-tripped',
    kind: 'instrument',
    retry: 'later',
    message: `interlock ${name} of bench ${bench} has tripped: ${reason ?? ''}`,
    studentMessage: `A safety limit of this bench was reached${title === undefined ? '' : ` (${title})`}, and the bench was switched off. What was measured until then is kept.`,
    details: { interlock: title ?? name, bench },
  })
}
