/** Intel HEX (Intel Hexadecimal Object File Format Specification, rev. A, 1988) as compilers write it for microcontrollers. */
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** Bytes for one chip, with what lies between them left out. */
export interface FirmwareImage {
  /** Stretches in order of their address; none touches the next. */
  readonly parts: readonly FirmwarePart[]
  /** Bytes in all parts. */
  readonly bytes: number
  /** The address after the last byte. */
  readonly end: number
  /** The file itself, where it is what goes to the board. */
  readonly file?: Uint8Array
}

export interface FirmwarePart {
  readonly address: number
  readonly data: Uint8Array
}

const DATA = 0
const END = 1
const SEGMENT = 2
const START_SEGMENT = 3
const LINEAR = 4
const START_LINEAR = 5

/**
 * Reads a hex file's text; throws `firmware-file-wrong` with the line: what is not a record, a wrong checksum, a file that
 * stops before its end record, bytes given twice, or none at all. `name` is what the message calls the file.
 */
export function readIntelHex(text: string, name: string): FirmwareImage {
  const wrong = (line: number, message: string) => fileWrong(`${name}:${line}: ${message}`)
  const bytes = new Map<number, number>()
  let base = 0
  let ended = false
  const lines = text.split(/\r?\n/)
  for (const [index, raw] of lines.entries()) {
    const line = index + 1
    const record = raw.trim()
    if (record === '') continue
    if (ended) throw wrong(line, 'there is more after the end record')
    const { type, offset, data } = readRecord(record, (message) => wrong(line, message))
    if (type === DATA) {
      for (const [i, byte] of data.entries()) {
        const address = base + offset + i
        if (bytes.has(address)) throw wrong(line, `address ${hex(address)} is given a second time; the records overlap`)
        bytes.set(address, byte)
      }
    } else if (type === END) ended = true
    else if (type === SEGMENT || type === LINEAR) {
      if (data.length !== 2) throw wrong(line, 'an address record has two bytes')
      const high = ((data[0] ?? 0) << 8) | (data[1] ?? 0)
      base = type === SEGMENT ? high * 16 : high * 0x10000
    } else if (type !== START_SEGMENT && type !== START_LINEAR)
      throw wrong(line, `there is no record type ${hex(type, 2)}`)
  }
  if (!ended) throw wrong(lines.length, 'the file ends without its end record; it is truncated')
  if (bytes.size === 0) throw fileWrong(`${name} has no bytes`)
  return imageOf(bytes)
}

interface HexRecord {
  readonly type: number
  readonly offset: number
  readonly data: Uint8Array
}

function readRecord(record: string, wrong: (message: string) => LabError): HexRecord {
  if (!record.startsWith(':')) throw wrong('a record starts with ":"; this is not an Intel HEX file')
  const digits = record.slice(1)
  if (!/^[0-9a-f]*$/i.test(digits)) throw wrong('a record is made of hexadecimal digits')
  const length = Number.parseInt(digits.slice(0, 2), 16)
  if (Number.isNaN(length) || digits.length < (length + 5) * 2)
    throw wrong('the record is shorter than it says; it is truncated')
  if (digits.length > (length + 5) * 2) throw wrong('the record is longer than it says')
  const all = Uint8Array.from(Buffer.from(digits, 'hex'))
  const sum = all.reduce((total, byte) => total + byte, 0) & 0xff
  if (sum !== 0) {
    const given = all.at(-1) ?? 0
    throw wrong(`the checksum is ${hex(given, 2)} and should be ${hex((given - sum) & 0xff, 2)}; the file is damaged`)
  }
  return { type: all[3] ?? 0, offset: ((all[1] ?? 0) << 8) | (all[2] ?? 0), data: all.subarray(4, -1) }
}

function imageOf(bytes: ReadonlyMap<number, number>): FirmwareImage {
  const addresses = [...bytes.keys()].sort((a, b) => a - b)
  const parts: FirmwarePart[] = []
  let from = 0
  for (let i = 1; i <= addresses.length; i++) {
    if (i < addresses.length && addresses[i] === (addresses[i - 1] ?? 0) + 1) continue
    const run = addresses.slice(from, i)
    parts.push({ address: run[0] ?? 0, data: Uint8Array.from(run, (address) => bytes.get(address) ?? 0) })
    from = i
  }
  return { parts, bytes: addresses.length, end: (addresses.at(-1) ?? 0) + 1 }
}

/** The image as a hex file. */
export function writeIntelHex({ parts }: FirmwareImage): string {
  const lines: string[] = []
  let base = 0
  for (const { address, data } of parts) {
    for (let at = 0; at < data.length; ) {
      const here = address + at
      if (here >>> 16 !== base) {
        base = here >>> 16
        lines.push(recordText(0, LINEAR, [base >> 8, base & 0xff]))
      }
      const length = Math.min(16, data.length - at, 0x10000 - (here & 0xffff))
      lines.push(recordText(here & 0xffff, DATA, [...data.subarray(at, at + length)]))
      at += length
    }
  }
  return `${[...lines, recordText(0, END, [])].join('\n')}\n`
}

function recordText(offset: number, type: number, data: readonly number[]): string {
  const bytes = [data.length, offset >> 8, offset & 0xff, type, ...data]
  const sum = -bytes.reduce((total, byte) => total + byte, 0) & 0xff
  return `:${[...bytes, sum].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('')}`
}

/** Address and byte count as people who flash write them: `0x7c00`. */
export function hex(value: number, digits = 4): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}

/** A firmware file that can not be used, with what is wrong with it. */
export function fileWrong(message: string): LabError {
  return new LabError({ code: 'firmware-file-wrong', kind: 'configuration', message })
}
