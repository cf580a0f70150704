/** What an emulated device shows of itself: bytes in, bytes out. */

/** The far end of a wire, as the device sees it. */
export interface WireEnd {
  data(bytes: Uint8Array): void
  /** The device ends the connection. */
  hangUp(): void
}

/** Lines of a serial port beside its data; what is not named stays as it is. */
export interface ModemLines {
  readonly dtr?: boolean
  readonly rts?: boolean
}

/** The near end, as whoever connected sees it. */
export interface Wire {
  receive(bytes: Uint8Array): void
  /** Modem lines, where the device has any; true asserts. */
  setLines?(lines: ModemLines): void
  /** The speed of the line, where the device can tell. */
  setBaudRate?(baudRate: number): void
  /** Idempotent; the device's state stays. */
  close(): void
}

/**
 * Something wrong with the device, on demand. `silent`: takes messages and answers nothing. `slow`: each answer comes
 * `ms` later. `garbage`: answers are noise. `truncated`: an answer stops half-way, without its terminator.
 * `disconnect`: the connection ends when the next answer is due, and each new one at its first answer. Each lasts for
 * `answers` answers, or until cleared.
 */
export type Fault =
  | { readonly kind: 'silent' | 'garbage' | 'truncated' | 'disconnect'; readonly answers?: number }
  | { readonly kind: 'slow'; readonly ms: number; readonly answers?: number }

/** An emulated device. */
export interface WireDevice {
  readonly name: string
  connect(end: WireEnd): Wire
  /** Replaces the present fault; undefined makes the device well. */
  setFault(fault: Fault | undefined): void
  /** Ends every open connection, as a pulled plug does; it can be connected to again at once. */
  hangUp(): void
}
