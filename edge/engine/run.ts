/**
 * One attempt on one bench, from its start document to its stop document.
 *
 * INVARIANTS: nothing touches the bench before the start document is on disk; whatever ends the attempt (its last step, an
 * error, a cancel, its time limit, a lost instrument, a lost disk, the node's end) the lease ends and the bench goes to its
 * safe state at once, without waiting for storage; exactly one stop document follows, after the safe state was tried. A
 * clean-up comes before that, within its own time, unless an instrument was lost, an interlock has tripped or the node
 * ends. One that the node's end keeps from its clean-up gets no stop document: the node's next life does both.
 */
import type { Limits } from '@fernlab/shared/capabilities/signals'
import type { StartDoc, StopDoc } from '@fernlab/shared/contracts/documents'
import type { FinalState } from '@fernlab/shared/contracts/run-state'
import type { Assignment, Live } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type TransitionTable, transition } from '@fernlab/shared/primitives/state-machine'
import { createEnvironment } from '@fernlab/shared/protocol/environment'
import { expand } from '@fernlab/shared/protocol/expand'
import { createOutputs, type OutputCollector } from '@fernlab/shared/protocol/outputs'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import type { Bench } from '../benches/bench.ts'
import type { SafeResult } from '../benches/safe-state.ts'
import type { SignalValue } from '../drivers/driver.ts'
import type { FaultHook } from '../fault-point.ts'
import type { AttemptOutbox } from '../outbox/outbox.ts'
import { type CleanUpResult, cleanUp } from './clean-up.ts'
import { errorJson } from './error-json.ts'
import { perform } from './perform.ts'
import { planRun, type RunPlan } from './plan.ts'
import { createRecorder } from './recorder.ts'
import { createSamples } from './samples.ts'
import { createSeat, type Seat } from './seat.ts'
import { untilAborted } from './until-aborted.ts'
import type { Visit } from './visit.ts'

export type EngineState = 'idle' | 'running' | 'stopping' | 'stopped'

/** An attempt's way through the engine. */
export const engineTransitions: TransitionTable<EngineState> = {
  idle: ['running', 'stopped'],
  running: ['stopping'],
  stopping: ['stopped'],
  stopped: [],
}

/** Why an attempt ends before its last step. */
export interface StopCause {
  readonly state: Extract<FinalState, 'cancelled' | 'failed' | 'interrupted'>
  readonly reason: string
  readonly error?: LabError
  /** The node ends: there is no time for a clean-up. */
  readonly leaving?: true
}

export interface Attempt {
  readonly state: EngineState
  readonly assignment: Assignment
  /** Ends it; the first cause counts. */
  stop(cause: StopCause): void
  /** Of a session. */
  readonly seat: Seat | undefined
  /** How far it is, for the live view; takes the samples of a session along. */
  live(): Live['runs'][number] | undefined
  /** Resolves when the stop document is handed to the journal and the bench is free again. */
  readonly ended: Promise<void>
  /** Resolves when the stop document is on disk. */
  readonly settled: Promise<void>
}

export interface RunOptions {
  readonly assignment: Assignment
  readonly protocol: Protocol
  /** Made here when undefined. */
  readonly plan?: RunPlan | undefined
  readonly bench: Bench
  readonly outbox: AttemptOutbox
  readonly clock: Clock
  readonly log: Log
  readonly node: { readonly name: string; readonly version: string; clockOffsetMs(): number | undefined }
  /** What the attempt has open on a laboratory's own server. */
  readonly visit: Visit
  readonly faultPoint?: FaultHook | undefined
  /** Values as they are read and set, for the signal topics. */
  readonly onValue: (instrument: string, signal: string, value: SignalValue, unit: string, timeS: number) => void
}

/** What is under way on a lost instrument fails by then, and names its command; any other step is stopped. */
const LOSS_MS = 50

/** Starts the attempt; the bench must be free. */
export function runAttempt(options: RunOptions): Attempt {
  const { assignment, protocol, bench, outbox, clock, log, node, visit, faultPoint } = options
  const controller = new AbortController()
  const beganAt = clock.monotonic()
  const samples = createSamples()
  let state: EngineState = 'idle'
  let cause: StopCause | undefined
  let step = ''
  const readings: NonNullable<Live['runs'][number]['readings']> = {}
  const specs = bench.specs()
  const { seconds, streams, statistics, oscillating } = options.plan ?? planRun(protocol, assignment.parameters, specs)

  const move = (to: EngineState) => {
    state = transition(engineTransitions, state, to, `attempt ${assignment.runId}/${assignment.attempt}`)
  }
  const stop = (why: StopCause) => {
    if (cause !== undefined || state === 'stopping' || state === 'stopped') return
    cause = why
    controller.abort(why)
  }

  const start: StartDoc = {
    time: clock.now() / 1000,
    node: node.name,
    bench: bench.name,
    lab: assignment.lab,
    protocol: assignment.protocol,
    protocolDigest: assignment.protocolDigest,
    parameters: assignment.parameters,
    fence: assignment.fence,
    nodeVersion: node.version,
    ...clockOffset(node.clockOffsetMs()),
    estimatedS: seconds,
  }

  const seat = isSession(protocol)
    ? createSeat({
        clock,
        log,
        lab: assignment.lab,
        visitor: assignment.visitor,
        onSilence: (reason) => stop({ state: 'interrupted', reason }),
      })
    : undefined
  const environment = createEnvironment()
  const outputs =
    Object.keys(protocol.outputs).length === 0
      ? noOutputs
      : createOutputs(protocol, { parameters: assignment.parameters, parts: specs })
  const limits = assignment.limits as Readonly<Record<string, Limits>>
  // Last, for what throws above must not hold the bench.
  const lease = bench.acquire({ kind: 'run', id: assignment.runId }, { limits })
  const recorder = createRecorder({ streams, outbox, lease, clock })

  let starting: Promise<void> | undefined
  const begin = () => {
    starting ??= recorder.start(start)
    return starting
  }
  let first = true
  const begun = async (signal: AbortSignal) => {
    await untilAborted(begin(), signal)
    if (!first) return
    first = false
    faultPoint?.('before-first-instruction')
  }

  const cancelTimer = clock.after(assignment.maxSeconds * 1000, () =>
    stop({
      state: 'failed',
      reason: `the run took longer than its ${assignment.maxSeconds} s`,
      error: new LabError({
        code: 'run-too-long',
        kind: 'caller',
        message: `the run was stopped after its time limit of ${assignment.maxSeconds} s`,
        details: step === '' ? {} : { at: step },
      }),
    }),
  )

  let cancelLoss = () => {}
  let lost = false
  lease.onLoss = (instrument, reason) => {
    lost = true
    const error = new LabError({
      code: 'instrument-lost',
      kind: 'instrument',
      retry: 'later',
      message: `${instrument} was lost during the run: ${reason}`,
      studentMessage: 'An instrument of this bench was lost. What was measured until then is kept.',
      details: { instrument, elapsedMs: Math.round(clock.monotonic() - beganAt), ...(step === '' ? {} : { at: step }) },
    })
    cancelLoss()
    cancelLoss = clock.after(LOSS_MS, () => stop({ state: 'failed', reason: error.message, error }))
  }

  let tripped: LabError | undefined
  lease.onTrip = (error) => {
    tripped = error
    stop({ state: 'failed', reason: error.message, error })
  }

  const onValue: RunOptions['onValue'] = (part, signal, value, unit, timeS) => {
    const key = `${part}.${signal}`
    if (typeof value === 'number') readings[key] = { value, unit, time: timeS }
    if (seat !== undefined) samples.note(key, value, unit, timeS)
    options.onValue(lease.instrument(part).name, signal, value, unit, timeS)
  }

  const work = async (): Promise<LabError | undefined> => {
    try {
      await perform(
        expand(protocol, assignment.parameters, environment),
        {
          lease,
          recorder,
          outputs,
          statistics,
          oscillating,
          environment,
          clock,
          visit,
          faultPoint,
          begun,
          onInstruction: (instruction) => {
            step = instruction.label ?? instruction.path
            // An attempt that does nothing needs no commit of its own for its start.
            if (instruction.op !== 'wait' || instruction.seconds > 0) begin().catch(() => {})
          },
          seat,
          onValue,
        },
        controller.signal,
      )
      return undefined
    } catch (thrown) {
      return thrown === cause ? undefined : asLabError(thrown)
    }
  }

  /** A bench that nothing has touched is clean. */
  const leaveClean = async (): Promise<CleanUpResult | undefined> => {
    if (protocol.cleanUp === undefined) return undefined
    if (first) return { done: true, tries: 0 }
    if (tripped !== undefined) return { done: false, tries: 0, error: errorJson(tripped) }
    if (!lost) {
      const { parameters } = assignment
      return await cleanUp({ protocol, parameters, bench, lease, clock, log, visit, onValue })
    }
    const message = 'an instrument was lost: the bench went to its safe state without its clean-up'
    const error = new LabError({ code: 'instrument-lost', kind: 'instrument', message })
    return { done: false, tries: 0, error: errorJson(error) }
  }

  let settle: (settled: Promise<void>) => void = () => {}
  const settled = new Promise<void>((resolve) => {
    settle = resolve
  })

  const run = async () => {
    const failure = await work()
    cancelTimer()
    cancelLoss()
    const why = cause
    move('stopping')
    seat?.leave()
    const at = failure?.details.at ?? (why === undefined ? undefined : step)
    const unclean = why?.leaving === true && protocol.cleanUp !== undefined && !first
    const cleaned = unclean ? undefined : await leaveClean()
    // The safe state first: outputs, documents and the log come after it.
    const safe = await bench.release(lease)
    recorder.flush()
    if (unclean) {
      settle(Promise.resolve())
      move('stopped')
      return
    }
    const found = await collect(outputs)
    const outcome = judge(why, failure, found.missing, seat?.reason)
    const stopDoc: Omit<StopDoc, 'rows' | 'documents'> = {
      time: clock.now() / 1000,
      state: outcome.state,
      reason: outcome.reason,
      ...(outcome.error === undefined ? {} : { error: errorJson(outcome.error) }),
      ...(typeof at === 'string' && at !== '' ? { at } : {}),
      outputs: found.outputs,
      missingOutputs: found.missing,
      ...(cleaned === undefined ? {} : { cleanUp: cleaned }),
      safeState: safeJson(safe),
    }
    const committed = recorder.stop(stopDoc, start)
    settle(committed)
    move('stopped')
    if (outcome.state === 'failed') log.warn({ run: assignment.runId, reason: outcome.reason, at }, 'a run failed')
  }

  move('running')
  const ended = run()
  ended.catch((thrown) => {
    log.error({ run: assignment.runId, error: asLabError(thrown).message }, 'a run ended without its stop document')
    settle(Promise.reject(thrown))
  })
  settled.catch(() => {})

  return {
    get state() {
      return state
    },
    assignment,
    seat,
    stop,
    live: () => {
      const ending = seat !== undefined && state === 'stopping'
      if (state !== 'running' && !ending) return undefined
      const elapsedS = (clock.monotonic() - beganAt) / 1000
      const secondsLeft = seat?.secondsLeft ?? Math.max(0, seconds - elapsedS)
      return {
        runId: assignment.runId,
        attempt: assignment.attempt,
        progress: seconds > 0 ? Math.min(1, elapsedS / seconds) : 0,
        ...(seconds > 0 ? { secondsLeft } : {}),
        step,
        readings: { ...readings },
        ...(seat === undefined ? {} : { session: { ...lasting(seat), stage: seat.stage, samples: samples.take() } }),
      }
    },
    ended,
    settled,
  }
}

/** Of a session, while somebody has the bench. */
const lasting = ({ seconds }: Seat): { readonly seconds?: number } => (seconds === undefined ? {} : { seconds })

/** Whether a person is let in. */
function isSession(steps: Pick<Protocol, 'steps'>): boolean {
  return steps.steps.some(
    (step) => step.kind === 'live' || (step.kind === 'record' && isSession({ steps: step.steps ?? [] })),
  )
}

/** For a protocol that declares none. */
const noOutputs: OutputCollector = { row: () => {}, page: () => {}, finish: async () => ({}) }

/** The final state and its reason: an outside cause before a failure before missing outputs. */
export function judge(
  cause: StopCause | undefined,
  failure: LabError | undefined,
  missing: Readonly<Record<string, string>>,
  done = 'all steps were done',
): { state: FinalState; reason: string; error?: LabError } {
  if (cause !== undefined) return cause
  if (failure !== undefined) {
    return {
      state: failure.code === 'inapplicable' ? 'inapplicable' : 'failed',
      reason: failure.message,
      error: failure,
    }
  }
  const names = Object.keys(missing)
  if (names.length > 0) return { state: 'partial', reason: `no value for ${names.join(', ')}` }
  return { state: 'succeeded', reason: done }
}

async function collect(
  collector: OutputCollector,
): Promise<{ outputs: StopDoc['outputs']; missing: Record<string, string> }> {
  const outputs: StopDoc['outputs'] = {}
  const missing: Record<string, string> = {}
  for (const [name, result] of Object.entries(await collector.finish())) {
    if ('missing' in result) missing[name] = result.missing
    else outputs[name] = { ...result }
  }
  return { outputs, missing }
}

export function safeJson(safe: SafeResult): StopDoc['safeState'] {
  return safe.reached ? { reached: true } : { reached: false, error: errorJson(safe.error) }
}

function clockOffset(offset: number | undefined): { clockOffsetMs?: number } {
  return offset === undefined ? {} : { clockOffsetMs: offset }
}
