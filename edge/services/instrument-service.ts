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
import type { SignalValue } from '../drivers/driver.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'
import { followByReading } from './follow-by-reading.ts'

export interface InstrumentServiceOptions {
  readonly handle: Pick<InstrumentHandle, 'spec' | 'read' | 'set' | 'call' | 'streams' | 'stream'>
  readonly clock: Clock
  /** Throws when the caller has not, or no more, the right to use the instrument, or to set it to that. */
  readonly guard: (context: CallContext, use: InstrumentUse) => void
}

export type InstrumentUse =
  | { readonly kind: 'read'; readonly signals: readonly string[] }
  | { readonly kind: 'set'; readonly signal: string; readonly value: SignalValue }
  | { readonly kind: 'call'; readonly action: string }

/** How often signals are read for who follows them and names no rate. */
const FOLLOW_HZ = 1

/** The service; it opens and closes nothing, which whoever has the instrument does. */
export function instrumentService({ handle, clock, guard }: InstrumentServiceOptions): Service {
  const use = (context: CallContext, what: InstrumentUse) => ({
    signal: context.signal,
    guard: () => guard(context, what),
  })
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
    follow: (signals, rateHz = FOLLOW_HZ, context) => {
      guard(context, { kind: 'read', signals })
      return handle.streams
        ? handle.stream(signals, rateHz, context.signal)
        : followByReading({ read: () => read(signals, context), rateHz, clock, signal: context.signal })
    },
  }
}
