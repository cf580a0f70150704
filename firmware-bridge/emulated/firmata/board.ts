/**
 * An Arduino Uno with ConfigurableFirmata, at the wire: it keeps its pins between connections, as a board whose USB is its
 * own does, and has them as after a reset once its plug was pulled.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { COMMAND, digitalWrite, PIN_MODE, START_SYSEX, SYSEX, sysex, twoBytes } from '../../firmata/messages.ts'
import type { EmulatedChip } from '../i2c/chip.ts'
import type { Fault, WireDevice, WireEnd } from '../wire-device.ts'
import { cutCommands, type HostCommand } from './commands.ts'
import { createRig } from './rig.ts'
import { Steppers } from './steppers.ts'

export interface FirmataDeviceOptions {
  readonly name: string
  readonly seed: string
  readonly clock: Clock
  readonly instant: boolean
}

const PINS = 20
const FIRST_ANALOG = 14
const PWM_PINS = new Set([3, 5, 6, 9, 10, 11])
const I2C_PINS = new Set([18, 19])
const SAMPLING_MS = 19
const SHORTEST_SAMPLING_MS = 1
const VERSION = Uint8Array.of(COMMAND.version, 2, 6)
const FULL_SCALE = 1024
const SUPPLY_V = 5

const text = (kind: number, ...rest: readonly [...number[], string]): Uint8Array => {
  const words = rest.at(-1) as string
  return sysex(kind, ...(rest.slice(0, -1) as number[]), ...[...words].flatMap((one) => twoBytes(one.charCodeAt(0))))
}
const FIRMWARE = text(SYSEX.firmware, 2, 10, 'ConfigurableFirmata.ino')

const modesOf = (pin: number): number[] => {
  const { input, output, analog, pwm, servo, i2c, stepper, pullUp } = PIN_MODE
  if (pin < 2) return []
  return [
    ...[input, 1, pullUp, 1, output, 1],
    ...(pin >= FIRST_ANALOG ? [analog, 10] : []),
    ...(PWM_PINS.has(pin) ? [pwm, 8] : []),
    ...(pin < FIRST_ANALOG ? [servo, 14, stepper, 21] : []),
    ...(I2C_PINS.has(pin) ? [i2c, 1] : []),
  ]
}

export function createFirmataDevice(options: FirmataDeviceOptions): WireDevice {
  const device = new FirmataDevice(options)
  return {
    name: options.name,
    connect: (end) => device.connect(end),
    setFault: (fault) => device.setFault(fault),
    hangUp: () => device.hangUp(),
  }
}

class FirmataDevice {
  readonly #options: FirmataDeviceOptions
  readonly #rig
  readonly #steppers
  readonly #ends = new Set<WireEnd>()
  #modes: number[] = []
  #states: number[] = []
  #analogReports = new Set<number>()
  #digitalReports = new Map<number, number>()
  #samplingMs = SAMPLING_MS
  #cancelSampling: (() => void) | undefined
  #fault: Fault | undefined
  #faultLeft = 0

  constructor(options: FirmataDeviceOptions) {
    const { clock, seed, instant } = options
    const nowS = () => clock.monotonic() / 1000
    this.#options = options
    this.#rig = createRig({ seed, nowS, instant })
    this.#steppers = new Steppers(clock, (bytes) => this.#say(bytes))
    this.#reset()
  }

  connect(end: WireEnd) {
    this.#ends.add(end)
    const cut = cutCommands()
    return {
      receive: (bytes: Uint8Array) => {
        if (!this.#ends.has(end)) return
        for (const command of cut(bytes)) this.#perform(command)
        this.#reportLevels()
      },
      close: () => {
        this.#ends.delete(end)
        if (this.#ends.size > 0) return
        this.#cancelSampling?.()
        this.#cancelSampling = undefined
      },
    }
  }

  setFault(fault: Fault | undefined): void {
    this.#fault = fault
    this.#faultLeft = fault?.answers ?? Number.POSITIVE_INFINITY
  }

  /** Its power comes through the plug. */
  hangUp(): void {
    for (const end of [...this.#ends]) end.hangUp()
    for (const chip of this.#rig.i2c.values()) chip.powerOn()
    this.#reset()
  }

  #reset(): void {
    this.#modes = Array.from({ length: PINS }, (_, pin) => (pin < FIRST_ANALOG ? PIN_MODE.output : PIN_MODE.analog))
    this.#states = Array.from({ length: PINS }, () => 0)
    this.#analogReports = new Set()
    this.#digitalReports = new Map()
    this.#samplingMs = SAMPLING_MS
    this.#rig.duty(0)
    this.#steppers.reset()
  }

  #perform({ command, channel, data }: HostCommand): void {
    const [first = 0, second = 0] = data
    switch (command) {
      case COMMAND.version:
        this.#say(VERSION)
        return
      case COMMAND.systemReset:
        this.#reset()
        return
      case COMMAND.pinMode:
        this.#setMode(first, second)
        return
      case COMMAND.digital:
        this.#writePort(channel, first | (second << 7))
        return
      case COMMAND.analog:
        this.#writeAnalog(channel, first | (second << 7))
        return
      case COMMAND.reportAnalog:
        if (first === 0) this.#analogReports.delete(channel)
        else this.#analogReports.add(channel)
        this.#sampleLater()
        return
      case COMMAND.reportDigital:
        if (first === 0) this.#digitalReports.delete(channel)
        else this.#reportLevel(channel)
        return
      case START_SYSEX:
        this.#performSysex(first, data.slice(1))
        return
    }
  }

  #performSysex(kind: number, data: readonly number[]): void {
    const [pin = 0, low = 0, high = 0] = data
    switch (kind) {
      case SYSEX.firmware:
        this.#say(FIRMWARE)
        return
      case SYSEX.askCapabilities: {
        const pins = Array.from({ length: PINS }, (_, each) => [...modesOf(each), 0x7f])
        this.#say(sysex(SYSEX.capabilities, ...pins.flat()))
        return
      }
      case SYSEX.askAnalogMapping: {
        const channels = Array.from({ length: PINS }, (_, each) => (each < FIRST_ANALOG ? 0x7f : each - FIRST_ANALOG))
        this.#say(sysex(SYSEX.analogMapping, ...channels))
        return
      }
      case SYSEX.askPinState:
        this.#say(sysex(SYSEX.pinState, pin, this.#modes[pin] ?? 0, ...twoBytes(this.#states[pin] ?? 0)))
        return
      case SYSEX.extendedAnalog:
        this.#writeAnalog(pin, low | (high << 7))
        return
      case SYSEX.samplingInterval:
        this.#samplingMs = Math.max(SHORTEST_SAMPLING_MS, pin | (low << 7))
        this.#sampleLater()
        return
      case SYSEX.servoConfig:
        this.#setMode(pin, PIN_MODE.servo)
        return
      case SYSEX.i2cConfig:
        for (const each of I2C_PINS) this.#setMode(each, PIN_MODE.i2c)
        return
      case SYSEX.i2cRequest:
        this.#transferI2c(data)
        return
      case SYSEX.accelStepper:
        for (const each of this.#steppers.perform(data)) this.#setMode(each, PIN_MODE.stepper)
        return
      default:
        this.#say(text(SYSEX.text, `Unknown command ${kind}`))
        return
    }
  }

  #setMode(pin: number, mode: number): void {
    const modes = modesOf(pin).filter((_, i) => i % 2 === 0)
    if (!modes.includes(mode)) {
      this.#say(text(SYSEX.text, 'Unknown pin mode'))
      return
    }
    this.#modes[pin] = mode
    this.#states[pin] = mode === PIN_MODE.pullUp ? 1 : 0
  }

  #writePort(port: number, bits: number): void {
    for (let bit = 0; bit < 8; bit++) {
      const pin = 8 * port + bit
      if (this.#modes[pin] === PIN_MODE.output) this.#states[pin] = (bits >> bit) & 1
    }
  }

  #writeAnalog(pin: number, value: number): void {
    const mode = this.#modes[pin]
    if (mode !== PIN_MODE.pwm && mode !== PIN_MODE.servo) return
    this.#states[pin] = value
    if (pin === 9 && mode === PIN_MODE.pwm) this.#rig.duty(value / 255)
  }

  #transferI2c([low = 0, how = 0, ...data]: readonly number[]): void {
    if ((how & 0x20) !== 0) {
      this.#say(text(SYSEX.text, '10-bit addressing not supported'))
      return
    }
    const bytes = Uint8Array.from(
      { length: data.length >> 1 },
      (_, i) => (data[2 * i] ?? 0) | ((data[2 * i + 1] ?? 0) << 7),
    )
    const chip = this.#rig.i2c.get(low)
    // What a chip makes of a write, no board says.
    if ((how & 0x18) === 0) chip?.write(bytes)
    else this.#readI2c(low, chip, bytes)
  }

  /** As StandardFirmata 2.5 has it: what a chip does not give is missing from the reply, after a text that says so. */
  #readI2c(address: number, chip: EmulatedChip | undefined, [register = 0, count = 0]: Uint8Array): void {
    chip?.write(Uint8Array.of(register))
    const given = chip?.read(count)
    if (given === undefined) this.#say(text(SYSEX.text, 'I2C: Too few bytes received'))
    const bytes = [...(given ?? [])].flatMap((byte) => twoBytes(byte))
    this.#say(sysex(SYSEX.i2cReply, address, 0, ...twoBytes(register), ...bytes))
  }

  #drivenAt = (pin: number): boolean | undefined =>
    this.#modes[pin] === PIN_MODE.output ? this.#states[pin] === 1 : undefined

  #portLevels(port: number): number {
    let bits = 0
    for (let bit = 0; bit < 8; bit++) {
      const pin = 8 * port + bit
      const mode = this.#modes[pin]
      if (mode !== PIN_MODE.input && mode !== PIN_MODE.pullUp) continue
      if (this.#rig.level(pin, this.#drivenAt) ?? mode === PIN_MODE.pullUp) bits |= 1 << bit
    }
    return bits
  }

  #reportLevel(port: number): void {
    const bits = this.#portLevels(port)
    this.#digitalReports.set(port, bits)
    this.#say(digitalWrite(port, bits))
  }

  #reportLevels(): void {
    for (const [port, last] of this.#digitalReports) if (this.#portLevels(port) !== last) this.#reportLevel(port)
  }

  #sampleLater(): void {
    this.#cancelSampling?.()
    this.#cancelSampling = undefined
    if (this.#analogReports.size === 0 || this.#ends.size === 0) return
    this.#cancelSampling = this.#options.clock.after(this.#samplingMs, () => {
      for (const channel of this.#analogReports) {
        const value = Math.min(FULL_SCALE - 1, Math.floor((this.#rig.volts(channel) / SUPPLY_V) * FULL_SCALE))
        this.#say(Uint8Array.of(COMMAND.analog | channel, ...twoBytes(value)))
      }
      this.#sampleLater()
    })
  }

  #say(bytes: Uint8Array): void {
    const fault = this.#faultLeft > 0 ? this.#fault : undefined
    if (fault !== undefined) this.#faultLeft -= 1
    const told = (given: Uint8Array) => {
      for (const end of this.#ends) end.data(given)
    }
    if (fault === undefined) told(bytes)
    else if (fault.kind === 'slow') this.#options.clock.after(fault.ms, () => told(bytes))
    else if (fault.kind === 'garbage') told(bytes.map((byte) => byte ^ 0x55))
    else if (fault.kind === 'truncated') told(bytes.subarray(0, Math.ceil(bytes.length / 2)))
    else if (fault.kind === 'disconnect') this.hangUp()
  }
}
