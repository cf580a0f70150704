/**
 * Performs instructions on a bench through its lease.
 *
 * INVARIANTS: when the signal aborts, every wait ends at once and nothing further is asked of an instrument; of
 * parallel branches the first failure ends the others, and it alone is reported; what a record has sampled is in the
 * recorder when an error leaves here; deadlines and schedules use the monotonic clock, rows carry the wall clock.
 */
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Instruction, Instructions } from '@fernlab/shared/protocol/expand'
import type { Argument } from '../benches/lease.ts'
import type { SignalValue } from '../drivers/driver.ts'
import { addRow, callOne, observe, type Performance, rowTime, setWhenDue, together } from './performance.ts'
import { ramp } from './ramp.ts'
import { record } from './record.ts'

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
          for (const { part, signal: name, value, unit } of list)
            await setWhenDue(context, part, name, value, unit, abort)
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
      // A wait of nothing still lets timers and the wire have their turn: a silent loop may not keep the node from safety.
      else await new Promise((resolve) => setImmediate(resolve))
      return
    case 'read': {
      await context.begun(signal)
      await context.recorder.open(instruction.stream, signal)
      await context.recorder.ready(signal)
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
      return await record(instruction, context, signal, (body, abort) => perform(body, context, abort))
    case 'parallel':
      return await together(
        instruction.branches.map((branch) => (abort: AbortSignal) => perform(branch, context, abort)),
        signal,
      )
    case 'call': {
      await context.begun(signal)
      const { part, action, args, units, withinS } = instruction
      const spec = lease.instrument(part).spec.actions.find(({ name }) => name === action)
      const given: Record<string, Argument> = {}
      for (const [name, value] of Object.entries(args)) {
        const unit = units[name]
        given[name] = unit === undefined ? value : { value, unit }
      }
      const timeoutMs = withinS === undefined ? 5000 + 3000 * (spec?.typicalS ?? 0) : withinS * 1000
      return await callOne(context, { part, action, args: given, timeoutMs }, signal)
    }
    case 'deadline':
      return await within(instruction, context, signal)
    case 'fail':
      throw instruction.error
    case 'live':
      await context.begun(signal)
      if (context.seat === undefined)
        throw new LabError({ code: 'seat-missing', kind: 'bug', message: 'a live step has nobody to wait for' })
      return await context.seat.hold(instruction, context, signal)
    case 'dispose':
      return await context.visit.dispose(lease.labServer(instruction.part), signal)
  }
}

async function within(
  instruction: Extract<Instruction, { op: 'deadline' }>,
  context: Performance,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
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
