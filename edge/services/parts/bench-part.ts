/**
 * A part of a bench as one caller has it: set and called by the lease of the bench, so that its limits and interlocks hold.
 *
 * INVARIANTS: nothing is set or called but by the lease that the caller holds at that moment, or in the caller's session,
 * whose rows say it; reading needs none, and never disturbs whoever has the bench: it stops when somebody else takes it;
 * streams of the hardware are the holder's alone.
 */
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Bench } from '../../benches/bench.ts'
import type { Lease } from '../../benches/lease.ts'
import { isTripped, trippedError } from '../../benches/present-state.ts'
import type { Reading, SignalValue } from '../../drivers/driver.ts'
import type { Seat } from '../../engine/seat.ts'
import { type InstrumentHandle, signalOf } from '../../instruments/instrument-handle.ts'
import { refused } from '../gate/tokens.ts'
import type { InstrumentServiceOptions, ReadOptions } from '../instrument-service.ts'

export interface BenchPartOptions {
  readonly bench: Bench
  readonly part: string
  readonly handle: InstrumentHandle
  /** What the instrument can do on the bench. */
  readonly spec: () => InstrumentSpec
  /** The lease of the bench, where it is the caller's now. */
  readonly heldLease: () => Lease | undefined
  /** The session that has the bench, where it is the caller's now. */
  readonly heldSeat: () => HeldSeat | undefined
  /** Said of a bench that somebody else has. */
  readonly inUse: (code: 'bench-held' | 'bench-busy', to: 'the caller' | 'anybody') => LabError
  readonly onReadings: (part: string, readings: Readonly<Record<string, Reading>>) => void
  readonly onSet: (part: string, signal: string, value: SignalValue) => void
}

export interface HeldSeat {
  readonly person: string
  readonly seat: Pick<Seat, 'command' | 'read'>
}

const CALL_MS = 5000

/** The instrument, as far as the caller may have it. */
export function benchPart(options: BenchPartOptions): InstrumentServiceOptions['handle'] {
  const { bench, part, handle, heldLease, heldSeat, onReadings, onSet } = options
  const requireClear = () => {
    const tripped = bench.status.interlocks?.find(isTripped)
    if (tripped !== undefined) throw trippedError(bench.name, tripped)
  }
  const requireLease = (): Lease => {
    requireClear()
    const lease = heldLease()
    if (lease !== undefined) return lease
    if (bench.lease === undefined)
      throw refused('bench-not-held', `bench ${bench.name} is not yours: take it first, by a lock`)
    throw options.inUse('bench-held', 'the caller')
  }
  const requireFree = (to: 'the caller' | 'anybody') => {
    if (bench.lease !== undefined) throw options.inUse('bench-busy', to)
  }
  const readHeld = async (by: Pick<Lease, 'read'>, signals: readonly string[], signal: AbortSignal) => {
    const keys = signals.map((name) => ({ part, signal: name }))
    const found = await by.read(keys, signal)
    return Object.fromEntries(Object.entries(found).map(([key, reading]) => [key.slice(part.length + 1), reading]))
  }
  /** One by one: a run may begin between two of them. */
  const readFree = async (signals: readonly string[], use: ReadOptions) => {
    const readings: Record<string, Reading> = {}
    const guard = () => {
      use.guard?.()
      requireFree(use.isShared === true ? 'anybody' : 'the caller')
    }
    const each: ReadOptions = { ...use, guard }
    guard()
    for (const name of signals) Object.assign(readings, await handle.read([name], each))
    return readings
  }
  return {
    get spec() {
      return options.spec()
    },
    get streams() {
      return handle.streams && heldLease() !== undefined
    },
    stream: (signals, rateHz, signal) => whileHeld(handle.stream(signals, rateHz, signal), requireLease),
    read: async (signals, use) => {
      use.guard?.()
      const held = heldSeat()
      // What is read in a session is told by the session.
      if (held !== undefined) return await readHeld(held.seat, signals, signalOf(use))
      const lease = heldLease()
      const readings = await (lease === undefined ? readFree(signals, use) : readHeld(lease, signals, signalOf(use)))
      onReadings(part, readings)
      return readings
    },
    set: async (name, value, use) => {
      const signal = signalOf(use)
      use.guard?.()
      const held = heldSeat()
      if (held !== undefined) {
        requireClear()
        const values = { [`${part}.${name}`]: value }
        return void (await held.seat.command(held.person, { what: 'set', values }, signal))
      }
      onSet(part, name, await requireLease().set(part, name, value, undefined, signal))
    },
    call: async (action, args, use) => {
      const signal = signalOf(use)
      use.guard?.()
      const held = heldSeat()
      if (held !== undefined) {
        requireClear()
        const command = { what: 'call', action: `${part}.${action}`, arguments: args } as const
        return void (await held.seat.command(held.person, command, signal))
      }
      const spec = handle.spec.actions.find(({ name }) => name === action)
      await requireLease().call(part, action, args, CALL_MS + 3000 * (spec?.typicalS ?? 0), signal)
    },
  }
}

async function* whileHeld<Item>(items: AsyncIterable<Item>, requireLease: () => Lease): AsyncGenerator<Item> {
  const lease = requireLease()
  for await (const item of items) {
    if (requireLease() !== lease)
      throw new LabError({ code: 'hold-ended', kind: 'caller', message: 'the hold has ended' })
    yield item
  }
}
