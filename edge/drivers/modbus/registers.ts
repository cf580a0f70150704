/** Values and registers: which requests read them, how numbers lie in words. Pure. */
import { garbled } from '@fernlab/firmware-bridge/scpi/replies'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { SignalValue } from '../driver.ts'
import type { ModbusSignal, Table } from './config.ts'

/** Registers of one table that one request reads: at most what a frame holds. */
export interface Span {
  readonly table: Table
  readonly address: number
  readonly count: number
}

/** Registers of a frame: 125 words, or 2000 bits (Modbus Application Protocol V1.1b3, 6.1 to 6.4). */
const LONGEST = { word: 125, bit: 2000 } as const

const RANGES = {
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
} as const

/** How many registers a signal takes. */
export const lengthOf = ({ type }: Pick<ModbusSignal, 'type'>): number =>
  type === 'int32' || type === 'uint32' || type === 'float32' ? 2 : 1

export const isBitTable = (table: Table): boolean => table === 'coil' || table === 'discrete'

/** The requests that read all the signals: neighbours together, and nothing between them that nobody asked for. */
export function spansOf(signals: readonly ModbusSignal[]): Span[] {
  const wanted = signals
    .map((signal) => ({ table: signal.table, address: signal.address, count: lengthOf(signal) }))
    .sort((a, b) => a.table.localeCompare(b.table) || a.address - b.address)
  const spans: Span[] = []
  for (const next of wanted) {
    const last = spans.at(-1)
    const end = Math.max(last === undefined ? 0 : last.address + last.count, next.address + next.count)
    const longest = isBitTable(next.table) ? LONGEST.bit : LONGEST.word
    const joins =
      last !== undefined &&
      last.table === next.table &&
      next.address <= last.address + last.count &&
      end - last.address <= longest
    if (joins) spans[spans.length - 1] = { ...last, count: end - last.address }
    else spans.push(next)
  }
  return spans
}

/** True when the span holds the signal's registers. */
export const holds = (span: Span, signal: ModbusSignal): boolean =>
  span.table === signal.table &&
  signal.address >= span.address &&
  signal.address + lengthOf(signal) <= span.address + span.count

/** The signal's value in words or bits; `reply-garbled` for what is no number. */
export function decode(
  signal: ModbusSignal,
  words: readonly (number | boolean)[],
  source: { readonly instrument: string; readonly command: string },
): SignalValue {
  const { type, bit, words: order, scale = 1, offset = 0 } = signal
  if (type === 'bit') {
    return bit === undefined ? Boolean(words[0]) : ((Number(words[0]) >> bit) & 1) === 1
  }
  const raw = rawNumber(type, order, words.map(Number))
  if (!Number.isFinite(raw)) throw garbled(String(raw), source, 'a number')
  // Without the last digits, in which 611 · 0.1 is not 61.1.
  return Number((raw * scale + offset).toPrecision(14))
}

function rawNumber(type: Exclude<ModbusSignal['type'], 'bit'>, order: ModbusSignal['words'], words: number[]): number {
  const [first = 0, second = 0] = order === 'low-first' ? [...words].reverse() : words
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16BE(first, 0)
  bytes.writeUInt16BE(second, 2)
  switch (type) {
    case 'int16':
      return bytes.readInt16BE(0)
    case 'uint16':
      return bytes.readUInt16BE(0)
    case 'int32':
      return bytes.readInt32BE(0)
    case 'uint32':
      return bytes.readUInt32BE(0)
    case 'float32':
      return Number(bytes.readFloatBE(0).toPrecision(8))
  }
}

/** The words that set the signal; throws `value-unknown` for what its registers do not hold. */
export function encode(name: string, signal: ModbusSignal, value: SignalValue): number[] {
  const { type, words: order, scale = 1, offset = 0 } = signal
  if (typeof value !== 'number' || !Number.isFinite(value) || type === 'bit') throw unknown(name, value, `a ${type}`)
  const raw = (value - offset) / scale
  const bytes = Buffer.alloc(4)
  if (type === 'float32') bytes.writeFloatBE(raw, 0)
  else {
    const [low, high] = RANGES[type]
    const whole = Math.round(raw)
    if (whole < low || whole > high) {
      throw unknown(name, value, `from ${low * scale + offset} to ${high * scale + offset}`)
    }
    if (lengthOf(signal) === 1) return [whole & 0xffff]
    bytes.writeInt32BE(whole | 0, 0)
  }
  const both = [bytes.readUInt16BE(0), bytes.readUInt16BE(2)]
  return order === 'low-first' ? both.reverse() : both
}

function unknown(name: string, value: SignalValue, wanted: string): LabError {
  const message = `${name}: ${JSON.stringify(value)} is not ${wanted}`
  return new LabError({ code: 'value-unknown', kind: 'caller', message })
}
