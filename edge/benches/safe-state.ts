/**
 * Drives a bench to its declared safe state.
 *
 * INVARIANTS: all instruments are driven at the same time; on each, what was moved goes first, then the rest in the
 * order of node.yaml; one signal's failure does not keep the others from being set; each is tried twice; it ends within
 * `TOTAL_MS`, whatever the instruments do; what failed is named.
 */
import type { BenchEntry } from '@fernlab/shared/contracts/node-file'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { FaultHook } from '../fault-point.ts'
import { checkSet } from '../instruments/check-set.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'

export type SafeResult = { readonly reached: true } | { readonly reached: false; readonly error: LabError }

export interface SafeStateOptions {
  readonly bench: string
  readonly entry: BenchEntry
  readonly parts: ReadonlyMap<string, InstrumentHandle>
  readonly moved: readonly string[]
  readonly clock: Clock
  readonly faultPoint?: FaultHook | undefined
}

const TOTAL_MS = 5000
const EACH_MS = 1500
const TRIES = 2

export async function driveToSafeState(options: SafeStateOptions): Promise<SafeResult> {
  const { bench, entry, parts, moved, clock, faultPoint } = options
  const wanted = Object.entries(entry.safeState)
  if (wanted.length === 0) return { reached: true }
  const failures: string[] = []
  const byInstrument = new Map<InstrumentHandle, { key: string; signal: string; value: number | boolean }[]>()
  const ordered = [...wanted.filter(([key]) => moved.includes(key)), ...wanted.filter(([key]) => !moved.includes(key))]
  for (const [key, value] of ordered) {
    const [part = '', signal = ''] = key.split('.')
    const handle = parts.get(part)
    if (handle === undefined) {
      failures.push(`${key}: there is no part ${part}`)
      continue
    }
    const list = byInstrument.get(handle)
    if (list === undefined) byInstrument.set(handle, [{ key, signal, value }])
    else list.push({ key, signal, value })
  }

  const setOne = async (
    handle: InstrumentHandle,
    key: string,
    signal: string,
    value: number | boolean,
    abort: AbortSignal,
  ) => {
    const spec = handle.spec.signals.find(({ name }) => name === signal)
    if (spec === undefined)
      throw new LabError({ code: 'signal-unknown', kind: 'configuration', message: `there is no signal ${key}` })
    const own = checkSet({ label: key, spec, value, limits: [] })
    await handle.set(signal, own, { signal: abort, timeoutMs: EACH_MS, urgent: true })
    faultPoint?.('during-safe-stop')
  }

  const outstanding = new Set(ordered.map(([key]) => key))
  const driveAll = (abort: AbortSignal) =>
    Promise.all(
      [...byInstrument].map(async ([handle, signals]) => {
        for (const { key, signal, value } of signals) {
          for (let attempt = 1; ; attempt++) {
            try {
              await setOne(handle, key, signal, value, abort)
              outstanding.delete(key)
              break
            } catch (thrown) {
              if (abort.aborted) return
              if (attempt < TRIES && handle.connection.online) continue
              failures.push(`${key}: ${asLabError(thrown).message}`)
              outstanding.delete(key)
              break
            }
          }
        }
      }),
    )

  const late = () => new LabError({ code: 'safe-state-late', kind: 'instrument', message: 'late' })
  try {
    await withDeadline(clock, TOTAL_MS, undefined, late, driveAll)
  } catch (thrown) {
    if (asLabError(thrown).code !== 'safe-state-late') throw thrown
    for (const key of outstanding) failures.push(`${key}: not done within ${TOTAL_MS} ms`)
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
