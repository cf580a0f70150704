/** Emulated units on one Modbus RTU line. A unit that is not there is silent, as on a real one. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { cutRequests, framed } from './modbus-frames.ts'
import type { WireDevice } from './wire-device.ts'
import { WireServer } from './wire-server.ts'

/** A register or coil; without `set` it can only be read. */
export interface Register {
  readonly get: () => number
  /** False for a value that the unit does not take. */
  readonly set?: (value: number) => boolean
}

/** Of a unit, by address. */
export interface UnitTables {
  readonly holding: Readonly<Record<number, Register>>
  readonly input: Readonly<Record<number, Register>>
  readonly coil: Readonly<Record<number, Register>>
  readonly discrete: Readonly<Record<number, Register>>
}

export interface ModbusDeviceOptions {
  readonly name: string
  readonly clock: Clock
  readonly latencyMs: number
  readonly instant: boolean
  readonly units: Readonly<Record<number, UnitTables>>
}

/** Exception codes: Modbus Application Protocol V1.1b3, section 7. */
class ModbusException {
  readonly code: number
  constructor(code: number) {
    this.code = code
  }
}
const ILLEGAL_FUNCTION = 1
const ILLEGAL_ADDRESS = 2
const ILLEGAL_VALUE = 3

/** The functions 1 to 6, 15 and 16. */
export function createModbusDevice(options: ModbusDeviceOptions): WireDevice {
  return new WireServer<Buffer>({
    ...options,
    cutter: cutRequests,
    handle: async (request) => {
      const [unit = 0, code = 0] = request
      const tables = options.units[unit]
      if (tables === undefined) return undefined
      try {
        return framed([unit, code, ...answer(tables, code, request)])
      } catch (thrown) {
        if (thrown instanceof ModbusException) return framed([unit, code | 0x80, thrown.code])
        throw thrown
      }
    },
  })
}

function answer(tables: UnitTables, code: number, request: Buffer): number[] {
  const address = request.readUInt16BE(2)
  const count = request.readUInt16BE(4)
  switch (code) {
    case 1:
      return bits(read(tables.coil, address, count, 2000))
    case 2:
      return bits(read(tables.discrete, address, count, 2000))
    case 3:
      return words(read(tables.holding, address, count, 125))
    case 4:
      return words(read(tables.input, address, count, 125))
    case 5:
      if (count !== 0xff00 && count !== 0) throw new ModbusException(ILLEGAL_VALUE)
      write(tables.coil, address, [count === 0 ? 0 : 1])
      return [...request.subarray(2, 6)]
    case 6:
      write(tables.holding, address, [count])
      return [...request.subarray(2, 6)]
    case 15:
      write(
        tables.coil,
        address,
        Array.from({ length: count }, (_, i) => ((request[7 + (i >> 3)] ?? 0) >> (i & 7)) & 1),
      )
      return [...request.subarray(2, 6)]
    case 16:
      write(
        tables.holding,
        address,
        Array.from({ length: count }, (_, i) => request.readUInt16BE(7 + 2 * i)),
      )
      return [...request.subarray(2, 6)]
    default:
      throw new ModbusException(ILLEGAL_FUNCTION)
  }
}

type Registers = Readonly<Record<number, Register>>

function read(registers: Registers, address: number, count: number, most: number): number[] {
  if (count < 1 || count > most) throw new ModbusException(ILLEGAL_VALUE)
  return Array.from({ length: count }, (_, i) => {
    const register = registers[address + i]
    if (register === undefined) throw new ModbusException(ILLEGAL_ADDRESS)
    return register.get()
  })
}

function write(registers: Registers, address: number, values: readonly number[]): void {
  for (const [i, value] of values.entries()) {
    const set = registers[address + i]?.set
    if (set === undefined) throw new ModbusException(ILLEGAL_ADDRESS)
    if (!set(value)) throw new ModbusException(ILLEGAL_VALUE)
  }
}

const words = (values: readonly number[]): number[] => [
  2 * values.length,
  ...values.flatMap((value) => [(value >> 8) & 0xff, value & 0xff]),
]

function bits(values: readonly number[]): number[] {
  const bytes = Array.from({ length: Math.ceil(values.length / 8) }, () => 0)
  for (const [i, value] of values.entries()) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (value << (i & 7))
  return [bytes.length, ...bytes]
}
