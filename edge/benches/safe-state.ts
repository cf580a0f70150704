/**
 * Drives a bench to its declared safe state.
 *
 * INVARIANTS: all instruments are driven at the same time; on each, what was moved goes first, then the rest in the
 * order of node.yaml; an instrument that can be told everything without answering is, before it is asked whether it
 * did; one signal's failure does not keep the others from being set; each is tried twice; it ends within `TOTAL_MS`, and
 * when `hurry` aborts, whatever the instruments do; what was set is told to `onSet`; what failed is named.
 */
import type { BenchEntry } from '@fernlab/shared/contracts/node-file'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { SignalValue } from '../drivers/driver.ts'
import type { FaultHook } from '../fault-point.ts'
import { checkSet } from '../instruments/check-set.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'

export type SafeResult = { readonly reached: true } | { readonly reached: false; readonly error: LabError }

export interface SafeStateOptions {
  readonly bench: string
  readonly safeState: BenchEntry['safeState']
  readonly parts: ReadonlyMap<string, InstrumentHandle>
  readonly moved: readonly string[]
  readonly clock: Clock
  /** Ends it before its time, with a {@link lateError}. */
  readonly hurry?: AbortSignal
  readonly faultPoint?: FaultHook | undefined
  /** Each value that an instrument has taken, in the signal's own unit. */
  readonly onSet: (instrument: string, signal: string, value: SignalValue, unit: string) => void
}

const TOTAL_MS = 5000
const EACH_MS = 1500
/** For all that one instrument is told together: two tries fit into the whole. */
const TOGETHER_MS = 2400
const TRIES = 2

interface SafeValue {
  /** As in node.yaml: `supply.output`. */
  readonly key: string
  readonly signal: string
  readonly value: SignalValue
  readonly unit: string
}

export async function driveToSafeState(options: SafeStateOptions): Promise<SafeResult> {
  const { bench, safeState, parts, moved, clock, hurry, faultPoint, onSet } = options
  const wanted = Object.entries(safeState)
  if (wanted.length === 0) return { reached: true }
  const ordered = [...wanted.filter(([key]) => moved.includes(key)), ...wanted.filter(([key]) => !moved.includes(key))]
  const failures: string[] = []
  const outstanding = new Set<string>()
  const byInstrument = new Map<InstrumentHandle, SafeValue[]>()
  for (const [key, value] of ordered) {
    const [part = '', signal = ''] = key.split('.')
    const handle = parts.get(part)
    try {
      if (handle === undefined) throw unknown(`there is no part ${part}`)
      // A calibration may leave it out of reach by a little: the instrument then goes as near as it can.
      const spec = handle.rawSpec.signals.find(({ name }) => name === signal)
      if (spec === undefined) throw unknown(`there is no signal ${signal}`)
      const own = { key, signal, value: checkSet({ label: key, spec, value, limits: [] }), unit: spec.unit }
      byInstrument.set(handle, [...(byInstrument.get(handle) ?? []), own])
      outstanding.add(key)
    } catch (thrown) {
      failures.push(`${key}: ${asLabError(thrown).message}`)
    }
  }

  /** Works through `values` twice at most; what still fails is noted, unless the time is up. */
  const attempt = async (
    handle: InstrumentHandle,
    values: readonly SafeValue[],
    abort: AbortSignal,
    work: () => Promise<void>,
  ) => {
    for (let tries = 1; ; tries++) {
      try {
        await work()
        for (const { key } of values) outstanding.delete(key)
        faultPoint?.('during-safe-stop')
        return
      } catch (thrown) {
        if (abort.aborted) return
        if (tries < TRIES && handle.connection.online) continue
        for (const { key } of values) {
          failures.push(`${key}: ${asLabError(thrown).message}`)
          outstanding.delete(key)
        }
        return
      }
    }
  }

  const oneByOne = async (handle: InstrumentHandle, values: readonly SafeValue[], abort: AbortSignal) => {
    for (const each of values) {
      await attempt(handle, [each], abort, async () => {
        await handle.set(each.signal, each.value, { signal: abort, timeoutMs: EACH_MS, urgent: true })
        onSet(handle.name, each.signal, each.value, each.unit)
      })
    }
  }

  const together = async (handle: InstrumentHandle, values: readonly SafeValue[], abort: AbortSignal) => {
    const told = new Map(values.map(({ signal, value }) => [signal, value]))
    let refused = false
    await attempt(handle, values, abort, async () => {
      try {
        await handle.setTogether(told, { signal: abort, timeoutMs: TOGETHER_MS, urgent: true })
        for (const { signal, value, unit } of values) onSet(handle.name, signal, value, unit)
      } catch (thrown) {
        const { code, kind } = asLabError(thrown)
        refused = code === 'instrument-refused' || kind === 'caller'
        if (!refused) throw thrown
      }
    })
    // It has answered, and does not say which of them it did not take.
    if (refused && !abort.aborted) {
      for (const { key } of values) outstanding.add(key)
      await oneByOne(handle, values, abort)
    }
  }

  const driveAll = (abort: AbortSignal) =>
    Promise.all(
      [...byInstrument].map(([handle, values]) => (handle.setsTogether ? together : oneByOne)(handle, values, abort)),
    )

  const began = clock.monotonic()
  try {
    await withDeadline(clock, TOTAL_MS, hurry, lateError, driveAll)
  } catch (thrown) {
    if (asLabError(thrown).code !== LATE) throw thrown
    const elapsedMs = Math.round(clock.monotonic() - began)
    for (const key of outstanding) failures.push(`${key}: not done within ${elapsedMs} ms`)
  }
  if (failures.length === 0) return { reached: true }
  return {
    reached: false,
    error: new LabError({
      code: 'safe-state-not-reached',
      kind: 'instrument',
      retry: 'later',
      message: `bench ${bench} did not reach its safe state: ${failures.join('; ')}`,
      studentMessage: 'The bench could not be brought to its safe state. The staff have to look at it.',
      details: { bench, failures: failures.length },
    }),
  }
}

const LATE = 'safe-state-late'

/** The time for a safe state is over. */
export function lateError(): LabError {
  return new LabError({ code: LATE, kind: 'instrument', message: 'the time for the safe state is over' })
}

function unknown(message: string): LabError {
  return new LabError({ code: 'signal-unknown', kind: 'configuration', message })
}
