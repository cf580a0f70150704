/**
 * An instrument as a service: what its description says is its contract, and nothing of a driver is written anew.
 *
 * INVARIANTS: whoever calls is asked, just before the driver is, whether it still may; a call that nobody waits for any
 * more aborts the signal that the driver has.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Service } from '@fernlab/shared/rpc/contract/serve-service'
import { instrumentContract } from '@fernlab/shared/rpc/contract/service-contract'
import type { CallContext } from '@fernlab/shared/rpc/peer/serving'
import type { SignalSpec, SignalValue } from '../drivers/driver.ts'
import type { InstrumentHandle, UseOptions } from '../instruments/instrument-handle.ts'
import { pacedBlocks } from './paced-blocks.ts'
import type { Following } from './read-together.ts'
import type { SharedReadings } from './shared-readings.ts'

export type ReadOptions = UseOptions & {
  /** What is read, or why it is not, is told to others than who reads. */
  readonly isShared?: boolean
}

type Handle = Pick<InstrumentHandle, 'spec' | 'set' | 'call' | 'streams' | 'stream'> & {
  read(signals: readonly string[], use: ReadOptions): ReturnType<InstrumentHandle['read']>
}

export interface InstrumentServiceOptions {
  readonly handle: Handle
  /** The instrument's, for all who follow it. */
  readonly readings: SharedReadings
  readonly clock: Clock
  /** How the caller reads now: those of one way are given the same readings. */
  readonly way?: () => unknown
  /** Throws when the caller has not, or no more, the right to use the instrument, or to set it to that. */
  readonly guard: (context: CallContext, use: InstrumentUse) => void
}

export type InstrumentUse =
  | { readonly kind: 'read'; readonly signals: readonly string[] }
  | { readonly kind: 'set'; readonly signal: string; readonly value: SignalValue }
  | { readonly kind: 'call'; readonly action: string }

/** Of one stream of the hardware; each has as many samples as came meanwhile. */
const BLOCKS_EVERY_MS = 10

/** Columns of a block are numbers. */
const isNumeric = (signal: SignalSpec | undefined) => signal?.dtype === 'number' || signal?.dtype === 'integer'

/** The service; it opens and closes nothing, which whoever has the instrument does. */
export function instrumentService({
  handle,
  readings,
  clock,
  way = () => undefined,
  guard,
}: InstrumentServiceOptions): Service {
  const use = (context: CallContext, what: InstrumentUse) => ({
    call: context,
    guard: () => guard(context, what),
  })
  const givesBlocks = (signals: readonly string[]) =>
    handle.streams && signals.every((name) => isNumeric(handle.spec.signals.find((signal) => signal.name === name)))
  const read = (signals: readonly string[], context: CallContext) =>
    handle.read(signals, use(context, { kind: 'read', signals }))
  return {
    contract: instrumentContract(handle.spec),
    call: (action, args, context) =>
      handle.call(action, args as Record<string, SignalValue>, use(context, { kind: 'call', action })),
    read,
    set: (signal, given, context) => {
      const value = given as SignalValue
      return handle.set(signal, value, use(context, { kind: 'set', signal, value }))
    },
    gives: (signals) => (givesBlocks(signals) ? 'blocks' : 'readings'),
    follow: (signals, rateHz, context) => {
      const asked = () => guard(context, { kind: 'read', signals })
      asked()
      const { signal } = context
      if (givesBlocks(signals)) return pacedBlocks(handle.stream(signals, rateHz, signal), clock, BLOCKS_EVERY_MS)
      // Each follower is asked for itself: the reading is of all of them.
      const read: Following['read'] = (all, waited) =>
        handle.read(all, { signal: waited, guard: () => {}, isShared: true })
      return readings.follow({ signals, rateHz, signal, guard: asked, way, read })
    },
  }
}
