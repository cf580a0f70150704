/** Values of outputs as the messages that set them, and back. */
import { analogWrite, digitalWrite } from '@fernlab/firmware-bridge/firmata/messages'
import type { SignalValue } from '../driver.ts'
import type { PlannedPin } from './plan.ts'

/** INVARIANT: a message of levels is for all eight pins of a port, so those of the others are in it as they were last set. */
export class Outputs {
  readonly #levels = new Map<number, number>()

  /** Sets the level of one pin of a port. */
  level(pin: number, high: boolean): Uint8Array {
    const port = pin >> 3
    const before = this.#levels.get(port) ?? 0
    const bits = high ? before | (1 << (pin & 7)) : before & ~(1 << (pin & 7))
    this.#levels.set(port, bits)
    return digitalWrite(port, bits)
  }

  /** What sets an output, a PWM or a servo to a value in its unit. */
  set(planned: PlannedPin, value: SignalValue): Uint8Array[] {
    const [pin = 0] = planned.pins
    const state = stateOf(planned, value)
    return [planned.config.direction === 'out' ? this.level(pin, state === 1) : analogWrite(pin, state)]
  }
}

/** What the board says of a pin that was set to the value. */
export function stateOf({ config, steps }: PlannedPin, value: SignalValue): number {
  switch (config.direction) {
    case 'out':
      return (value === true) !== config.activeLow ? 1 : 0
    case 'pwm':
      return Math.round((Number(value) / 100) * (steps - 1))
    default:
      return Math.round(Number(value))
  }
}

/** The value, in its unit, of a pin of which the board says that. */
export function valueOfState({ config, steps }: PlannedPin, state: number): SignalValue {
  switch (config.direction) {
    case 'out':
      return (state !== 0) !== config.activeLow
    case 'pwm':
      return Number(((100 * state) / (steps - 1)).toPrecision(14))
    default:
      return state
  }
}
