/** What a driver may import of Fernlab, for editors and tsc; at the node it is there by itself. */
import type * as zod from 'zod'

export * as z from 'zod'

export type SignalValue = number | string | boolean

export interface Reading {
  readonly value: SignalValue
  /** Epoch seconds, UTC, when the value was true on the instrument as well as can be known. */
  readonly time: number
}

export interface SignalSpec {
  readonly name: string
  readonly title?: string
  /** UCUM spelling: V, mA, Cel, Hz, s; `1` for a plain number, also for booleans and strings. */
  readonly unit: string
  readonly dtype: 'number' | 'integer' | 'boolean' | 'string'
  /** `[]`: one value. */
  readonly shape: readonly number[]
  readonly kind: 'reading' | 'configuration'
  readonly access: 'read' | 'set' | 'read-set'
  /** What it can be set to; the node refuses the rest. */
  readonly limits?: { readonly low?: number; readonly high?: number }
  /** The only texts that it takes. */
  readonly values?: readonly string[]
  /** Decimal places worth showing. */
  readonly precision?: number
  /** The smallest step that makes a difference, in the signal's unit. */
  readonly resolution?: number
  /** It may not be set again sooner, safe states excepted. */
  readonly minSetIntervalS?: number
  /** How long after a set the value is good. */
  readonly settlingS?: number
  /** Typical time of one read. */
  readonly readS?: number
  /** Typical time of one set, without settling. */
  readonly setS?: number
  /** How often it may be read, per second. */
  readonly maxRateHz?: number
  /** Standard uncertainty of one reading: both parts are added in quadrature. */
  readonly uncertainty?: { readonly absolute?: number; readonly relative?: number }
}

export interface ActionSpec {
  readonly name: string
  readonly title?: string
  /** As JSON Schema has one value each, with a unit. */
  readonly arguments: Readonly<
    Record<
      string,
      {
        readonly type: 'number' | 'integer' | 'string' | 'boolean'
        readonly unit?: string
        readonly minimum?: number
        readonly maximum?: number
      }
    >
  >
  readonly typicalS?: number
}

export interface InstrumentSpec {
  readonly name: string
  readonly driver: string
  readonly model?: string
  readonly signals: readonly SignalSpec[]
  readonly actions: readonly ActionSpec[]
}

/**
 * One instrument. Nothing touches the hardware before `open`; every call stops promptly when its signal aborts; who may
 * do what, and within which limits, is the node's to say before a call comes here.
 */
export interface Instrument {
  readonly spec: InstrumentSpec
  /** Connects, and applies what the settings ask for. */
  open(signal: AbortSignal): Promise<void>
  /** Asks the hardware who it is. */
  identify?(signal: AbortSignal): Promise<string>
  /** Reads the named signals, in one exchange where the hardware can. */
  read(signals: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>>
  /** Sets one signal, and resolves when the instrument has taken it. */
  set(name: string, value: SignalValue, signal: AbortSignal): Promise<void>
  call(action: string, args: Readonly<Record<string, SignalValue>>, signal: AbortSignal): Promise<void>
  /** Called when the connection is lost or comes back; the instrument reconnects by itself. */
  onConnection?(listener: (up: boolean, reason?: string) => void): void
  /** Ends what is under way, leaves everything safe and frees the port; may be called twice; at most 1 s. */
  close(): Promise<void>
}

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: Record<string, unknown>): Log
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds that only go forward. */
  monotonic(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls back once after `ms`; the returned function cancels. */
  after(ms: number, callback: () => void): () => void
}

/** Bytes to one device and from it. */
export interface Transport {
  write(bytes: Uint8Array): Promise<void>
  /** Called with every piece that arrives, split anywhere. */
  onData(listener: (bytes: Uint8Array) => void): void
  /** Called once when the connection has ended, with the reason when it was not `close`. */
  onClose(listener: (reason: Error | undefined) => void): void
  close(): Promise<void>
}

/** Where a device is, as in node.yaml: a serial line, TCP, an instrument on USB, or an emulated device of Fernlab. */
export type TransportConfig =
  | {
      kind: 'serial'
      path: string
      baudRate: number
      dataBits: 7 | 8
      parity: 'none' | 'even' | 'odd'
      stopBits: 1 | 2
      flowControl: 'none' | 'rtscts' | 'xonxoff'
    }
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'emulated'; world: string; device: string }
  | {
      kind: 'usbtmc'
      vendor?: string | undefined
      product?: string | undefined
      serial?: string | undefined
      socket?: string | undefined
    }
/** Those whose bytes are a stream. */
export declare const transportConfigSchema: zod.ZodType<Exclude<TransportConfig, { kind: 'usbtmc' }>>

export interface DriverContext {
  /** The instrument's, in node.yaml. */
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  openTransport(config: TransportConfig, signal: AbortSignal): Promise<Transport>
  /** Folder of node.yaml, for files that the settings name. */
  readonly configFolder: string
}

export interface Driver {
  readonly kind: string
}

/** What a driver.ts exports as its default. */
export declare function driverOf<T>(parts: {
  readonly kind: string
  /** Of `settings` in node.yaml. */
  readonly schema: zod.ZodType<T>
  /** What is wrong beyond the schema. */
  readonly findings?: (
    settings: T,
  ) => readonly { readonly path: readonly (string | number)[]; readonly message: string }[]
  /** Makes an instrument without touching hardware. */
  readonly create: (settings: T, context: DriverContext) => Promise<Instrument>
}): Driver

/** A refusal. `caller`: what was asked can not be; `instrument`: it said no; `link`: it is not there. */
export declare class LabError extends Error {
  constructor(init: {
    readonly code: string
    readonly kind: 'caller' | 'configuration' | 'instrument' | 'link'
    readonly message: string
    readonly retry?: 'never' | 'later' | 'now'
    readonly cause?: unknown
  })
  readonly code: string
}

/** A line and what is made of its answer; `parse` throws for one that is none. */
export interface Question<T> {
  readonly message: string | Uint8Array
  readonly timeoutMs?: number
  readonly parse: (text: string) => T
}

export interface LineExchange {
  ask<T>(question: Question<T>): Promise<T>
  /** Sends lines that nothing answers, in order. */
  tell(orders: readonly { readonly message: string | Uint8Array }[]): Promise<void>
}

export interface LineSession {
  readonly connected: boolean
  open(signal: AbortSignal): Promise<void>
  /** Runs `work` alone on the line; refused at once while the instrument is not connected. */
  exchange<T>(work: (line: LineExchange) => Promise<T>, signal: AbortSignal): Promise<T>
  onConnection(listener: (up: boolean, reason?: string) => void): void
  close(): Promise<void>
}

/** An instrument that answers lines, one at a time; it reconnects by itself, and late answers are never taken for others. */
export declare function lineSession(choices: {
  readonly context: DriverContext
  readonly open: (signal: AbortSignal) => Promise<Transport>
  /** Ends each line, both ways. Default: LF. */
  readonly terminator?: string
  /** How long an answer may take. Default: 1000. */
  readonly timeoutMs?: number
  /** What is asked to see that the right instrument is there and in step; `parse` throws for another's answer. */
  readonly hello?: { readonly message: string; readonly parse: (text: string) => string }
}): LineSession
