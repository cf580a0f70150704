/** What performing a run needs and feeds, and what its steps have in common. */
import { pictureStream, TAKE_PICTURE } from '@fernlab/shared/contracts/pictures'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Environment } from '@fernlab/shared/protocol/environment'
import type { Instruction } from '@fernlab/shared/protocol/expand'
import type { OutputCollector } from '@fernlab/shared/protocol/outputs'
import type { SignalKey } from '@fernlab/shared/protocol/protocol'
import type { Argument, Lease } from '../benches/lease.ts'
import type { Reading, SignalValue } from '../drivers/driver.ts'
import type { FaultHook } from '../fault-point.ts'
import type { Recorder } from './recorder.ts'
import type { Seat } from './seat.ts'
import { untilAborted } from './until-aborted.ts'
import type { Visit } from './visit.ts'

/** The bench, the clock and the listeners of one run. */
export interface Performance {
  readonly lease: Lease
  readonly recorder: Recorder
  readonly outputs: OutputCollector
  /** Whether an expression may ask for statistics of a record. */
  readonly statistics: boolean
  /** Signals whose records are searched for their strongest oscillation. */
  readonly oscillating: ReadonlySet<SignalKey>
  readonly environment: Environment
  readonly clock: Clock
  /** Of a session: where a person's commands come in. */
  readonly seat?: Seat | undefined
  /** What the attempt has open on a laboratory's own server. */
  readonly visit: Visit
  readonly faultPoint?: FaultHook | undefined
  /** Resolves when the start document is on disk; asked before the first instruction that touches the bench. */
  begun(signal: AbortSignal): Promise<void>
  /** Told of each instruction as it begins. */
  onInstruction(instruction: Instruction): void
  /** Told of each value read or set. */
  onValue(part: string, signal: string, value: SignalValue, unit: string, timeS: number): void
}

/** Sets one signal and tells all who follow it. */
export async function setOne(
  context: Performance,
  part: string,
  name: string,
  value: SignalValue,
  unit: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const own = await context.lease.set(part, name, value, unit, signal)
  const timeS = context.clock.now() / 1000
  context.environment.observe(`${part}.${name}`, own, timeS)
  context.onValue(part, name, own, context.lease.signal(part, name).unit, timeS)
  context.faultPoint?.('after-set')
}

/** The same for a step: waits until the signal may be set again. */
export async function setWhenDue(
  ...[context, part, name, value, unit, signal]: Parameters<typeof setOne>
): Promise<void> {
  const handle = context.lease.instrument(part)
  // A timer may be a little early, and somebody else may have set it meanwhile.
  for (let waitMs = handle.setWaitMs(name); waitMs > 0; waitMs = handle.setWaitMs(name)) {
    await context.clock.sleep(Math.ceil(waitMs), signal)
  }
  await setOne(context, part, name, value, unit, signal)
}

/** Calls an action; a picture that it takes is in the run, and on disk, when this resolves. */
export async function callOne(
  context: Performance,
  call: {
    readonly part: string
    readonly action: string
    readonly args: Readonly<Record<string, Argument>>
    readonly timeoutMs: number
  },
  signal: AbortSignal,
): Promise<void> {
  const { lease, recorder } = context
  const { part, action, args, timeoutMs } = call
  const takesPicture = action === TAKE_PICTURE && lease.instrument(part).camera !== undefined
  if (takesPicture) {
    await recorder.ready(signal)
    await recorder.open(pictureStream(part), signal)
  }
  const picture = await lease.call(part, action, args, timeoutMs, signal)
  if (picture !== undefined) await untilAborted(recorder.picture(part, picture), signal)
}

/** Tells the expressions and the live view what was read; keys are `part.signal`. */
export function observe(context: Performance, readings: Readonly<Record<string, Reading>>): void {
  for (const [key, { value, time }] of Object.entries(readings)) {
    const [part = '', name = ''] = key.split('.')
    context.environment.observe(key, value, time)
    context.onValue(part, name, value, context.lease.signal(part, name).unit, time)
  }
}

/** Adds a row to the recorder and to the outputs. */
export function addRow(
  context: Performance,
  stream: string,
  timeS: number,
  row: Readonly<Record<string, SignalValue>>,
): void {
  context.recorder.row(stream, timeS, row)
  const numbers: Record<string, number> = {}
  for (const [key, value] of Object.entries(row)) {
    if (typeof value === 'number') numbers[key] = value
    else if (typeof value === 'boolean') numbers[key] = value ? 1 : 0
  }
  context.outputs.row(stream, numbers, timeS)
}

/** The middle of the readings' times; now, for a row without any. */
export function rowTime(readings: Readonly<Record<string, Reading>>, clock: Clock): number {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const { time } of Object.values(readings)) {
    first = Math.min(first, time)
    last = Math.max(last, time)
  }
  return Number.isFinite(first) ? (first + last) / 2 : clock.now() / 1000
}

/** Does all at the same time; the first failure aborts the others, and is thrown when they have ended. */
export async function together(
  works: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  // A listener added after the abort would never be told.
  signal.throwIfAborted()
  const [only] = works
  if (only === undefined) return
  if (works.length === 1) return await only(signal)
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let failure: { readonly thrown: unknown } | undefined
  await Promise.all(
    works.map(async (work) => {
      try {
        await work(controller.signal)
      } catch (thrown) {
        failure ??= { thrown }
        controller.abort(thrown)
      }
    }),
  )
  signal.removeEventListener('abort', onAbort)
  if (failure !== undefined) throw failure.thrown
}
