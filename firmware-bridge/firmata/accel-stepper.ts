/** Stepper motors: firmata/protocol, accelStepperFirmata.md (since 2.6). Pure. */
import { SYSEX, sysex } from './messages.ts'

const CONFIGURE = 0x00
const ZERO = 0x01
const TO = 0x03
const ENABLE = 0x04
const STOP = 0x05
const POSITION = 0x06
const ACCELERATION = 0x08
const SPEED = 0x09
const DONE = 0x0a
/** A driver with step and direction, whole steps: what a step is the driver decides. */
const DRIVER = 0x10
const HAS_ENABLE = 0x01

/** A whole number of 32 bits goes as five bytes of 7. */
const INT_BYTES = 5
const SIGNIFICAND_MOST = 2 ** 23 - 1
const EXPONENT_BIAS = 11

export interface StepDriver {
  readonly stepPin: number
  readonly directionPin: number
  readonly enablePin?: number
}

const tell = (command: number, device: number, ...data: readonly number[]): Uint8Array =>
  sysex(SYSEX.accelStepper, command, device, ...data)

export const stepperConfigure = (device: number, { stepPin, directionPin, enablePin }: StepDriver): Uint8Array =>
  enablePin === undefined
    ? tell(CONFIGURE, device, DRIVER, stepPin, directionPin)
    : tell(CONFIGURE, device, DRIVER | HAS_ENABLE, stepPin, directionPin, enablePin)
/** Where it stands is 0 from now on. */
export const stepperZero = (device: number): Uint8Array => tell(ZERO, device)
export const stepperTo = (device: number, steps: number): Uint8Array => tell(TO, device, ...encodeSteps(steps))
export const stepperEnable = (device: number): Uint8Array => tell(ENABLE, device, 1)
/** Slows down to a stand. */
export const stepperStop = (device: number): Uint8Array => tell(STOP, device)
export const askStepperPosition = (device: number): Uint8Array => tell(POSITION, device)
/** In steps/s², 0 for none. */
export const stepperAcceleration = (device: number, rate: number): Uint8Array =>
  tell(ACCELERATION, device, ...encodeFloat(rate))
/** In steps/s. */
export const stepperSpeed = (device: number, rate: number): Uint8Array => tell(SPEED, device, ...encodeFloat(rate))

export const encodeSteps = (steps: number): number[] =>
  Array.from({ length: INT_BYTES }, (_, i) => (steps >> (7 * i)) & (i === INT_BYTES - 1 ? 0x0f : 0x7f))

const decodeSteps = (data: Uint8Array): number =>
  data.subarray(0, INT_BYTES).reduce((steps, seven, i) => steps | (seven << (7 * i)), 0) | 0

/** A positive number in the protocol's own form: 23 bits times a power of ten from -11 to 4, rounded. */
export function encodeFloat(value: number): number[] {
  let exponent = 0
  let significand = Math.round(value * 10 ** EXPONENT_BIAS)
  while (significand > SIGNIFICAND_MOST && exponent < 15) {
    exponent += 1
    significand = Math.round(value * 10 ** (EXPONENT_BIAS - exponent))
  }
  const held = Math.min(significand, SIGNIFICAND_MOST)
  return [held & 0x7f, (held >> 7) & 0x7f, (held >> 14) & 0x7f, (exponent << 2) | (held >> 21)]
}

/** What a board says of a motor; undefined for anything else. `data` follows the command's byte. */
export function readStepper(data: Uint8Array) {
  const [command, device] = data
  const kind = command === POSITION ? 'stepper-position' : command === DONE ? 'stepper-done' : undefined
  if (kind === undefined || device === undefined || data.length !== 2 + INT_BYTES) return undefined
  return { kind, device, steps: decodeSteps(data.subarray(2)) } as const
}
