/**
 * The Link port: one connection that carries frames both ways, whole and in order, until it ends.
 *
 * INVARIANTS: `frame` is never called before `listen`, within `send`, or after `ended`; `ended` is called exactly once,
 * whichever end closed it; `send` after that does nothing; `close` is idempotent and bounded.
 */
import type { LabError } from '../primitives/lab-error.ts'
import type { Format, Frame } from './formats.ts'

export type LinkKind = 'in-process' | 'unix-socket' | 'websocket' | 'mqtt' | 'peer-hub'

export interface LinkListener {
  frame(frame: Frame): void
  /** What waited to be sent has gone, or most of it; comes after `pendingBytes` was above {@link HIGH_WATER_BYTES}. */
  drained(): void
  /** With `link-ended`, or what was wrong with the other end. */
  ended(error: LabError): void
}

export interface Link {
  readonly kind: LinkKind
  /** Both ends agreed on it when they connected. */
  readonly format: Format
  send(frame: Frame): void
  /** The same for one frame of two parts, of which the second is not copied and may not change any more. */
  sendParts?(head: Uint8Array, body: Uint8Array): void
  /** Bytes that wait in this process to be sent. */
  readonly pendingBytes: number
  listen(listener: LinkListener): void
  /** What was sent before still goes, as far as the other end takes it within a second. */
  close(why?: string): Promise<void>
}

/** Long messages wait while more than this is in a link. */
export const HIGH_WATER_BYTES = 512 * 1024
