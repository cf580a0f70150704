/** Registers of chips: how many bytes, and which number they are. Pure. */
import type { RegisterConfig } from './config.ts'

type Form = Pick<RegisterConfig, 'type' | 'bytes' | 'mask' | 'scale' | 'offset'>

export const bytesOf = ({ type }: Pick<Form, 'type'>): number => Number(/\d+$/.exec(type)?.[0] ?? 8) / 8

/** The value of a register of so many bytes as `bytesOf` says. */
export function numberIn({ type, bytes: order, mask, scale, offset }: Form, bytes: Uint8Array): number {
  const highFirst = order === 'low-first' ? [...bytes].reverse() : [...bytes]
  const unsigned = highFirst.reduce((number, byte) => number * 256 + byte, 0)
  const range = 256 ** bytes.length
  const raw = mask === undefined ? unsigned : Number(BigInt(unsigned) & BigInt(mask))
  const signed = !type.startsWith('u') && raw >= range / 2 ? raw - range : raw
  // Without the last digits, in which 611 · 0.1 is not 61.1.
  return Number((signed * scale + offset).toPrecision(14))
}
