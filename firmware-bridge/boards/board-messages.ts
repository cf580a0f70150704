/** What an emulated board's thread is started with, takes and tells. */
import type { FirmwareImage } from '../flashing/intel-hex.ts'

/** `real-time` keeps to the wall clock, and to no more than that; `flat-out` goes as fast as the processor. */
export type BoardSpeed = 'real-time' | 'flat-out'

export interface BoardThreadData {
  /** Decides the tolerances of what is wired to the board. */
  readonly seed: string
  readonly speed: BoardSpeed
  readonly firmware?: FirmwareImage
  readonly bootLoader?: FirmwareImage
}

/** Resets have numbers, and bytes that of the reset after which they were sent: what is older never reaches a new connection. */
export type ToBoard = { readonly reset: number } | { readonly bytes: Uint8Array }
export type FromBoard = { readonly bytes: Uint8Array; readonly sinceReset: number }
