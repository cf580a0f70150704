/**
 * The driver port: what the node asks of code that speaks to one kind of hardware.
 *
 * INVARIANTS: a driver does no I/O before `open`; every call takes a signal and stops promptly when it aborts; `close`
 * is idempotent and bounded; a driver never enforces bench limits or leases (edge/instruments does, for all alike), but
 * refuses what its own hardware cannot do.
 */

import type { Duplex } from 'node:stream'
import type { OpenTransport } from '@fernlab/firmware-bridge/transports/transport'
import type { ActionSpec, InstrumentSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { LabPageWay, Visitor } from '@fernlab/shared/contracts/sync'
import type { Path } from '@fernlab/shared/contracts/yaml-file'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { z } from 'zod'

export type SignalValue = number | string | boolean

export interface Reading {
  readonly value: SignalValue
  /** Epoch seconds, UTC, when the value was true on the instrument as well as can be known. */
  readonly time: number
  /** Of a calibrated signal, what the instrument said; drivers leave it out. */
  readonly raw?: number
}

/** Samples of several signals taken together; `time` and every column have the same length. */
export interface Block {
  /** Epoch seconds of each sample. */
  readonly time: Float64Array
  readonly columns: Readonly<Record<string, Float64Array>>
}

export interface Instrument {
  readonly spec: InstrumentSpec
  /** Connects, identifies the hardware and applies its configuration. Rejects with an instrument- or link-kind LabError. */
  open(signal: AbortSignal): Promise<void>
  /** By what it reaches its hardware, where there is a choice; undefined while it is not open. */
  about?(): string | undefined
  /** What is odd with it though it is online, for the staff: `says what its description does not know: …`. */
  complaint?(): string | undefined
  /** Asks the hardware who it is; absent where it can not say. */
  identify?(signal: AbortSignal): Promise<string>
  /** Reads the named signals, in one exchange where the hardware can. */
  read(signals: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>>
  /** Whether reading the signal now would change what the instrument does, as a meter its function; without, none would. */
  disturbs?(signal: string): boolean
  /** Sets one signal, in its unit, and resolves when the instrument has taken it (settling not included). */
  set(name: string, value: SignalValue, signal: AbortSignal): Promise<void>
  /**
   * Sets several signals that keep people safe: all are sent, in order, before an answer is waited for; then resolves
   * when the instrument has taken them, or rejects (with `instrument-refused` when it answered that it did not).
   */
  setTogether?(values: ReadonlyMap<string, SignalValue>, signal: AbortSignal): Promise<void>
  /** Calls an action; arguments were checked against its spec. */
  call(action: string, args: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void>
  /** Present when the hardware samples by itself: blocks at `rateHz` until the signal aborts; none lost, in order. */
  stream?(signals: readonly string[], rateHz: number, signal: AbortSignal): AsyncIterable<Block>
  /** Present when it is a laboratory with a server of its own. */
  readonly labServer?: LabServer
  /** Present when it sees; `spec.camera` says how well. */
  readonly camera?: Camera
  /** Called when the connection is lost or comes back; the instrument reconnects by itself. */
  onConnection?(listener: (up: boolean, reason?: string) => void): void
  /** Ends what is under way and frees the port; idempotent; at most 2 s. */
  close(): Promise<void>
}

/** One picture of a camera. */
export interface Picture {
  /** A JPEG file. */
  readonly jpeg: Uint8Array
  /** Epoch seconds, UTC, when it was seen, as well as can be known. */
  readonly time: number
}

/** What an instrument sees. */
export interface Camera {
  /** The next picture that begins to be taken after the call. */
  take(signal: AbortSignal): Promise<Picture>
  /** Pictures as they come until the signal aborts; one that is not taken before the next has come is left out. */
  follow(signal: AbortSignal): AsyncIterable<Picture>
}

/** What a laboratory's own server is told of a session. */
export interface VisitRequest extends Visitor {
  readonly seconds: number
  readonly experiment: string
  readonly category: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Sessions on a laboratory's own server. */
export interface LabServer {
  /**
   * Begins one; `url` is as the server told it. Rejects with `begun: false` in the details when none has begun for sure.
   */
  start(request: VisitRequest, signal: AbortSignal): Promise<{ readonly id: string; readonly url: string }>
  /** When to ask again, in seconds; 0: never; less: the session is over. */
  status(id: string, signal: AbortSignal): Promise<number>
  /** Ends it; also when there is none of the id any more. */
  dispose(id: string, signal: AbortSignal): Promise<void>
  /** Where browsers find a session's page; throws `lab-page-wrong` for what they may not be sent to. */
  page(url: string): LabPage
  /** A connection to the server's own address, on which HTTP is spoken; TLS is dealt with here. */
  connect(signal: AbortSignal): Promise<Duplex>
}

export interface LabPage {
  readonly url: string
  /** Whether browsers get there through the hub, or by themselves. */
  readonly through: LabPageWay
}

export interface DriverContext {
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  /** Opens serial, TCP, emulated … connections; see firmware-bridge/transports. */
  readonly openTransport: OpenTransport
  /** Folder of the node's configuration, for files that the config names. */
  readonly configFolder: string
  /** Where a driver keeps what it has learned, which the node may write; without one, `configFolder`. */
  readonly keptFolder?: string
}

/** A piece of hardware that one instrument has to itself: a pin, an address on a bus, a port. */
export interface Claim {
  /** Equal for equal hardware, whatever driver names it: `serial:/dev/ttyUSB0`, `i2c:1:0x48`, `gpio:pinctrl-bcm2711:17`. */
  readonly key: string
  /** As people call it: `pin GPIO17`. */
  readonly what: string
  /** Where the config names it. */
  readonly path: Path
  /** Instruments whose claims say the same here may have it together, as the devices on one Modbus line. */
  readonly sharedAs?: string
}

export interface Driver {
  /** As in node.yaml: `scpi`, `simulated`. */
  readonly kind: string
  /** Checks a config from node.yaml; issues have paths relative to the config. Pure. */
  check(config: unknown): Issue[]
  /** What hardware a good config claims for its instrument; pure, and nothing for a wrong one. */
  claims?(config: unknown): readonly Claim[]
  /**
   * Whether an instrument that can not be made for that reason is out of use alone, and the node starts without it: what
   * it is depends on people's own code, or on what is plugged in.
   */
  failsAlone?(error: LabError): boolean
  /** The schema of the config with all that is known of its models by name, for editors. */
  editorSchema(): Promise<z.ZodType>
  /** Makes an instrument; no I/O but reading files that the config names. Throws a configuration-kind LabError with issues. */
  create(config: unknown, context: DriverContext): Promise<Instrument>
}

export type { ActionSpec, SignalSpec }
