/** What a Firmata board says, and how it is told something: firmata/protocol, protocol.md 2.8, i2c.md, servos.md. Pure. */

/** What a pin can be (protocol.md, "Supported Modes"). */
export const PIN_MODE = {
  input: 0x00,
  output: 0x01,
  analog: 0x02,
  pwm: 0x03,
  servo: 0x04,
  i2c: 0x06,
  stepper: 0x08,
  pullUp: 0x0b,
} as const

/** What a pin can be, by mode, with its resolution in bits where that has one. */
export type PinModes = ReadonlyMap<number, number>

export interface PinState {
  readonly pin: number
  readonly mode: number
  /** What was last written to it. */
  readonly state: number
}

export interface I2cReply {
  readonly address: number
  readonly register: number
  readonly bytes: Uint8Array
}

export type BoardMessage =
  | { readonly kind: 'version'; readonly major: number; readonly minor: number }
  | { readonly kind: 'firmware'; readonly major: number; readonly minor: number; readonly name: string }
  | { readonly kind: 'capabilities'; readonly pins: readonly PinModes[] }
  | { readonly kind: 'analog-mapping'; readonly channels: readonly (number | undefined)[] }
  | ({ readonly kind: 'pin-state' } & PinState)
  | { readonly kind: 'analog'; readonly channel: number; readonly value: number }
  | { readonly kind: 'digital'; readonly port: number; readonly bits: number }
  | { readonly kind: 'text'; readonly text: string }
  | ({ readonly kind: 'i2c-reply' } & I2cReply)
  | { readonly kind: 'stepper-position' | 'stepper-done'; readonly device: number; readonly steps: number }

export const START_SYSEX = 0xf0
export const END_SYSEX = 0xf7
/** The first bytes of messages; of those up to `pinMode` the low four bits are a channel or a port. */
export const COMMAND = {
  digital: 0x90,
  reportAnalog: 0xc0,
  reportDigital: 0xd0,
  analog: 0xe0,
  pinMode: 0xf4,
  version: 0xf9,
  systemReset: 0xff,
} as const
/** The first byte within a sysex. */
export const SYSEX = {
  accelStepper: 0x62,
  askAnalogMapping: 0x69,
  analogMapping: 0x6a,
  askCapabilities: 0x6b,
  capabilities: 0x6c,
  askPinState: 0x6d,
  pinState: 0x6e,
  extendedAnalog: 0x6f,
  servoConfig: 0x70,
  text: 0x71,
  i2cRequest: 0x76,
  i2cReply: 0x77,
  i2cConfig: 0x78,
  firmware: 0x79,
  samplingInterval: 0x7a,
} as const

const MOST_BITS = 14

export const sysex = (...data: readonly number[]): Uint8Array => Uint8Array.of(START_SYSEX, ...data, END_SYSEX)
/** A number of up to 14 bits as two bytes of 7, the low one first. */
export const twoBytes = (value: number): [number, number] => [value & 0x7f, (value >> 7) & 0x7f]

export const askVersion = (): Uint8Array => Uint8Array.of(COMMAND.version)
export const askFirmware = (): Uint8Array => sysex(SYSEX.firmware)
export const askCapabilities = (): Uint8Array => sysex(SYSEX.askCapabilities)
export const askAnalogMapping = (): Uint8Array => sysex(SYSEX.askAnalogMapping)
export const askPinState = (pin: number): Uint8Array => sysex(SYSEX.askPinState, pin)
/** Makes all pins what they are after a reset, and ends all reports. */
export const systemReset = (): Uint8Array => Uint8Array.of(COMMAND.systemReset)
export const setPinMode = (pin: number, mode: number): Uint8Array => Uint8Array.of(COMMAND.pinMode, pin, mode)
/** The levels of a port's eight pins; only its outputs take them. */
export const digitalWrite = (port: number, bits: number): Uint8Array =>
  Uint8Array.of(COMMAND.digital | port, ...twoBytes(bits))
export const reportDigital = (port: number): Uint8Array => Uint8Array.of(COMMAND.reportDigital | port, 1)
export const reportAnalog = (channel: number): Uint8Array => Uint8Array.of(COMMAND.reportAnalog | channel, 1)
export const samplingInterval = (ms: number): Uint8Array => sysex(SYSEX.samplingInterval, ...twoBytes(ms))
/** The pulses at 0° and 180°, in microseconds. */
export const servoConfig = (pin: number, minUs: number, maxUs: number): Uint8Array =>
  sysex(SYSEX.servoConfig, pin, ...twoBytes(minUs), ...twoBytes(maxUs))

/** A duty of PWM, in steps of its resolution, or the angle of a servo. */
export function analogWrite(pin: number, value: number): Uint8Array {
  if (pin < 16 && value < 2 ** MOST_BITS) return Uint8Array.of(COMMAND.analog | pin, ...twoBytes(value))
  const bytes: number[] = []
  for (let left = value; left > 0 || bytes.length < 2; left = Math.floor(left / 128)) bytes.push(left % 128)
  return sysex(SYSEX.extendedAnalog, pin, ...bytes)
}

/** Turns the bus on; the board waits so long between a register's address and its bytes. */
export const i2cConfig = (delayUs: number): Uint8Array => sysex(SYSEX.i2cConfig, ...twoBytes(delayUs))

export interface I2cRead {
  /** Of 7 bits, or of 10 from 0x80 on. */
  readonly address: number
  readonly register: number
  readonly count: number
  /** Without a stop between the register's address and its bytes. */
  readonly restart: boolean
}

const WRITE = 0x00
const READ_ONCE = 0x08
const TEN_BITS = 0x20
const RESTART = 0x40

export function i2cRead({ address, register, count, restart }: I2cRead): Uint8Array {
  const how = READ_ONCE | (address > 0x7f ? TEN_BITS | ((address >> 7) & 0x07) : 0) | (restart ? RESTART : 0)
  return sysex(SYSEX.i2cRequest, address & 0x7f, how, ...twoBytes(register), ...twoBytes(count))
}

export interface I2cWrite {
  /** Of 7 bits. */
  readonly address: number
  readonly register: number
  readonly bytes: Uint8Array
}

/** The register's address and its bytes, in one transfer. */
export const i2cWrite = ({ address, register, bytes }: I2cWrite): Uint8Array =>
  sysex(SYSEX.i2cRequest, address, WRITE, ...twoBytes(register), ...[...bytes].flatMap((byte) => twoBytes(byte)))
