/** The config against a board: which pin each name is, and whether it can be what it should be. Pure. */
import type { Greeting } from '@fernlab/firmware-bridge/firmata/greeting'
import { PIN_MODE, type PinModes } from '@fernlab/firmware-bridge/firmata/messages'
import { type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import { type FirmataConfig, type PinConfig, type PinName, pinsOf } from './config.ts'
import { besidesOf } from './spec.ts'

/** One entry of `pins` on this board. */
export interface PlannedPin {
  readonly name: string
  readonly config: PinConfig
  /** The pins by the board's numbers, in the order of `pinsOf`. */
  readonly pins: readonly number[]
  /** What they are to be. */
  readonly mode: number
  /** The largest value of an analog input or a PWM, plus one. */
  readonly steps: number
  /** The channel of an analog input. */
  readonly channel: number
  /** The motor's number. */
  readonly device: number
}

export interface Plan {
  readonly pins: readonly PlannedPin[]
  /** The pin whose state is asked for where any would do, and its mode. */
  readonly anchor: { readonly pin: number; readonly mode: number }
}

/** The entry of which that is a signal. */
export function plannedFor({ pins }: Plan, signalName: string): PlannedPin {
  const found = pins.find(
    ({ name, config }) =>
      name === signalName || (config.direction === 'stepper' && besidesOf(name).includes(signalName)),
  )
  if (found === undefined)
    throw new LabError({ code: 'plan-lacks-pin', kind: 'bug', message: `no ${signalName} in the plan` })
  return found
}

const MODE_NAMES: ReadonlyMap<number, string> = new Map([
  [PIN_MODE.input, 'in'],
  [PIN_MODE.output, 'out'],
  [PIN_MODE.analog, 'analog'],
  [PIN_MODE.pwm, 'pwm'],
  [PIN_MODE.servo, 'servo'],
  [PIN_MODE.i2c, 'i2c'],
  [PIN_MODE.stepper, 'stepper'],
])
/** Reports name a channel, and ports, in four bits. */
const LAST_CHANNEL = 15
const LAST_PORT_PIN = 127
/**
 * Bits of values: 14 in a report of a channel that is named in four bits; 21 in what firmware takes of an extended message;
 * 8 for the 180 of an angle.
 */
const USABLE_BITS: ReadonlyMap<number, readonly [least: number, most: number]> = new Map([
  [PIN_MODE.analog, [1, 14]],
  [PIN_MODE.pwm, [1, 21]],
  [PIN_MODE.servo, [8, 21]],
])

/** Throws `firmata-pin-cannot` with an issue for each pin that cannot be what it should be, saying what it can. */
export function planOf(name: string, config: FirmataConfig, greeting: Greeting): Plan {
  const issues: Issue[] = []
  const owners = new Map<number, string>()
  let motors = 0
  const pins = Object.entries(config.pins).map(([pinName, each]): PlannedPin => {
    const mode = modeOf(each, greeting)
    const numbers = pinsOf(each).map(([key, named]) => {
      const path = `pins.${pinName}.${key}`
      const number = numberOf(named, greeting)
      const message = wrongWith(named, number, mode, greeting) ?? takenBy(owners, number, pinName)
      if (message !== undefined) issues.push({ path, message })
      return number ?? 0
    })
    const [first = 0] = numbers
    const resolution = greeting.pins[first]?.get(mode) ?? 0
    const channel = greeting.channels[first] ?? 0
    return {
      name: pinName,
      config: each,
      pins: numbers,
      mode,
      steps: 2 ** resolution,
      channel,
      device: each.direction === 'stepper' ? motors++ : 0,
    }
  })
  const i2cPin = config.i2c === undefined ? undefined : i2cPinOf(greeting, owners, issues)
  if (issues.length > 0) throw cannot(name, issues)
  const [first] = pins
  const anchor =
    first === undefined ? { pin: i2cPin ?? 0, mode: PIN_MODE.i2c } : { pin: first.pins[0] ?? 0, mode: first.mode }
  return { pins, anchor }
}

/** All pins of the bus are the bus's, once it is on. */
function i2cPinOf({ pins }: Greeting, owners: ReadonlyMap<number, string>, issues: Issue[]): number | undefined {
  const bus = pins.flatMap((modes, pin) => (modes.has(PIN_MODE.i2c) ? [pin] : []))
  if (bus.length === 0)
    issues.push({ path: 'i2c', message: 'this board has no I2C, or its firmware was built without' })
  for (const pin of bus) {
    const owner = owners.get(pin)
    if (owner !== undefined) issues.push({ path: `pins.${owner}`, message: `pin ${pin} is I2C's once i2c is used` })
  }
  return bus[0]
}

function modeOf(config: PinConfig, greeting: Greeting): number {
  switch (config.direction) {
    case 'in':
      // Before 2.5 the resistor was turned on by writing to an input.
      return config.pull === 'up' && greeting.pins.some((modes) => modes.has(PIN_MODE.pullUp))
        ? PIN_MODE.pullUp
        : PIN_MODE.input
    case 'out':
      return PIN_MODE.output
    case 'pwm':
      return PIN_MODE.pwm
    case 'servo':
      return PIN_MODE.servo
    case 'analog':
      return PIN_MODE.analog
    case 'stepper':
      return PIN_MODE.stepper
  }
}

function numberOf(named: PinName, { channels }: Greeting): number | undefined {
  if (typeof named === 'number') return named
  const number = Number(named.slice(1))
  if (named.startsWith('D')) return number
  const pin = channels.indexOf(number)
  return pin === -1 ? undefined : pin
}

function wrongWith(named: PinName, number: number | undefined, mode: number, greeting: Greeting): string | undefined {
  const { pins, channels } = greeting
  if (number === undefined) {
    const last = Math.max(-1, ...channels.map((channel) => channel ?? -1))
    return last < 0 ? `this board has no analog inputs, so no ${named}` : `this board has A0 to A${last}, no ${named}`
  }
  const modes = pins[number]
  if (modes === undefined) return `this board has the pins 0 to ${pins.length - 1}, no ${named}`
  if (modes.size === 0) return `pin ${named} is not for use on this board: its line to the node, or not connected`
  if (!modes.has(mode))
    return `pin ${named} of this board cannot be ${nameOf(mode)}; it can be ${abilities(modes)}${others(mode, greeting)}`
  const bits = modes.get(mode) ?? 0
  const [least, most] = USABLE_BITS.get(mode) ?? [0, Infinity]
  if (bits < least || bits > most) {
    return `this board says that pin ${named} has a resolution of ${counted(bits)} as ${nameOf(mode)}; ${least} to ${most} can be used: look at its firmware${others(mode, greeting)}`
  }
  if (mode === PIN_MODE.analog && (channels[number] ?? LAST_CHANNEL + 1) > LAST_CHANNEL) {
    return `Firmata reports the channels A0 to A${LAST_CHANNEL}; ${named} is another`
  }
  return number > LAST_PORT_PIN ? `Firmata numbers pins up to ${LAST_PORT_PIN}` : undefined
}

function takenBy(owners: Map<number, string>, number: number | undefined, name: string): string | undefined {
  if (number === undefined) return undefined
  const owner = owners.get(number)
  owners.set(number, owner ?? name)
  return owner === undefined ? undefined : `pin ${number} is pins.${owner} already`
}

const nameOf = (mode: number): string =>
  mode === PIN_MODE.pullUp ? 'in with pull: up' : (MODE_NAMES.get(mode) ?? `mode ${mode}`)

const abilities = (modes: PinModes): string =>
  [...MODE_NAMES].flatMap(([mode, name]) => (modes.has(mode) ? [name] : [])).join(', ') ||
  'nothing that this node knows'

const counted = (bits: number): string => (bits === 1 ? '1 bit' : `${bits} bits`)

/** Where it would work. */
function others(mode: number, { pins }: Greeting): string {
  const [least, most] = USABLE_BITS.get(mode) ?? [0, Infinity]
  const claims = pins.map((modes) => modes.get(mode))
  const able = claims.flatMap((bits, pin) => (bits !== undefined && bits >= least && bits <= most ? [pin] : []))
  if (able.length > 0) return `. Pins that can be ${nameOf(mode)}: ${able.join(', ')}`
  return claims.some((bits) => bits !== undefined) ? '' : '. No pin of it can: its firmware was built without'
}

function cannot(name: string, issues: readonly Issue[]): LabError {
  return new LabError({
    code: 'firmata-pin-cannot',
    kind: 'configuration',
    message: `${name}: ${issues.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    issues,
  })
}
