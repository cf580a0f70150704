/** The exclusive right to a bench: the only way to its instruments' setters and actions. See bench.ts for the invariants. */
import type { Limits, SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { BenchEntry } from '@fernlab/shared/contracts/node-file'
import { TAKE_PICTURE } from '@fernlab/shared/contracts/pictures'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { checkArguments } from '@fernlab/shared/protocol/parameters'
import type { Picture, Reading, SignalValue, VisitRequest } from '../drivers/driver.ts'
import { checkSet } from '../instruments/check-set.ts'
import type { InstrumentHandle, LabServerHandle } from '../instruments/instrument-handle.ts'

/** In its declared unit, or in one that it names. */
export type Argument = SignalValue | { readonly value: SignalValue; readonly unit: string }

export interface Lease {
  readonly token: string
  readonly active: boolean
  /** `part.signal` of everything that was set, and `part.*` of every action called. */
  readonly moved: ReadonlySet<string>
  expiresAtMs: number | undefined
  onRenew: ((ttlMs: number) => void) | undefined
  /** Told when an instrument of the bench goes offline while the lease holds. */
  onLoss: ((instrument: string, reason: string) => void) | undefined
  /** Told that an interlock has tripped, before the lease ends for it. */
  onTrip: ((error: LabError) => void) | undefined
  /** The specification of `part.signal`; throws `signal-unknown`. */
  signal(part: string, signal: string): SignalSpec
  instrument(part: string): InstrumentHandle
  /** Checks limits and units, then sets; resolves with the value in the signal's unit when the instrument has taken it. */
  set(
    part: string,
    signal: string,
    value: SignalValue,
    unit: string | undefined,
    abort: AbortSignal,
  ): Promise<SignalValue>
  /** Reads `part.signal` keys, one exchange per instrument, the instruments at the same time. */
  read(
    keys: readonly { readonly part: string; readonly signal: string }[],
    abort: AbortSignal,
  ): Promise<Record<string, Reading>>
  /** Checks the arguments against the action's, fills in its defaults, then calls; resolves with what a camera has taken. */
  call(
    part: string,
    action: string,
    args: Readonly<Record<string, Argument>>,
    timeoutMs: number,
    abort: AbortSignal,
  ): Promise<Picture | undefined>
  /** The laboratory's own server that is the part; throws `lab-server-missing`. */
  labServer(part: string): LeasedLabServer
  /** From now on nothing gets through. */
  end(reason: () => LabError): void
}

export interface LeasedLabServer extends Pick<LabServerHandle, 'page' | 'connect'> {
  start(request: VisitRequest, abort: AbortSignal): ReturnType<LabServerHandle['start']>
  status(id: string, abort: AbortSignal): Promise<number>
  dispose(id: string, abort: AbortSignal): Promise<void>
}

export interface CreateLeaseOptions {
  readonly bench: string
  readonly token: string
  readonly entry: BenchEntry
  readonly parts: ReadonlyMap<string, InstrumentHandle>
  readonly labLimits: Readonly<Record<string, Limits>>
}

const OPERATION_MS = 2000
/** A laboratory may have much to do until it is ready. */
const START_MS = 30_000
const STATUS_MS = 10_000
const DISPOSE_MS = 20_000

export function createLease({ bench, token, entry, parts, labLimits }: CreateLeaseOptions): Lease {
  const moved = new Set<string>()
  let ended: (() => LabError) | undefined
  const guard = () => {
    if (ended !== undefined) throw ended()
  }
  const instrument = (part: string): InstrumentHandle => {
    const handle = parts.get(part)
    if (handle === undefined) throw unknown('part-unknown', `bench ${bench} has no part ${part}`)
    return handle
  }
  const find = (part: string, name: string): SignalSpec => {
    const spec = instrument(part).spec.signals.find((signal) => signal.name === name)
    if (spec === undefined) throw unknown('signal-unknown', `bench ${bench} has no signal ${part}.${name}`)
    return spec
  }
  return {
    token,
    get active() {
      return ended === undefined
    },
    moved,
    expiresAtMs: undefined,
    onRenew: undefined,
    onLoss: undefined,
    onTrip: undefined,
    signal: find,
    instrument,
    set: async (part, name, value, unit, abort) => {
      guard()
      const label = `${part}.${name}`
      const spec = find(part, name)
      const own = checkSet({
        label,
        spec,
        value,
        unit,
        limits: [
          { of: 'bench', limits: entry.limits?.[label] },
          { of: 'lab', limits: labLimits[label] },
        ],
      })
      moved.add(label)
      await instrument(part).set(name, own, { signal: abort, guard, timeoutMs: OPERATION_MS + 3000 * (spec.setS ?? 0) })
      return own
    },
    read: async (keys, abort) => {
      guard()
      const byPart = new Map<string, string[]>()
      for (const { part, signal } of keys) {
        const spec = find(part, signal)
        if (spec.access === 'set') throw unknown('signal-not-readable', `${part}.${signal} can only be set`)
        const names = byPart.get(part)
        if (names === undefined) byPart.set(part, [signal])
        else names.push(signal)
      }
      const readings: Record<string, Reading> = {}
      await Promise.all(
        [...byPart].map(async ([part, names]) => {
          const timeoutMs = OPERATION_MS + 3000 * names.reduce((sum, name) => sum + (find(part, name).readS ?? 0), 0)
          const answer = await instrument(part).read(names, { signal: abort, timeoutMs })
          for (const name of names) {
            const reading = answer[name]
            if (reading !== undefined) readings[`${part}.${name}`] = reading
          }
        }),
      )
      return readings
    },
    call: async (part, action, args, timeoutMs, abort) => {
      guard()
      const spec = instrument(part).spec.actions.find(({ name }) => name === action)
      if (spec === undefined) throw unknown('action-unknown', `bench ${bench} has no action ${part}.${action}`)
      const { values, issues } = checkArguments(spec.arguments, args, `${part}.${action}`)
      if (issues.length > 0) {
        const message = issues.map(({ path, message }) => `${path}: ${message}`).join('; ')
        throw new LabError({ code: 'arguments-wrong', kind: 'caller', message, issues })
      }
      const use = { signal: abort, guard, timeoutMs }
      // Looking moves nothing.
      if (action === TAKE_PICTURE && instrument(part).camera !== undefined) return await instrument(part).take(use)
      moved.add(`${part}.*`)
      await instrument(part).call(action, values, use)
      return undefined
    },
    labServer: (part) => {
      const { labServer } = instrument(part)
      if (labServer === undefined) {
        throw unknown('lab-server-missing', `${part} of bench ${bench} is not a laboratory's own server`)
      }
      return {
        page: labServer.page,
        connect: (abort) => {
          guard()
          return labServer.connect(abort)
        },
        start: (request, abort) => {
          moved.add(`${part}.*`)
          return labServer.start(request, { signal: abort, guard, timeoutMs: START_MS })
        },
        status: (id, abort) => labServer.status(id, { signal: abort, guard, timeoutMs: STATUS_MS }),
        dispose: (id, abort) => labServer.dispose(id, { signal: abort, guard, timeoutMs: DISPOSE_MS }),
      }
    },
    end: (reason) => {
      ended ??= reason
    },
  }
}

function unknown(code: string, message: string): LabError {
  return new LabError({ code, kind: 'caller', message })
}
