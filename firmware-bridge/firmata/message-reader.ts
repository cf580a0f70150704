/**
 * Bytes of a Firmata board to messages, however they are split or merged. Pure.
 *
 * INVARIANTS: only the first byte of a message, and a sysex's last, has its high bit set, so after a wrong byte the next
 * message is found; what is no message of its kind is dropped and counted; nothing grows with what a board sends.
 */
import { readStepper } from './accel-stepper.ts'
import { type BoardMessage, COMMAND, END_SYSEX, type PinModes, START_SYSEX, SYSEX } from './messages.ts'

/** The longest is a board's capabilities: of 128 pins, less than 25 bytes each. */
const LONGEST_SYSEX = 4096
const UNUSED = 0x7f

export class MessageReader {
  /** The first byte of the message that has begun; undefined between messages. */
  #begun: number | undefined
  #data: number[] = []
  #garbled = 0

  /** Bytes and messages that were not understood. */
  get garbled(): number {
    return this.#garbled
  }

  push(bytes: Uint8Array): BoardMessage[] {
    const messages: BoardMessage[] = []
    for (const byte of bytes) {
      const message = this.#take(byte)
      if (message !== undefined) messages.push(message)
    }
    return messages
  }

  #take(byte: number): BoardMessage | undefined {
    if (byte >= 0x80) return this.#control(byte)
    if (this.#begun === undefined) {
      this.#garbled += 1
      return undefined
    }
    this.#data.push(byte)
    if (this.#begun !== START_SYSEX) return this.#data.length < 2 ? undefined : this.#end(readShort)
    if (this.#data.length > LONGEST_SYSEX) this.#drop()
    return undefined
  }

  #control(byte: number): BoardMessage | undefined {
    if (byte === END_SYSEX && this.#begun === START_SYSEX) return this.#end((_, data) => readSysex(data))
    if (this.#begun !== undefined) this.#drop()
    const kind = byte < 0xf0 ? byte & 0xf0 : byte
    const isKnown =
      kind === COMMAND.digital || kind === COMMAND.analog || kind === COMMAND.version || kind === START_SYSEX
    if (isKnown) this.#begun = byte
    else this.#garbled += 1
    return undefined
  }

  #end(read: (begun: number, data: Uint8Array) => BoardMessage | undefined): BoardMessage | undefined {
    const message = read(this.#begun ?? 0, Uint8Array.from(this.#data))
    this.#begun = undefined
    this.#data = []
    if (message === undefined) this.#garbled += 1
    return message
  }

  #drop(): void {
    this.#begun = undefined
    this.#data = []
    this.#garbled += 1
  }
}

function readShort(begun: number, data: Uint8Array): BoardMessage | undefined {
  const [low = 0, high = 0] = data
  const value = low | (high << 7)
  if (begun === COMMAND.version) return { kind: 'version', major: low, minor: high }
  if ((begun & 0xf0) === COMMAND.analog) return { kind: 'analog', channel: begun & 0x0f, value }
  return { kind: 'digital', port: begun & 0x0f, bits: value & 0xff }
}

function readSysex(bytes: Uint8Array): BoardMessage | undefined {
  const data = bytes.subarray(1)
  switch (bytes[0]) {
    case SYSEX.firmware:
      return readFirmware(data)
    case SYSEX.capabilities:
      return readCapabilities(data)
    case SYSEX.analogMapping:
      return { kind: 'analog-mapping', channels: Array.from(data, (one) => (one === UNUSED ? undefined : one)) }
    case SYSEX.pinState:
      return readPinState(data)
    case SYSEX.extendedAnalog:
      return data.length < 3 ? undefined : { kind: 'analog', channel: data[0] ?? 0, value: sevens(data.subarray(1)) }
    case SYSEX.text:
      return { kind: 'text', text: textOf(data) }
    case SYSEX.i2cReply:
      return readI2cReply(data)
    case SYSEX.accelStepper:
      return readStepper(data)
    default:
      return undefined
  }
}

function readFirmware(data: Uint8Array): BoardMessage | undefined {
  const [major, minor] = data
  if (major === undefined || minor === undefined) return undefined
  return { kind: 'firmware', major, minor, name: textOf(data.subarray(2)).replace(/\.ino$|\.cpp$/, '') }
}

function readCapabilities(data: Uint8Array): BoardMessage | undefined {
  const pins: PinModes[] = []
  let modes = new Map<number, number>()
  for (let at = 0; at < data.length; ) {
    const mode = data[at] ?? UNUSED
    if (mode === UNUSED) {
      pins.push(modes)
      modes = new Map()
      at += 1
    } else {
      const resolution = data[at + 1]
      if (resolution === undefined || resolution === UNUSED) return undefined
      modes.set(mode, resolution)
      at += 2
    }
  }
  return modes.size > 0 || pins.length === 0 || pins.length > 128 ? undefined : { kind: 'capabilities', pins }
}

function readPinState(data: Uint8Array): BoardMessage | undefined {
  const [pin, mode] = data
  if (pin === undefined || mode === undefined || data.length < 3) return undefined
  return { kind: 'pin-state', pin, mode, state: sevens(data.subarray(2)) }
}

function readI2cReply(data: Uint8Array): BoardMessage | undefined {
  if (data.length < 4 || data.length % 2 !== 0) return undefined
  const [address = 0, register = 0, ...bytes] = pairs(data)
  return { kind: 'i2c-reply', address, register, bytes: Uint8Array.from(bytes) }
}

const sevens = (data: Uint8Array): number => data.reduce((value, seven, i) => value + seven * 128 ** i, 0)

const pairs = (data: Uint8Array): number[] =>
  Array.from({ length: data.length >> 1 }, (_, i) => (data[2 * i] ?? 0) | ((data[2 * i + 1] ?? 0) << 7))

/** As Latin-1: what is no letter of it is left out. */
const textOf = (data: Uint8Array): string =>
  pairs(data)
    .filter((code) => code >= 0x20 && code < 0x100)
    .map((code) => String.fromCharCode(code))
    .join('')
