/** Registers of chips: how many bytes, which number they are, and which bytes a value is. Pure. */

interface Form {
  /** As `uint16`. */
  readonly type: string
  readonly bytes: 'high-first' | 'low-first'
  readonly mask?: number
  readonly scale: number
  readonly offset: number
}

type Settable = Omit<Form, 'mask'> & { readonly limits?: { readonly low?: number; readonly high?: number } }

interface Numbers {
  readonly least: number
  readonly most: number
}

export const bytesOf = ({ type }: Pick<Form, 'type'>): number => Number(/\d+$/.exec(type)?.[0] ?? 8) / 8

/** The value of a register of so many bytes as `bytesOf` says. */
export function valueIn(form: Form, bytes: Uint8Array): number {
  const { type, bytes: order, mask } = form
  const highFirst = order === 'low-first' ? [...bytes].reverse() : [...bytes]
  const unsigned = highFirst.reduce((number, byte) => number * 256 + byte, 0)
  const range = 256 ** bytes.length
  const raw = mask === undefined ? unsigned : Number(BigInt(unsigned) & BigInt(mask))
  return scaled(form, !type.startsWith('u') && raw >= range / 2 ? raw - range : raw)
}

/** Without the last digits, in which 611 · 0.1 is not 61.1. */
const scaled = ({ scale, offset }: Pick<Form, 'scale' | 'offset'>, number: number): number =>
  Number((number * scale + offset).toPrecision(14))

/** What may be written: `limits`, and no more than the register can hold. */
export function limitsOf(form: Settable): { readonly low: number; readonly high: number } {
  const { least, most } = numbersOf(form)
  const [low, high] = [scaled(form, least), scaled(form, most)]
  return {
    low: Math.max(Math.min(low, high), form.limits?.low ?? -Infinity),
    high: Math.min(Math.max(low, high), form.limits?.high ?? Infinity),
  }
}

/** The numbers whose values are within `limits`; undefined where none is. */
export function settableNumbers(form: Settable): Numbers | undefined {
  const { least, most } = numbersOf(form)
  const ends = [position(form, form.limits?.low ?? -Infinity), position(form, form.limits?.high ?? Infinity)]
  const [first, last] = [Math.max(least, Math.ceil(Math.min(...ends))), Math.min(most, Math.floor(Math.max(...ends)))]
  return first > last ? undefined : { least: first, most: last }
}

/** The bytes of the value, or of the nearest that the register can hold within its limits. */
export function bytesFor(form: Settable, value: number): Uint8Array {
  const { least, most } = settableNumbers(form) ?? numbersOf(form)
  const number = Math.min(most, Math.max(least, Math.round(position(form, value))))
  const count = bytesOf(form)
  const unsigned = number < 0 ? number + 256 ** count : number
  const lowFirst = Array.from({ length: count }, (_, i) => Math.floor(unsigned / 256 ** i) % 256)
  return Uint8Array.from(form.bytes === 'low-first' ? lowFirst : lowFirst.reverse())
}

/** Between which numbers a value is; 61.1 of the scale 0.1 is 611, whatever binary fractions make of it. */
const position = ({ scale, offset }: Pick<Form, 'scale' | 'offset'>, value: number): number =>
  Number(((value - offset) / scale).toPrecision(12))

function numbersOf(form: Pick<Form, 'type'>): Numbers {
  const range = 256 ** bytesOf(form)
  return form.type.startsWith('u') ? { least: 0, most: range - 1 } : { least: -range / 2, most: range / 2 - 1 }
}
