/**
 * One instrument of the node: opened with back-off, used by one caller at a time.
 *
 * INVARIANTS: at most one operation is with the driver at a time, streams excepted; an operation that must keep people
 * safe goes before all that wait, ends the one under way, and waits at most `STUCK_MS` for the driver to let go of it;
 * every operation ends by its deadline or when its signal aborts, whether or not the driver takes notice; what is refused
 * by `guard` never reaches the driver; a failure names the instrument, the command and the time it took.
 */
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { LazyAbort, whenAborted } from '@fernlab/shared/primitives/lazy-abort'
import type { Log } from '@fernlab/shared/primitives/log'
import { type Calibrator, createCalibrator } from '../calibration/calibrator.ts'
import type {
  Block,
  Camera,
  Instrument,
  LabServer,
  Picture,
  Reading,
  SignalValue,
  VisitRequest,
} from '../drivers/driver.ts'
import { checkReadings } from './check-readings.ts'
import { createHandleErrors, overtakenError } from './handle-errors.ts'
import { createSetPace } from './set-pace.ts'

export type Connection = { readonly online: true } | { readonly online: false; readonly reason: string }

/** Who gives a use up: a signal, or the call that it is for, whose signal is made only when somebody asks for it. */
type GivenUpBy =
  | { readonly signal: AbortSignal; readonly call?: undefined }
  | { readonly call: { readonly signal: AbortSignal }; readonly signal?: undefined }

export type UseOptions = GivenUpBy & {
  readonly timeoutMs?: number
  /** Throws when the caller has lost the right to use the instrument; called just before the driver is. */
  readonly guard?: (() => void) | undefined
  /** Goes before everything that waits, and ends what is under way unless that is urgent too. */
  readonly urgent?: boolean
}

/** Aborted when whoever uses it gives it up; of a call it is made when it is asked for. */
export const signalOf = (use: UseOptions): AbortSignal => (use.call ?? use).signal

/** Who follows what is read of an instrument. */
export interface ReadingWatcher {
  onReadings(readings: Readonly<Record<string, Reading>>): void
  onBlock(block: Block): void
}

export interface InstrumentHandle {
  readonly name: string
  /** As calibrated. */
  readonly spec: InstrumentSpec
  /** As the instrument has it: what it can be set to at all. */
  readonly rawSpec: InstrumentSpec
  /** What is between it and `spec`: readings are calibrated, sets undone to raw values. */
  readonly calibrator: Calibrator
  readonly connection: Connection
  /** By what it reaches its hardware, where there is a choice and it is open. */
  readonly about: string | undefined
  /** What is odd with it though it is online. */
  readonly complaint: string | undefined
  onConnection(listener: (connection: Connection) => void): void
  /** Told of every good reading and every block, whoever asked for it, before they are. */
  watch(watcher: ReadingWatcher): void
  /** Starts opening and keeps trying; returns at once. */
  start(): void
  /** True when the hardware can say who it is. */
  readonly identifies: boolean
  identify(use: UseOptions): Promise<string>
  read(signals: readonly string[], use: UseOptions): Promise<Record<string, Reading>>
  /** Whether reading the signal now would change what the instrument does. */
  disturbs(signal: string): boolean
  /** Throws `set-too-soon` where the signal was set just now, unless it is urgent. */
  set(name: string, value: SignalValue, use: UseOptions): Promise<void>
  /** How long until the signal may be set, in ms; 0: now. */
  setWaitMs(name: string): number
  /** True when the driver can send several values before it waits for an answer. */
  readonly setsTogether: boolean
  setTogether(values: ReadonlyMap<string, SignalValue>, use: UseOptions): Promise<void>
  call(action: string, args: Readonly<Record<string, SignalValue>>, use: UseOptions): Promise<void>
  /** Takes a picture, when it is a camera; throws `not-a-camera`. */
  take(use: UseOptions): Promise<Picture>
  /** True when the hardware samples by itself. */
  readonly streams: boolean
  stream(signals: readonly string[], rateHz: number, signal: AbortSignal): AsyncIterable<Block>
  /** Of a laboratory with a server of its own. */
  readonly labServer: LabServerHandle | undefined
  /** What it sees, when it is a camera; whoever looks waits for nobody. */
  readonly camera: Camera | undefined
  close(): Promise<void>
}

/** As the driver has it, within deadlines and one call at a time. */
export interface LabServerHandle extends Pick<LabServer, 'page' | 'connect'> {
  start(request: VisitRequest, use: UseOptions): ReturnType<LabServer['start']>
  status(id: string, use: UseOptions): Promise<number>
  dispose(id: string, use: UseOptions): Promise<void>
}

interface Task {
  readonly command: string
  readonly work: (signal: AbortSignal) => Promise<unknown>
  readonly use: UseOptions
  /** Ends it while it is with the driver: its caller, its deadline, or one that is urgent. */
  readonly ending: LazyAbort
  /** Why its caller has given it up, if it has. */
  givenUp: { readonly reason: unknown } | undefined
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

const OPEN_TIMEOUT_MS = 10_000
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 30_000
const OPERATION_MS = 2000
const STUCK_MS = 200
const CLOSE_MS = 2000

export interface InstrumentHandleOptions {
  readonly name: string
  readonly instrument: Instrument
  readonly clock: Clock
  readonly log: Log
}

/** A handle that does nothing until `start`. */
export function createInstrumentHandle({ name, instrument, clock, log }: InstrumentHandleOptions): InstrumentHandle {
  const closing = new AbortController()
  const listeners: ((connection: Connection) => void)[] = []
  const watchers: ReadingWatcher[] = []
  const waiting: Task[] = []
  let connection: Connection = { online: false, reason: 'not yet opened' }
  let opened = false
  let started = false
  /** The driver's own call, which may outlive the task that gave it up. */
  let underWay: Promise<unknown> | undefined
  let busy = false
  let current: Task | undefined
  let lossLogged = false
  let closed: Promise<void> | undefined

  const setConnection = (next: Connection) => {
    const changed =
      next.online !== connection.online || (!next.online && !connection.online && next.reason !== connection.reason)
    connection = next
    if (!changed) return
    if (!next.online && !lossLogged) log.warn({ instrument: name, reason: next.reason }, 'an instrument is offline')
    if (next.online) log.info({ instrument: name }, lossLogged ? 'an instrument is back' : 'an instrument is online')
    lossLogged = !next.online
    for (const listener of listeners) listener(next)
  }

  const errors = createHandleErrors(name, clock)
  const calibrator = createCalibrator(() => instrument.spec)
  const pace = createSetPace(() => instrument.spec, clock)
  const offline = (command: string) => errors.offline(command, connection.online ? 'closing' : connection.reason)

  const openLoop = async () => {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)) {
      const began = clock.monotonic()
      try {
        await withDeadline(
          clock,
          OPEN_TIMEOUT_MS,
          closing.signal,
          () => errors.silent('open', began),
          (signal) => instrument.open(signal),
        )
        opened = true
        setConnection({ online: true })
        return
      } catch (thrown) {
        if (closing.signal.aborted) return
        setConnection({ online: false, reason: asLabError(thrown).message })
      }
      try {
        await clock.sleep(retryMs, closing.signal)
      } catch {
        return // closed meanwhile
      }
    }
  }

  const perform = async (task: Task) => {
    const { command, use, ending } = task
    const began = clock.monotonic()
    try {
      use.guard?.()
      if (!opened || closed !== undefined || !connection.online) throw offline(command)
      const cancel = clock.after(use.timeoutMs ?? OPERATION_MS, () => ending.abort(errors.silent(command, began)))
      try {
        task.resolve(await untilEnded(task))
      } finally {
        cancel()
      }
    } catch (thrown) {
      const isTheirs = task.givenUp !== undefined && thrown === task.givenUp.reason
      task.reject(isTheirs ? thrown : errors.failed(command, began, thrown))
    }
  }

  /** What the driver gives, or why the operation has ended before; the driver may go on after that. */
  const untilEnded = (task: Task): Promise<unknown> =>
    new Promise((resolve, reject) => {
      task.ending.onAbort(reject)
      if (task.ending.aborted) return
      const call = task.work(task.ending.signal)
      underWay = call
      const forget = () => {
        if (underWay === call) underWay = undefined
      }
      call.then(
        (value) => {
          forget()
          resolve(value)
        },
        (thrown) => {
          forget()
          reject(thrown)
        },
      )
    })

  const work = async () => {
    busy = true
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      current = task
      if (underWay !== undefined) await settledWithin(underWay, STUCK_MS, task.ending.signal)
      await perform(task)
    }
    current = undefined
    busy = false
  }

  const settledWithin = async (call: Promise<unknown>, ms: number, abort?: AbortSignal) => {
    let cancel = () => {}
    const late = new Promise<void>((resolve) => {
      if (abort?.aborted) return resolve()
      cancel = clock.after(ms, resolve)
      abort?.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([call.then(ignore, ignore), late])
    cancel()
  }

  const submit = <T>(command: string, use: UseOptions, work_: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const task: Task = {
        command,
        work: work_,
        use,
        ending: new LazyAbort(),
        givenUp: undefined,
        resolve: (value) => {
          forget()
          resolve(value as T)
        },
        reject: (error) => {
          forget()
          reject(error)
        },
      }
      const forget = whenAborted(use.call ?? use, (reason) => {
        task.givenUp = { reason }
        task.ending.abort(reason)
        const at = waiting.indexOf(task)
        if (at < 0) return
        waiting.splice(at, 1)
        task.reject(reason)
      })
      if (task.givenUp !== undefined) return task.reject(task.givenUp.reason)
      if (use.urgent) {
        waiting.unshift(task)
        // Also when nobody aborts it: a lease that was not renewed has only ended.
        if (current !== undefined && !current.use.urgent) current.ending.abort(overtakenError(current.command))
      } else waiting.push(task)
      if (!busy) void work()
    })

  const labServer = (own: LabServer): LabServerHandle => ({
    page: own.page,
    connect: own.connect,
    start: (request, use) => submit('start a session', use, (signal) => own.start(request, signal)),
    status: (id, use) => submit('ask for the status', use, (signal) => own.status(id, signal)),
    dispose: (id, use) => submit('end a session', use, (signal) => own.dispose(id, signal)),
  })

  return {
    name,
    camera: instrument.camera,
    labServer: instrument.labServer === undefined ? undefined : labServer(instrument.labServer),
    calibrator,
    get spec() {
      return calibrator.spec
    },
    get rawSpec() {
      return instrument.spec
    },
    get connection() {
      return connection
    },
    get complaint() {
      return connection.online ? instrument.complaint?.() : undefined
    },
    get about() {
      return connection.online ? instrument.about?.() : undefined
    },
    onConnection: (listener) => void listeners.push(listener),
    watch: (watcher) => void watchers.push(watcher),
    start: () => {
      if (started) return
      started = true
      instrument.onConnection?.((up, reason) => {
        if (closed !== undefined || !opened) return
        setConnection(up ? { online: true } : { online: false, reason: reason ?? 'the connection was lost' })
      })
      void openLoop()
    },
    get identifies() {
      return instrument.identify !== undefined
    },
    identify: (use) => submit('identify', use, async (signal) => (await instrument.identify?.(signal)) ?? ''),
    read: async (signals, use) => {
      const command = `read ${signals.join(', ')}`
      const began = clock.monotonic()
      const readings = await submit(command, use, (signal) => instrument.read(signals, signal))
      let good: Record<string, Reading>
      try {
        good = calibrator.readings(checkReadings(instrument.spec, signals, readings))
      } catch (thrown) {
        throw errors.failed(command, began, thrown)
      }
      for (const watcher of watchers) watcher.onReadings(good)
      return good
    },
    disturbs: (signalName) => instrument.disturbs?.(signalName) ?? false,
    set: (signalName, value, use) =>
      submit(`set ${signalName} to ${value}`, use, (signal) =>
        pace.set([signalName], use.urgent === true, () =>
          instrument.set(signalName, calibrator.toRaw(signalName, value), signal),
        ),
      ),
    setWaitMs: pace.waitMs,
    get setsTogether() {
      return instrument.setTogether !== undefined
    },
    setTogether: async (values, use) => {
      const command = `set ${[...values].map(([signalName, value]) => `${signalName} to ${value}`).join(', ')}`
      await submit(command, use, (signal) =>
        pace.set([...values.keys()], true, async () => {
          const raw = [...values].map(([each, value]) => [each, calibrator.toRaw(each, value)] as const)
          await instrument.setTogether?.(new Map(raw), signal)
        }),
      )
    },
    call: (action, args, use) => submit(`call ${action}`, use, (signal) => instrument.call(action, args, signal)),
    take: async (use) => {
      const { camera } = instrument
      if (camera !== undefined) return await submit('take a picture', use, (signal) => camera.take(signal))
      throw new LabError({ code: 'not-a-camera', kind: 'caller', message: `${name} is not a camera` })
    },
    get streams() {
      return instrument.stream !== undefined
    },
    async *stream(signals, rateHz, signal) {
      const began = clock.monotonic()
      const command = `stream ${signals.join(', ')}`
      if (!connection.online || instrument.stream === undefined) throw offline(command)
      try {
        for await (const raw of instrument.stream(signals, rateHz, signal)) {
          const block = calibrator.block(raw)
          for (const watcher of watchers) watcher.onBlock(block)
          yield block
        }
      } catch (thrown) {
        throw signal.aborted ? signal.reason : errors.failed(command, began, thrown)
      }
    },
    close: () => {
      closed ??= (async () => {
        closing.abort(offline('open'))
        await settledWithin(instrument.close(), CLOSE_MS)
        connection = { online: false, reason: 'closed' }
      })()
      return closed
    },
  }
}

function ignore(): void {
  // its own task has reported the failure, or was given up at its deadline
}
