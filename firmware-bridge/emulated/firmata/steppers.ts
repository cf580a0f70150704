/** The AccelStepper part of an emulated board (firmata/protocol, accelStepperFirmata.md). */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { SYSEX, sysex } from '../../firmata/messages.ts'
import { StepperMotor } from './stepper-motor.ts'

/** How often a motor that moves is looked at. */
const LOOK_MS = 5

export class Steppers {
  readonly #clock: Clock
  readonly #say: (bytes: Uint8Array) => void
  readonly #motors = new Map<number, StepperMotor>()
  readonly #looking = new Map<number, () => void>()

  constructor(clock: Clock, say: (bytes: Uint8Array) => void) {
    this.#clock = clock
    this.#say = say
  }

  reset(): void {
    for (const cancel of this.#looking.values()) cancel()
    this.#looking.clear()
    this.#motors.clear()
  }

  /** Does what the message says; gives the pins that are a motor's from now on. */
  perform([command = 0, device = 0, ...data]: readonly number[]): readonly number[] {
    if (command === 0) {
      this.#motors.set(device, new StepperMotor(() => this.#clock.monotonic() / 1000))
      return data.slice(1)
    }
    const motor = this.#motors.get(device)
    if (motor === undefined) return []
    switch (command) {
      case 1:
        motor.zero()
        break
      case 3:
        motor.to(steps(data))
        this.#follow(device, motor)
        break
      case 5:
        motor.stop()
        break
      case 6:
        this.#tell(6, device, motor)
        break
      case 8:
        motor.acceleration = float(data)
        break
      case 9:
        motor.topSpeed = float(data)
        break
    }
    return []
  }

  #follow(device: number, motor: StepperMotor): void {
    this.#looking.get(device)?.()
    const look = () => {
      if (motor.moves) {
        this.#looking.set(device, this.#clock.after(LOOK_MS, look))
        return
      }
      this.#looking.delete(device)
      this.#tell(0x0a, device, motor)
    }
    look()
  }

  #tell(command: number, device: number, motor: StepperMotor): void {
    this.#say(sysex(SYSEX.accelStepper, command, device, ...told(motor.position())))
  }
}

/** As AccelStepperFirmata.cpp has it: a size of 28 bits, and bit 3 of the last byte for a negative one. */
function steps([a = 0, b = 0, c = 0, d = 0, last = 0]: readonly number[]): number {
  const size = a | (b << 7) | (c << 14) | (d << 21)
  return last >> 3 === 1 ? -size : size
}

/** And as it is said: 31 bits. */
function told(position: number): number[] {
  const size = Math.abs(position)
  const bytes = [0, 7, 14, 21].map((shift) => (size >> shift) & 0x7f)
  return [...bytes, (size >> 28) | (position < 0 ? 0x08 : 0)]
}

function float([a = 0, b = 0, c = 0, d = 0]: readonly number[]): number {
  const significand = a | (b << 7) | (c << 14) | ((d & 3) << 21)
  return significand * 10 ** (((d >> 2) & 15) - 11) * ((d & 0x40) === 0 ? 1 : -1)
}
