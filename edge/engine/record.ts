/**
 * Samples signals while other steps run.
 *
 * INVARIANTS: sample `k` is due `k / rate` after the first, however long each takes; a sample that could not be taken
 * in time is left out, never taken twice or shifted; its row has the time at which it was true.
 */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { unlessAborted } from '@fernlab/shared/primitives/unless-aborted'
import { type Instruction, type Instructions, sampleCount, signalKey } from '@fernlab/shared/protocol/expand'
import { createRecordStatistics, type RecordStatisticsCollector } from '@fernlab/shared/protocol/record-statistics'
import type { Block, SignalValue } from '../drivers/driver.ts'
import { isTime } from '../instruments/check-readings.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'
import { addRow, observe, type Performance, rowTime, together } from './performance.ts'

type Record_ = Extract<Instruction, { op: 'record' }>
type Statistics = Pick<RecordStatisticsCollector, 'page'>

/** Performs a record: sampling and its body (by `performBody`) side by side, until the body has ended and `forS` has passed. */
export async function record(
  instruction: Record_,
  context: Performance,
  signal: AbortSignal,
  performBody: (body: Instructions, abort: AbortSignal) => Promise<void>,
): Promise<void> {
  const { stream, columns, forS, rateHz, body } = instruction
  if (!(rateHz > 0))
    throw new LabError({ code: 'rate-invalid', kind: 'caller', message: `a rate of ${rateHz} Hz can not be recorded` })
  await context.recorder.open(stream, signal)
  // They look at each sample of each column, which a fast record would pay for.
  const asked = context.statistics ? createRecordStatistics() : undefined
  const statistics: Statistics = asked ?? unasked
  const wanted = forS === undefined ? 0 : sampleCount(forS, rateHz)
  const state: Sampling = { body: body === undefined ? 'ended' : 'running', wanted, wake: () => {} }
  const source = streamingInstrument(context, columns)
  await together(
    [
      (abort) =>
        source === undefined
          ? poll(instruction, context, state, statistics, abort)
          : follow(source, instruction, context, state, statistics, abort),
      async (abort) => {
        if (body !== undefined) await performBody(body, abort)
        state.body = 'ended'
        state.wake()
      },
    ],
    signal,
  )
  if (asked === undefined) return
  await asked.findOscillations(context.oscillating, signal)
  context.environment.observeRecord(asked)
}

const unasked: Statistics = { page: () => {} }

interface Sampling {
  body: 'running' | 'ended'
  /** Samples to take at least. */
  readonly wanted: number
  wake: () => void
}

/** The instrument that has all columns and samples them by itself, if there is one. */
function streamingInstrument(context: Performance, columns: Record_['columns']): InstrumentHandle | undefined {
  const handles = new Set(columns.map(({ part }) => context.lease.instrument(part)))
  const [handle] = handles
  if (handles.size !== 1 || handle === undefined || !handle.streams) return undefined
  const numeric = columns.every(({ part, signal }) =>
    ['number', 'integer'].includes(context.lease.signal(part, signal).dtype),
  )
  const parts = new Set(columns.map(({ part }) => part))
  return numeric && parts.size === 1 ? handle : undefined
}

async function poll(
  instruction: Record_,
  context: Performance,
  state: Sampling,
  statistics: Statistics,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = context
  const { columns, stream, rateHz, variables } = instruction
  const periodMs = 1000 / rateHz
  const beganAt = clock.monotonic()
  const time = new Float64Array(1)
  for (let sample = 0; ; ) {
    if (state.body === 'ended' && sample >= state.wanted) return
    await context.recorder.ready(signal)
    const readings = await context.lease.read(columns, signal)
    observe(context, readings)
    const row: Record<string, SignalValue> = { ...variables }
    const numbers: Record<string, readonly number[]> = {}
    for (const [key, { value }] of Object.entries(readings)) {
      row[key] = value
      if (typeof value === 'number') numbers[key] = [value]
    }
    const timeS = rowTime(readings, clock)
    addRow(context, stream, timeS, row)
    time[0] = timeS
    statistics.page(1, time, numbers)
    context.faultPoint?.('mid-record')
    const elapsedMs = clock.monotonic() - beganAt
    sample = Math.max(sample + 1, Math.ceil(elapsedMs / periodMs - 1e-9))
    if (state.body === 'ended' && sample >= state.wanted) return
    const waitMs = sample * periodMs - elapsedMs
    if (waitMs > 0) await sleepOrWake(context, state, waitMs, signal)
  }
}

/** Sleeps until the next sample, or until the body ends when no more samples are wanted then. */
async function sleepOrWake(context: Performance, state: Sampling, ms: number, signal: AbortSignal): Promise<void> {
  if (state.body === 'ended' || state.wanted > 0) return await context.clock.sleep(ms, signal)
  signal.throwIfAborted()
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  state.wake = () => controller.abort(state)
  try {
    await context.clock.sleep(ms, controller.signal)
  } catch (thrown) {
    if (thrown !== state) throw thrown
  } finally {
    state.wake = () => {}
    signal.removeEventListener('abort', onAbort)
  }
}

async function follow(
  handle: InstrumentHandle,
  instruction: Record_,
  context: Performance,
  state: Sampling,
  statistics: Statistics,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  const { columns, stream, rateHz, variables } = instruction
  const [part = ''] = columns.map((column) => column.part)
  const controller = new AbortController()
  const ended = new LabError({ code: 'record-ended', kind: 'caller', message: 'the record has ended' })
  const onAbort = () => controller.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let taken = 0
  const finish = () => controller.abort(ended)
  state.wake = () => {
    if (taken >= state.wanted) finish()
  }
  const blocks = handle
    .stream(
      columns.map((column) => column.signal),
      rateHz,
      controller.signal,
    )
    [Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await unlessAborted(blocks.next(), controller.signal)
      if (next.done === true) throw ranDry(handle.name, taken)
      const left = state.body === 'ended' ? state.wanted - taken : Number.POSITIVE_INFINITY
      const count = Math.min(next.value.time.length, left)
      if (count > 0) take(next.value, count, part, instruction, context, statistics, variables, stream)
      taken += count
      context.faultPoint?.('mid-record')
      if (state.body === 'ended' && taken >= state.wanted) return
      await context.recorder.ready(controller.signal)
    }
  } catch (thrown) {
    if (thrown !== ended) throw thrown
  } finally {
    state.wake = () => {}
    signal.removeEventListener('abort', onAbort)
    controller.abort(ended)
    // The driver stops by the signal; what it does after that is nobody's business here.
    blocks.return?.()?.then(
      () => {},
      () => {},
    )
  }
}

function take(
  block: Block,
  count: number,
  part: string,
  instruction: Record_,
  context: Performance,
  statistics: Statistics,
  variables: Readonly<Record<string, number>>,
  stream: string,
): void {
  const columns: Record<string, Float64Array> = {}
  const last = count - 1
  const name = context.lease.instrument(part).name
  for (let i = 0; i < count; i++) {
    const timeS = block.time[i] ?? Number.NaN
    if (!isTime(timeS)) throw garbage(`${name}: the time of sample ${i} of a block is ${timeS}`)
  }
  for (const column of instruction.columns) {
    const values = block.columns[column.signal]
    if (values === undefined || values.length < count) {
      throw garbage(`${name}: a block lacks samples of ${column.signal}`)
    }
    const key = signalKey(column)
    columns[key] = values
    const value = values[last] ?? Number.NaN
    context.environment.observe(key, value, block.time[last] ?? 0)
    context.onValue(part, column.signal, value, context.lease.signal(part, column.signal).unit, block.time[last] ?? 0)
  }
  context.recorder.block(stream, count, block.time, columns, variables)
  const withVariables: Record<string, Float64Array> = { ...columns }
  for (const [name, value] of Object.entries(variables)) withVariables[name] = new Float64Array(count).fill(value)
  context.outputs.page(stream, count, block.time, withVariables)
  statistics.page(count, block.time, columns)
}

function garbage(message: string): LabError {
  return new LabError({ code: 'instrument-garbage', kind: 'instrument', message })
}

function ranDry(instrument: string, samples: number): LabError {
  return new LabError({
    code: 'instrument-stream-ended',
    kind: 'instrument',
    retry: 'later',
    message: `${instrument} ended its stream after ${samples} samples`,
  })
}
