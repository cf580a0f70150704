/** Every part of every bench as a service, by the name `<bench>.<part>`. */
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { InstrumentEntry } from '@fernlab/shared/contracts/node-file'
import type { AnnouncedService, ServiceLock, ServiceState } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Service } from '@fernlab/shared/rpc/contract/serve-service'
import { instrumentContract } from '@fernlab/shared/rpc/contract/service-contract'
import type { Bench } from '../../benches/bench.ts'
import type { Lease } from '../../benches/lease.ts'
import type { SignalValue } from '../../drivers/driver.ts'
import type { Seat } from '../../engine/seat.ts'
import type { InstrumentHandle } from '../../instruments/instrument-handle.ts'
import { instrumentService } from '../instrument-service.ts'
import { inUse, type Viewer } from '../locks/seen-lock.ts'
import type { Caller, ServiceSource } from '../service-source.ts'
import { SharedReadings } from '../shared-readings.ts'
import { benchPart } from './bench-part.ts'
import { partSpecs } from './part-spec.ts'
import { partShares, sharedPart } from './shared-part.ts'

export interface BenchPartsOptions {
  readonly benches: ReadonlyMap<string, Bench>
  readonly entries: Readonly<Record<string, InstrumentEntry>>
  /** Whether the caller has locked the bench at this node, by that lease. */
  readonly hasLocked: (caller: Caller, bench: string, lease: Lease) => boolean
  /** What this node has locked itself. */
  readonly lockOf: (service: Pick<AnnouncedService, 'name' | 'bench'>) => ServiceLock | undefined
  /** The session that has the bench, where the hold is of it and its person may drive now. */
  readonly seatOf: (hold: Caller['hold']) => Seat | undefined
  /** Values as they are read and set, for the signal topics. */
  readonly onValue: (instrument: string, signal: string, value: SignalValue, unit: string, timeS: number) => void
  readonly clock: Clock
}

/** Who is told what everybody may know. */
const anybody: Viewer = { person: '', may: () => false }

interface Part {
  readonly bench: Bench
  readonly part: string
  readonly handle: InstrumentHandle
  /** Within the bench's limits; the same object as long as the instrument's is. */
  readonly spec: () => InstrumentSpec
  readonly readings: SharedReadings
}

export function createBenchParts(options: BenchPartsOptions): ServiceSource {
  const { benches, entries, clock, onValue } = options
  const served = new WeakMap<Caller, Map<string, Service>>()
  const parts = new Map<string, Part>()
  const shares = partShares()
  for (const bench of benches.values()) {
    const { limits = {} } = bench.describe()
    for (const [part, handle] of bench.parts) {
      const narrowed = partSpecs(part, limits)
      const readings = new SharedReadings(clock)
      parts.set(`${bench.name}.${part}`, { bench, part, handle, spec: () => narrowed(handle.spec), readings })
    }
  }
  const note = (handle: InstrumentHandle, signal: string, value: SignalValue, timeS: number) => {
    const unit = handle.spec.signals.find(({ name }) => name === signal)?.unit ?? '1'
    onValue(handle.name, signal, value, unit, timeS)
  }
  const make = (name: string, caller: Caller): Service | undefined => {
    const found = parts.get(name)
    if (found === undefined) return undefined
    const { bench, part, handle, spec, readings } = found
    const heldSeat = () => {
      const seat = caller.hold?.bench === bench.name ? options.seatOf(caller.hold) : undefined
      return seat === undefined ? undefined : { person: caller.person, seat }
    }
    const heldLease = () => leaseOf(bench, caller, options.hasLocked)
    const service = instrumentService({
      readings,
      clock,
      way: () => heldSeat()?.seat ?? heldLease(),
      guard: () => caller.require(),
      handle: benchPart({
        bench,
        part,
        handle,
        spec,
        heldSeat,
        heldLease,
        inUse: (code, to) => {
          const { holder, status } = bench
          const used = {
            bench: bench.name,
            by: holder?.kind ?? 'run',
            since: status.since,
            lock: options.lockOf({ name, bench: bench.name }),
            isOwn: to === 'the caller' && holder?.kind === 'direct' && holder.id === caller.person,
          }
          return inUse(to === 'the caller' ? caller : anybody, name, used, code)
        },
        onReadings: (_, readings) => {
          for (const [signal, { value, time }] of Object.entries(readings)) note(handle, signal, value, time)
        },
        onSet: (_, signal, value) => note(handle, signal, value, clock.now() / 1000),
      }),
    })
    return sharedPart(service, () => caller.person, shares)
  }
  return {
    list: () => [...parts].map(([name, found]) => announced(name, found, entries[found.handle.name])),
    find: (name, caller) => {
      const mine = served.get(caller) ?? new Map<string, Service>()
      served.set(caller, mine)
      const service = mine.get(name) ?? make(name, caller)
      if (service !== undefined) mine.set(name, service)
      return service
    },
    onChange: (listener) => {
      for (const bench of benches.values()) bench.onChange(listener)
      for (const handle of new Set([...parts.values()].map((found) => found.handle))) handle.onConnection(listener)
    },
  }
}

/** The lease of the bench where it is the caller's: by its token's hold, or locked at this node. A run's is nobody's. */
function leaseOf(bench: Bench, caller: Caller, hasLocked: BenchPartsOptions['hasLocked']): Lease | undefined {
  const { lease } = bench
  if (lease === undefined || !lease.active || bench.holder?.kind !== 'direct') return undefined
  const { hold } = caller
  const isHold = hold !== undefined && hold.bench === bench.name && hold.lease === lease.token
  return isHold || hasLocked(caller, bench.name, lease) ? lease : undefined
}

function announced(name: string, { bench, handle, spec }: Part, entry: InstrumentEntry | undefined): AnnouncedService {
  const { state, reason } = partState(bench, handle)
  const lock = lockOf(bench)
  return {
    name,
    bench: bench.name,
    state,
    ...(reason === undefined ? {} : { reason: reason.slice(0, 500) }),
    ...(entry?.title === undefined ? {} : { description: entry.title.slice(0, 2000) }),
    tags: [...(entry?.tags ?? [])],
    ...(entry?.metadata === undefined ? {} : { metadata: entry.metadata }),
    contract: contractOf(spec()),
    ...(lock === undefined ? {} : { lock }),
  }
}

const contracts = new WeakMap<InstrumentSpec, AnnouncedService['contract']>()

/** The same object as long as the description is the same. */
function contractOf(spec: InstrumentSpec): AnnouncedService['contract'] {
  // Nobody changes it: it is written out.
  const contract = contracts.get(spec) ?? (instrumentContract(spec) as AnnouncedService['contract'])
  contracts.set(spec, contract)
  return contract
}

function partState(bench: Bench, handle: InstrumentHandle): { readonly state: ServiceState; readonly reason?: string } {
  if (!handle.connection.online) return { state: 'unhealthy', reason: handle.connection.reason }
  const { state, reason } = bench.status
  if (state === 'free') return { state: 'up' }
  if (bench.holder?.kind === 'direct') return { state: 'locked' }
  const why = reason === undefined ? {} : { reason }
  return state === 'busy' ? { state: 'busy', ...why } : { state: 'unhealthy', ...why }
}

function lockOf({ holder, status }: Bench): ServiceLock | undefined {
  return holder?.kind === 'direct' ? { owner: holder.id.slice(0, 200), since: status.since } : undefined
}
