/** An emulated chip at the wire: what it makes of bytes, as its datasheet has it. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Noise } from '../noise.ts'

export interface EmulatedChip {
  /** Bytes after its address with the write bit; false: it does not acknowledge one of them. */
  write(bytes: Uint8Array): boolean
  /** Bytes that it gives after its address with the read bit; undefined: it does not acknowledge its address. */
  read(length: number): Uint8Array | undefined
  /** All registers as they are after its power comes on. */
  powerOn(): void
}

/** What every emulated chip is made of. */
export interface ChipOptions {
  /** Seconds from an arbitrary start. */
  readonly nowS: () => number
  readonly noise: Noise
  /** Conversions take no time, and there is neither noise nor error: for tests that know the answer. */
  readonly instant: boolean
}

/** What goes wrong with a chip. */
export type ChipFault =
  /** It is not there: for good, or until it was addressed so many times; its power comes on then. */
  | { readonly kind: 'absent'; readonly forTransfers?: number }
  /** It acknowledges its address and then, of each transfer, only so many bytes. */
  | { readonly kind: 'broken-off'; readonly afterBytes: number }
  /** The last byte that it gives is wrong. */
  | { readonly kind: 'garbled' }
  /** It holds SCL low: nothing else on the bus can speak either. */
  | { readonly kind: 'stuck' }

/** A failed transfer, with the kernel's code for it. */
export function wireError(code: 'ENXIO' | 'EREMOTEIO' | 'EIO' | 'ETIMEDOUT'): NodeJS.ErrnoException {
  return Object.assign(new LabError({ code: 'emulated-wire', kind: 'link', message: `emulated ${code}` }), { code })
}

/** Registers of 8 or 16 bits behind a pointer, the first byte written; words go high byte first. */
export interface RegisterMap {
  /** The bytes of a register from here on, as they are now. */
  bytesAt(pointer: number, length: number): Uint8Array
  /** Bytes written behind the pointer; false: not acknowledged. */
  store(pointer: number, bytes: Uint8Array): boolean
  powerOn(): void
}

/** A chip with a register pointer, which stays until the next write. */
export function registerChip(registers: RegisterMap): EmulatedChip {
  let pointer = 0
  return {
    write: (bytes) => {
      const [first, ...rest] = bytes
      if (first === undefined) return true
      pointer = first
      return rest.length === 0 || registers.store(pointer, Uint8Array.from(rest))
    },
    read: (length) => registers.bytesAt(pointer, length),
    powerOn: () => {
      pointer = 0
      registers.powerOn()
    },
  }
}
