/**
 * Stepper motors: firmata/protocol, accelStepperFirmata.md (since 2.6), and what ConfigurableFirmata's
 * AccelStepperFirmata.cpp makes of it where that leaves it open. Pure.
 */
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

/** A whole number goes as five bytes of 7: how large it is, and in the last of them whether it is negative. */
const INT_BYTES = 5
const NEGATIVE = 0x08
const INVERTS_ENABLE = 0x10
/** As far from 0 as a motor is sent: of what it is told a board takes 28 bits. */
export const MOST_STEPS = 2 ** 28 - 1
const SIGNIFICAND_MOST = 2 ** 23 - 1
const EXPONENT_BIAS = 11

export interface StepDriver {
  readonly stepPin: number
  readonly directionPin: number
  readonly enablePin?: number
  /** Whether the driver is on while its enable pin is low. */
  readonly isEnabledLow?: boolean
}

const tell = (command: number, device: number, ...data: readonly number[]): Uint8Array =>
  sysex(SYSEX.accelStepper, command, device, ...data)

/** Always says which pins are inverted: without, a board takes for it what an earlier message has left behind. */
export function stepperConfigure(device: number, driver: StepDriver): Uint8Array {
  const { stepPin, directionPin, enablePin, isEnabledLow } = driver
  if (enablePin === undefined) return tell(CONFIGURE, device, DRIVER, stepPin, directionPin, 0)
  const inverted = isEnabledLow === true ? INVERTS_ENABLE : 0
  return tell(CONFIGURE, device, DRIVER | HAS_ENABLE, stepPin, directionPin, enablePin, inverted)
}
/** Where it stands is 0 from now on. */
export const stepperZero = (device: number): Uint8Array => tell(ZERO, device)
export const stepperTo = (device: number, steps: number): Uint8Array => tell(TO, device, ...encodeSteps(steps))
/** Whether its driver gives it current: without, it holds nothing, and steps go nowhere. */
export const stepperEnable = (device: number, on: boolean): Uint8Array => tell(ENABLE, device, on ? 1 : 0)
/** To a stand; by the protocol it slows down first where it has an acceleration, ConfigurableFirmata stops it at once. */
export const stepperStop = (device: number): Uint8Array => tell(STOP, device)
export const askStepperPosition = (device: number): Uint8Array => tell(POSITION, device)
/** In steps/s², 0 for none. */
export const stepperAcceleration = (device: number, rate: number): Uint8Array =>
  tell(ACCELERATION, device, ...encodeFloat(rate))
/** In steps/s. */
export const stepperSpeed = (device: number, rate: number): Uint8Array => tell(SPEED, device, ...encodeFloat(rate))

/** Of a whole number that is no more than `MOST_STEPS` from 0. */
export function encodeSteps(steps: number): number[] {
  const size = Math.abs(steps)
  const sevens = Array.from({ length: INT_BYTES - 1 }, (_, i) => (size >> (7 * i)) & 0x7f)
  return [...sevens, steps < 0 ? NEGATIVE : 0]
}

/** A board says where it is in 31 bits. */
function decodeSteps(data: Uint8Array): number {
  const last = data[INT_BYTES - 1] ?? 0
  const size =
    data.subarray(0, INT_BYTES - 1).reduce((all, seven, i) => all + seven * 128 ** i, 0) + (last & 0x07) * 2 ** 28
  return (last & NEGATIVE) !== 0 && size > 0 ? -size : size
}

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
