/**
 * One bench: who holds it, what state it is in, and its way to the safe state.
 *
 * INVARIANTS: at most one lease exists at a time, and only it reaches the instruments' setters and actions; a lease
 * that has ended reaches nothing any more, also with what it had already asked for; every end of a lease drives the
 * bench to its safe state before the bench is free; an instrument that comes back is driven to it though others of the
 * bench are away; what was lost while the bench was driven counts as not driven; fences never go back; a bench whose safe
 * state was not reached is in `fault` until it is; an interlock that trips ends the lease and drives the bench at once, and
 * nobody gets the bench before it is clear. Nothing here waits for storage or for the hub.
 */
import type { InstrumentSpec, Limits } from '@fernlab/shared/capabilities/signals'
import type { InterlockEntry, InterlockStatus } from '@fernlab/shared/contracts/interlocks'
import type { BenchEntry } from '@fernlab/shared/contracts/node-file'
import type { BenchStatus } from '@fernlab/shared/contracts/node-status'
import type { BenchSpec } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { SignalValue } from '../drivers/driver.ts'
import type { FaultHook } from '../fault-point.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'
import { createLease, type Lease } from './lease.ts'
import { isTripped, makeStatus, presentState, trippedError, unavailable } from './present-state.ts'
import { driveToSafeState, lateError, type SafeResult } from './safe-state.ts'

export interface Holder {
  readonly kind: 'run' | 'direct'
  /** The run's id, or who asked. */
  readonly id: string
}

export interface Bench {
  readonly name: string
  readonly entry: BenchEntry
  /** Instruments by part. */
  readonly parts: ReadonlyMap<string, InstrumentHandle>
  readonly status: BenchStatus
  /** The newest fence seen. */
  readonly fence: number
  readonly lease: Lease | undefined
  /** Who has the lease. */
  readonly holder: Holder | undefined
  /** What each part can do. */
  specs(): Record<string, InstrumentSpec>
  /** As announced to the hub. */
  describe(): BenchSpec
  /** Notes a fence seen in an accepted assignment; refuses one below. */
  advanceFence(fence: number): void
  /**
   * Takes the bench; throws `bench-*` (retry later) while it is not free. Lab limits are by `part.signal`; the lease has the
   * token that is given, or a new one.
   */
  acquire(
    holder: Holder,
    options?: { ttlMs?: number; limits?: Readonly<Record<string, Limits>>; token?: string },
  ): Lease
  /** Ends the lease if it is still the bench's and resolves when the safe state was tried. */
  release(lease: Lease): Promise<SafeResult>
  /** Drives a bench that nobody holds to its safe state. */
  makeSafe(): Promise<SafeResult>
  /** Takes how its interlocks stand; for one that has tripped it goes to its safe state at once, whoever holds it. */
  interlocked(interlocks: readonly InterlockStatus[]): void
  /** Why its safe state was not reached, until it is. */
  readonly unsafe: LabError | undefined
  onChange(listener: (bench: Bench) => void): void
  /** Ends its lease and waits for the safe state, at most `CLOSE_MS`. */
  close(): Promise<void>
}

export interface CreateBenchOptions {
  readonly name: string
  readonly entry: BenchEntry
  readonly parts: ReadonlyMap<string, InstrumentHandle>
  /** Those that keep this bench safe, by name. */
  readonly interlocks?: Readonly<Record<string, Pick<InterlockEntry, 'safeState'>>>
  readonly fence: number
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
  readonly newId: () => string
  /** What the safe state has set. */
  readonly onValue: (instrument: string, signal: string, value: SignalValue, unit: string, timeS: number) => void
}

const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 60_000
/** Leaves time to write that the safe state was not reached before a supervisor loses its patience. */
const CLOSE_MS = 2000

export function createBench(options: CreateBenchOptions): Bench {
  const { name, entry, parts, clock, log, faultPoint, onValue } = options
  const listeners: ((bench: Bench) => void)[] = []
  let fence = options.fence
  let lease: Lease | undefined
  let holder: Holder | undefined
  let releasing: Promise<SafeResult> | undefined
  let interlocks: readonly InterlockStatus[] = []
  /** The safe state, and what those interlocks that have tripped want besides. */
  const safeStateNow = (): BenchEntry['safeState'] => {
    const tripped = interlocks.filter(isTripped)
    return Object.assign({}, entry.safeState, ...tripped.map((one) => options.interlocks?.[one.name]?.safeState ?? {}))
  }
  const guarded = new Set(
    [entry, ...Object.values(options.interlocks ?? {})]
      .flatMap(({ safeState = {} }) => Object.keys(safeState))
      .flatMap((key) => handleOf(parts, key) ?? []),
  )
  /** Instruments that are not known to be in their safe state: not driven yet, touched, or lost since. */
  const due = new Set(guarded)
  /** Why the bench did not reach its safe state, until it does. */
  let fault: LabError | undefined
  let retryMs = FIRST_RETRY_MS
  let cancelRetry: (() => void) | undefined
  let cancelExpiry: (() => void) | undefined
  let closed = false
  /** While the bench was being driven: what is on its way to the instruments does not know of it. */
  let trippedMeanwhile = false
  const hurry = new AbortController()
  let status: BenchStatus = { state: 'offline', since: new Date(clock.now()).toISOString(), reason: 'starting' }

  const offlineReason = (): string | undefined => {
    for (const handle of parts.values()) {
      if (!handle.connection.online) return `${handle.name} is offline: ${handle.connection.reason}`
    }
    return undefined
  }

  const present = () =>
    presentState({
      held: lease !== undefined,
      interlocks,
      fault: fault?.message,
      offline: offlineReason(),
      moving: releasing !== undefined || due.size > 0,
    })

  const update = () => {
    const run = holder?.kind === 'run' ? holder.id : undefined
    const next = makeStatus({ ...present(), run, direct: holder?.kind === 'direct', interlocks }, status, clock.now())
    if (next === status) return
    status = next
    for (const listener of listeners) listener(bench)
  }

  const safeResult = (): SafeResult => {
    if (fault !== undefined) return { reached: false, error: fault }
    if (due.size === 0) return { reached: true }
    const message = `bench ${name} did not reach its safe state: ${offlineReason() ?? 'an instrument was lost on the way'}`
    const error = new LabError({ code: 'safe-state-not-reached', kind: 'instrument', retry: 'later', message })
    return { reached: false, error }
  }

  const driveTo = (safeState: BenchEntry['safeState'], moved: readonly string[] = [], points?: FaultHook) =>
    driveToSafeState({
      bench: name,
      safeState,
      parts,
      moved,
      clock,
      hurry: hurry.signal,
      faultPoint: points,
      onSet: (instrument, signal, value, unit) => onValue(instrument, signal, value, unit, clock.now() / 1000),
    })

  /** After a lease every instrument is driven, and one that is away is a fault; otherwise those that are due and there. */
  const drive = async (after?: Lease): Promise<SafeResult> => {
    const driven = after === undefined ? [...due].filter((handle) => handle.connection.online) : [...guarded]
    // Taken out first: one that is lost while it is driven comes in again.
    for (const handle of driven) due.delete(handle)
    const isDriven = ([key]: [string, unknown]) => driven.some((handle) => handle === handleOf(parts, key))
    const whole = safeStateNow()
    const safeState = after === undefined ? Object.fromEntries(Object.entries(whole).filter(isDriven)) : whole
    // The points are those of a run's end, not of a node's start.
    const points = after === undefined ? undefined : faultPoint
    points?.('before-safe-stop')
    const result = await driveTo(safeState, [...(after?.moved ?? [])], points)
    if (!result.reached) {
      for (const handle of driven) due.add(handle)
      if (fault === undefined)
        log.error({ bench: name, error: result.error.message }, 'THE BENCH DID NOT REACH ITS SAFE STATE')
      fault = result.error
    } else if (due.size === 0) {
      if (fault !== undefined) log.info({ bench: name }, 'the bench has reached its safe state after all')
      fault = undefined
      retryMs = FIRST_RETRY_MS
      cancelRetry?.()
      cancelRetry = undefined
    }
    if (fault !== undefined) scheduleRetry()
    return safeResult()
  }

  const scheduleRetry = () => {
    cancelRetry?.()
    if (closed) return
    cancelRetry = clock.after(retryMs, () => {
      cancelRetry = undefined
      void makeSafe()
    })
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
  }

  const makeSafe = async (): Promise<SafeResult> => {
    // Whoever holds the bench drives it; its end leads to the safe state anyway.
    if (releasing === undefined && (lease !== undefined || due.size === 0)) return safeResult()
    releasing ??= drive().finally(goOn)
    update()
    return await releasing
  }

  /** After a drive. One that failed is tried again later, or at once for what has tripped since. */
  const goOn = () => {
    releasing = undefined
    const isDue = fault === undefined || trippedMeanwhile
    trippedMeanwhile = false
    if (isDue) settle()
    else update()
  }

  /** Drives what is due of a bench that nobody holds, as far as it is there. */
  const settle = () => {
    if (closed || lease !== undefined || releasing !== undefined) return update()
    if ([...due].some((handle) => handle.connection.online)) void makeSafe()
    else update()
  }

  for (const handle of new Set(parts.values())) {
    handle.onConnection((connection) => {
      if (connection.online) return settle()
      // It may come back with other settings than it left with.
      if (guarded.has(handle)) due.add(handle)
      if (lease?.active) lease.onLoss?.(handle.name, connection.reason)
      update()
    })
  }

  const release = async (ending: Lease, why?: LabError): Promise<SafeResult> => {
    if (lease !== ending || !ending.active) return (await releasing) ?? safeResult()
    ending.end(() => why ?? unavailable('lease-ended', `the lease on bench ${name} has ended`))
    cancelExpiry?.()
    cancelExpiry = undefined
    const freed = () => {
      lease = undefined
      holder = undefined
      goOn()
    }
    if (ending.moved.size === 0 && due.size === 0) {
      freed()
      return { reached: true }
    }
    releasing = drive(ending).finally(freed)
    return await releasing
  }

  const bench: Bench = {
    name,
    entry,
    parts,
    get status() {
      return status
    },
    get fence() {
      return fence
    },
    get lease() {
      return lease
    },
    get holder() {
      return holder
    },
    get unsafe() {
      return fault
    },
    specs: () => Object.fromEntries([...parts].map(([part, handle]) => [part, handle.spec])),
    describe: () => ({
      name,
      ...(entry.title === undefined ? {} : { title: entry.title }),
      parts: entry.parts,
      ...(entry.limits === undefined ? {} : { limits: entry.limits }),
      ...(entry.labs === undefined ? {} : { labs: entry.labs }),
      state: status.state,
      ...(status.reason === undefined ? {} : { reason: status.reason }),
      ...(status.interlocks === undefined ? {} : { interlocks: status.interlocks }),
      fence,
    }),
    advanceFence: (next) => {
      if (next < fence) throw unavailable('fence-stale', `fence ${next} is older than ${fence} of bench ${name}`)
      fence = next
    },
    acquire: (by, { ttlMs, limits, token } = {}) => {
      const { state, reason } = present()
      if (state !== 'free' || closed)
        throw unavailable(`bench-${state}`, `bench ${name} is ${state}${reason === undefined ? '' : `: ${reason}`}`)
      const taken = createLease({
        bench: name, // Nobody is told a run's token, and nothing is set by it from outside.
        token: by.kind === 'run' ? `run/${by.id}` : (token ?? options.newId()),
        entry,
        parts,
        labLimits: limits ?? {},
      })
      lease = taken
      holder = by
      if (ttlMs !== undefined) {
        const expire = (ms: number) => {
          cancelExpiry?.()
          taken.expiresAtMs = clock.now() + ms
          cancelExpiry = clock.after(ms, () => {
            log.warn(
              { bench: name, holder: by.id },
              'a lease was not renewed in time; the bench goes to its safe state',
            )
            void release(taken)
          })
        }
        taken.onRenew = expire
        expire(ttlMs)
      }
      update()
      return taken
    },
    release,
    interlocked: (next) => {
      const before = new Set(interlocks.filter(isTripped).map((one) => one.name))
      interlocks = next
      const tripped = next.filter(isTripped)
      const fresh = tripped.find((one) => !before.has(one.name))
      if (fresh === undefined && tripped.length === before.size) return update()
      for (const handle of guarded) due.add(handle)
      if (releasing !== undefined && fresh !== undefined) {
        // Whether its values were reached is for the drive to say that follows.
        void driveTo(options.interlocks?.[fresh.name]?.safeState ?? {})
        trippedMeanwhile = true
        return update()
      }
      if (lease === undefined || fresh === undefined) return settle()
      const error = trippedError(name, fresh)
      lease.onTrip?.(error)
      void release(lease, error)
      update()
    },
    makeSafe,
    onChange: (listener) => void listeners.push(listener),
    close: async () => {
      if (closed) return
      closed = true
      cancelRetry?.()
      const cancel = clock.after(CLOSE_MS, () => hurry.abort(lateError()))
      if (lease !== undefined) await release(lease)
      await releasing
      cancel()
    },
  }
  settle()
  return bench
}

/** The instrument of a key such as `psu.voltage`. */
function handleOf(parts: ReadonlyMap<string, InstrumentHandle>, key: string): InstrumentHandle | undefined {
  return parts.get(key.slice(0, key.indexOf('.')))
}
