/** Sets one signal of a board that is connected. */
import {
  stepperAcceleration,
  stepperEnable,
  stepperSpeed,
  stepperStop,
  stepperTo,
} from '@fernlab/firmware-bridge/firmata/accel-stepper'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { SignalValue } from '../driver.ts'
import type { FirmataConfig } from './config.ts'
import type { FirmataConnection } from './connection.ts'
import { stateOf } from './outputs.ts'
import { type PlannedPin, plannedFor } from './plan.ts'
import { writeRegister } from './register-access.ts'
import { enabledOf, speedOf } from './spec.ts'

export interface Setting {
  readonly name: string
  /** For a motor, anything but a number has it stand. */
  readonly value: SignalValue
}

export interface SettingUse {
  /** The board, as people call it. */
  readonly name: string
  readonly config: FirmataConfig
  readonly signal: AbortSignal
  /** Sent at once, whatever is not answered yet. */
  readonly isUrgent: boolean
}

/** Resolves when the board has the value; `instrument-refused` where it then says another. */
export async function setSignal(connection: FirmataConnection, setting: Setting, use: SettingUse): Promise<void> {
  const { config, name, signal, isUrgent } = use
  const register = config.i2c?.registers[setting.name]
  if (register !== undefined) {
    const restart = config.i2c?.restart === true
    const registerUse = { name, signalName: setting.name, restart, signal, isUrgent }
    await writeRegister(connection, register, Number(setting.value), registerUse)
    return
  }
  const pin = plannedFor(connection.plan, setting.name)
  if (pin.name === setting.name) await setPin(connection, pin, setting.value, use)
  else await setMotor(connection, pin, setting, use)
}

/** How fast a motor goes from now on, also where it is on its way; and whether it holds: one that lets go is stopped. */
async function setMotor(
  connection: FirmataConnection,
  pin: PlannedPin,
  setting: Setting,
  { signal, isUrgent }: SettingUse,
): Promise<void> {
  const { config, pins, device } = pin
  if (config.direction !== 'stepper') return
  const [number = 0] = pins
  const value = typeof setting.value === 'boolean' ? setting.value : Number(setting.value)
  const bytes = () => {
    connection.told.set(setting.name, value)
    if (value === false) return [...standing(connection, pin, stepperStop), stepperEnable(device, false)]
    if (value === true) return [stepperEnable(device, true)]
    const steps = value * Math.abs(config.stepsPerUnit)
    return [setting.name === speedOf(pin.name) ? stepperSpeed(device, steps) : stepperAcceleration(device, steps)]
  }
  const command = { bytes, pin: number, what: `set ${setting.name} to ${value}`, isUrgent }
  await connection.perform(command, pin.mode, signal)
}

async function setPin(
  connection: FirmataConnection,
  pin: PlannedPin,
  value: SignalValue,
  { name, signal, isUrgent }: SettingUse,
): Promise<void> {
  const [number = 0] = pin.pins
  // It would count steps that it does not make.
  if (typeof value === 'number' && connection.told.get(enabledOf(pin.name)) === false) throw isOff(name, pin.name)
  const bytes = () => bytesToSet(connection, pin, value)
  const command = { bytes, pin: number, what: `set ${pin.name} to ${value}`, isUrgent }
  const { state, heard } = await connection.perform(command, pin.mode, signal)
  if (pin.config.direction === 'stepper' || state.state === stateOf(pin, value)) return
  const said = heard.flatMap((message) => (message.kind === 'text' ? [`; it says: ${message.text}`] : []))
  throw new LabError({
    code: 'instrument-refused',
    kind: 'instrument',
    message: `${name} did not take ${value} for ${pin.name}${said.join('')}`,
    details: { instrument: name },
  })
}

function bytesToSet(connection: FirmataConnection, pin: PlannedPin, value: SignalValue): Uint8Array[] {
  if (pin.config.direction !== 'stepper') return connection.outputs.set(pin, value)
  if (typeof value !== 'number') return standing(connection, pin, stepperStop)
  const steps = Math.round(value * pin.config.stepsPerUnit)
  connection.moving.set(pin.device, steps)
  return [stepperTo(pin.device, steps)]
}

/** What has a motor stand: stopped, or zeroed. */
export function standing(
  { moving }: FirmataConnection,
  { device }: PlannedPin,
  tell: (device: number) => Uint8Array,
): Uint8Array[] {
  if (moving.has(device)) moving.set(device, undefined)
  return [tell(device)]
}

function isOff(instrument: string, name: string): LabError {
  return new LabError({
    code: 'motor-off',
    kind: 'caller',
    message: `${instrument} cannot move ${name} while it holds nothing: set ${enabledOf(name)} first`,
    details: { instrument },
  })
}

/** As the node ends. Motors stand; servos stay, as there is no angle that is safe for all. */
export function safeSettings({ pins, i2c }: FirmataConfig): Setting[] {
  const ofPins = Object.entries(pins).flatMap(([name, config]): Setting[] => {
    if (config.direction === 'out' || config.direction === 'pwm') return [{ name, value: config.safe }]
    return config.direction === 'stepper' ? [{ name, value: false }] : []
  })
  const ofRegisters = Object.entries(i2c?.registers ?? {}).flatMap(([name, { safe }]) =>
    safe === undefined ? [] : [{ name, value: safe }],
  )
  return [...ofPins, ...ofRegisters]
}
