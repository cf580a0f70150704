/**
 * Performs instructions on a bench through its lease.
 *
 * INVARIANTS: when the signal aborts, every wait ends at once and nothing further is asked of an instrument; of
 * parallel branches the first failure ends the others, and it alone is reported; what a record has sampled is in the
 * recorder when an error leaves here; deadlines and schedules use the monotonic clock, rows carry the wall clock.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { convert } from '@fernlab/shared/primitives/units'
import type { Environment } from '@fernlab/shared/protocol/environment'
import type { Instruction, Instructions } from '@fernlab/shared/protocol/expand'
import type { OutputCollector } from '@fernlab/shared/protocol/outputs'
import type { Lease } from '../benches/lease.ts'
import type { Reading, SignalValue } from '../drivers/driver.ts'
import type { FaultHook } from '../fault-point.ts'
import { ramp } from './ramp.ts'
import { record } from './record.ts'
import type { Recorder } from './recorder.ts'

export interface Performance {
  readonly lease: Lease
  readonly recorder: Recorder
  readonly outputs: OutputCollector
  readonly environment: Environment
  readonly clock: Clock
  readonly faultPoint?: FaultHook | undefined
  /** Resolves when the start document is on disk; asked before the first instruction that touches the bench. */
  begun(signal: AbortSignal): Promise<void>
  /** Told of each instruction as it begins. */
  onInstruction(instruction: Instruction): void
  /** Told of each value read or set. */
  onValue(part: string, signal: string, value: SignalValue, unit: string, timeS: number): void
}

/** Performs all of them; rejects with the signal's reason, or with a LabError whose details name the step (`at`). */
export async function perform(instructions: Instructions, context: Performance, signal: AbortSignal): Promise<void> {
  let at: string | undefined
  try {
    for (let next = instructions.next(); next.done !== true; next = instructions.next()) {
      signal.throwIfAborted()
      at = next.value.path
      context.onInstruction(next.value)
      await performOne(next.value, context, signal)
    }
    signal.throwIfAborted()
  } catch (thrown) {
    throw signal.aborted ? signal.reason : placed(thrown, at)
  } finally {
    instructions.return()
  }
}

async function performOne(instruction: Instruction, context: Performance, signal: AbortSignal): Promise<void> {
  const { lease, clock } = context
  switch (instruction.op) {
    case 'set': {
      await context.begun(signal)
      const byPart = new Map<string, (typeof instruction.assignments)[number][]>()
      for (const assignment of instruction.assignments) {
        const list = byPart.get(assignment.part)
        if (list === undefined) byPart.set(assignment.part, [assignment])
        else list.push(assignment)
      }
      await together(
        [...byPart.values()].map((list) => async (abort: AbortSignal) => {
          for (const { part, signal: name, value, unit } of list) await setOne(context, part, name, value, unit, abort)
        }),
        signal,
      )
      const settlingS = Math.max(
        0,
        ...instruction.assignments.map(({ part, signal: name }) => lease.signal(part, name).settlingS ?? 0),
      )
      if (settlingS > 0) await clock.sleep(settlingS * 1000, signal)
      return
    }
    case 'ramp':
      await context.begun(signal)
      return await ramp(instruction, context, signal)
    case 'wait':
      if (instruction.seconds > 0) await clock.sleep(instruction.seconds * 1000, signal)
      return
    case 'read': {
      await context.begun(signal)
      await context.recorder.open(instruction.stream, signal)
      const readings = await lease.read(instruction.columns, signal)
      observe(context, readings)
      const row: Record<string, SignalValue> = { ...instruction.variables }
      for (const [key, reading] of Object.entries(readings)) row[key] = reading.value
      for (const derived of instruction.derived) row[derived.name] = derived.compute()
      addRow(context, instruction.stream, rowTime(readings, clock), row)
      return
    }
    case 'record':
      await context.begun(signal)
      return await record(instruction, context, signal)
    case 'parallel':
      return await together(
        instruction.branches.map((branch) => (abort: AbortSignal) => perform(branch, context, abort)),
        signal,
      )
    case 'call': {
      await context.begun(signal)
      const { part, action, args, units, withinS } = instruction
      const spec = lease.instrument(part).spec.actions.find(({ name }) => name === action)
      const converted: Record<string, SignalValue> = {}
      for (const [name, value] of Object.entries(args)) {
        const [from, to] = [units[name], spec?.arguments[name]?.unit]
        converted[name] =
          typeof value === 'number' && from !== undefined && to !== undefined ? convert(value, from, to) : value
      }
      const timeoutMs = withinS === undefined ? 5000 + 3000 * (spec?.typicalS ?? 0) : withinS * 1000
      return await lease.call(part, action, converted, timeoutMs, signal)
    }
    case 'deadline':
      return await within(instruction, context, signal)
    case 'fail':
      throw instruction.error
  }
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

async function within(
  instruction: Extract<Instruction, { op: 'deadline' }>,
  context: Performance,
  signal: AbortSignal,
): Promise<void> {
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const expired = new LabError({
    code: 'deadline-exceeded',
    kind: 'caller',
    message: `the condition did not come true within ${instruction.seconds} s`,
    details: { at: instruction.path },
  })
  const cancel = context.clock.after(instruction.seconds * 1000, () => controller.abort(expired))
  try {
    await perform(instruction.body, context, controller.signal)
  } catch (thrown) {
    if (thrown !== expired || instruction.onExpiry === 'fail') throw thrown
  } finally {
    cancel()
    signal.removeEventListener('abort', onAbort)
  }
}

/** The same error with the step's place in its details; that of the innermost step stays. */
function placed(thrown: unknown, at: string | undefined): LabError {
  const error = asLabError(thrown)
  if (at === undefined || error.details.at !== undefined) return error
  return new LabError({ ...error.toJSON(), details: { ...error.details, at }, cause: error.cause ?? error })
}
