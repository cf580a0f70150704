/** One connection to a board whose pins are as node.yaml has them. */
import {
  stepperAcceleration,
  stepperConfigure,
  stepperEnable,
  stepperSpeed,
} from '@fernlab/firmware-bridge/firmata/accel-stepper'
import { type Answer, type Command, FirmataBoard } from '@fernlab/firmware-bridge/firmata/firmata-board'
import { type Greeting, greet } from '@fernlab/firmware-bridge/firmata/greeting'
import {
  i2cConfig,
  PIN_MODE,
  reportAnalog,
  reportDigital,
  samplingInterval,
  servoConfig,
  setPinMode,
  systemReset,
} from '@fernlab/firmware-bridge/firmata/messages'
import type { Losable } from '@fernlab/firmware-bridge/sessions/reconnecting'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { ResetWatch } from '../board/reset-watch.ts'
import type { DriverContext } from '../driver.ts'
import type { FirmataConfig } from './config.ts'
import { Outputs } from './outputs.ts'
import { type Plan, type PlannedPin, planOf } from './plan.ts'
import { writeRegister } from './register-access.ts'
import { accelerationOf, enabledOf, speedOf } from './spec.ts'

type Context = Pick<DriverContext, 'name' | 'clock' | 'log' | 'openTransport'>

export interface FirmataConnection extends Losable {
  readonly board: FirmataBoard
  readonly greeting: Greeting
  readonly plan: Plan
  readonly outputs: Outputs
  /** Motors on their way, by number, and to which step; undefined for wherever they will stand. */
  readonly moving: Map<number, number | undefined>
  /** What motors were told that no board says again: speeds, accelerations, whether they hold; by signal, in its unit. */
  readonly told: Map<string, number | boolean>
  /** What was last written to registers of chips, by chip and register. */
  readonly written: Map<string, Uint8Array>
  /** As the board's; a pin that is not what it was made rejects with `board-reset` and ends the connection. */
  perform(command: Command, mode: number, signal: AbortSignal): Promise<Answer>
}

/** Connects, asks what the pins can be, and makes them what they should be; rejects with nothing left open. */
export async function connectFirmata(
  config: FirmataConfig,
  context: Context,
  resets: ResetWatch,
  signal: AbortSignal,
): Promise<FirmataConnection> {
  const { name, clock, log, openTransport } = context
  const board = new FirmataBoard({ board: name, clock, transport: await openTransport(config.transport, signal) })
  try {
    const greeting = await greet(board, context, signal)
    const plan = planOf(name, config, greeting)
    const connection = made(board, greeting, plan, { name, clock, resets })
    board.markKnown()
    board.listen((message) => {
      if (message.kind === 'text') log.debug({ instrument: name, text: message.text }, 'a board says')
      if (message.kind === 'stepper-done') arrived(connection.moving, message)
    })
    await configure(connection, config, name, signal)
    await quiet(connection, resets, context, signal)
    return connection
  } catch (thrown) {
    await board.close()
    throw thrown
  }
}

/** Where a motor was sent on its way it is not yet, though it says that it has got where it was sent before. */
function arrived(moving: Map<number, number | undefined>, { device, steps }: { device: number; steps: number }): void {
  const target = moving.get(device)
  if (target === undefined || target === steps) moving.delete(device)
}

const toldOf = ({ pins }: Plan): FirmataConnection['told'] =>
  new Map(
    pins.flatMap(({ name, config }): [string, number | boolean][] =>
      config.direction === 'stepper'
        ? [
            [speedOf(name), config.speed],
            [accelerationOf(name), config.acceleration],
            [enabledOf(name), true],
          ]
        : [],
    ),
  )

function made(
  board: FirmataBoard,
  greeting: Greeting,
  plan: Plan,
  { name, clock, resets }: Pick<Context, 'name' | 'clock'> & { readonly resets: ResetWatch },
): FirmataConnection {
  const listeners: ((reason: LabError | undefined) => void)[] = []
  let ended: { readonly reason: LabError | undefined } | undefined
  board.onClose((reason) => {
    const now = clock.monotonic()
    if (reason?.code === 'board-reset') resets.saw(now, undefined)
    const often = reason?.code === 'board-reset' ? resets.reason(now) : undefined
    ended = { reason: often === undefined ? reason : startedAnew(name, often) }
    for (const listener of listeners) listener(ended.reason)
  })
  return {
    board,
    greeting,
    plan,
    outputs: new Outputs(),
    moving: new Map(),
    told: toldOf(plan),
    written: new Map(),
    onClose: (listener) => {
      if (ended === undefined) listeners.push(listener)
      else listener(ended.reason)
    },
    close: () => board.close(),
    perform: async (command, mode, signal) => {
      const answer = await board.perform(command, signal)
      if (answer.state.mode === mode) return answer
      const reason = startedAnew(
        name,
        `pin ${answer.state.pin} is not what it was made (mode ${answer.state.mode}, not ${mode}): the board has started anew, or its firmware cannot do this`,
      )
      board.fail(reason)
      throw reason
    },
  }
}

async function configure(
  connection: FirmataConnection,
  config: FirmataConfig,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const { board, plan, greeting } = connection
  const { anchor } = plan
  const start = () => [systemReset(), samplingInterval(config.samplingMs)]
  await board.perform({ bytes: start, pin: anchor.pin, what: 'all pins as after a reset' }, signal)
  for (const planned of plan.pins) {
    const [pin = 0] = planned.pins
    const bytes = () => configuring(planned, connection.outputs)
    await connection.perform({ bytes, pin, what: `pin ${pin} for ${planned.name}` }, planned.mode, signal)
  }
  const { i2c } = config
  if (i2c !== undefined) {
    const pin = greeting.pins.findIndex((modes) => modes.has(PIN_MODE.i2c))
    const command = { bytes: () => [i2cConfig(i2c.delayUs)], pin, what: 'I2C on' }
    await connection.perform(command, PIN_MODE.i2c, signal)
    // In the order of node.yaml: a chip's mode may have to come before its values.
    for (const [signalName, register] of Object.entries(i2c.registers)) {
      const value = register.initial ?? register.safe
      if (value === undefined) continue
      await writeRegister(connection, register, value, { name, signalName, restart: i2c.restart, signal })
    }
  }
  for (const report of reports(plan)) {
    await connection.perform({ bytes: () => [report], pin: anchor.pin, what: 'reports on' }, anchor.mode, signal)
  }
}

function configuring(planned: PlannedPin, outputs: Outputs): Uint8Array[] {
  const { config, pins, mode, device } = planned
  const [pin = 0, second = 0, third] = pins
  const become = setPinMode(pin, mode)
  switch (config.direction) {
    case 'in': {
      const isOldPull = config.pull === 'up' && mode === PIN_MODE.input
      return isOldPull ? [become, outputs.level(pin, true)] : [become]
    }
    case 'analog':
      return [become]
    case 'out':
      return [become, ...outputs.set(planned, config.initial ?? config.safe)]
    case 'pwm':
      return [become, ...outputs.set(planned, config.initial ?? config.safe)]
    case 'servo': {
      const { minPulseUs, maxPulseUs, initial } = config
      return [servoConfig(pin, minPulseUs, maxPulseUs), become, ...outputs.set(planned, initial)]
    }
    case 'stepper': {
      const steps = Math.abs(config.stepsPerUnit)
      const enable = third === undefined ? {} : { enablePin: third, isEnabledLow: config.enableActiveLow }
      const driver = { stepPin: pin, directionPin: second, ...enable }
      return [
        stepperConfigure(device, driver),
        stepperSpeed(device, config.speed * steps),
        stepperAcceleration(device, config.acceleration * steps),
        ...(third === undefined ? [] : [stepperEnable(device, true)]),
      ]
    }
  }
}

function reports({ pins }: Plan): Uint8Array[] {
  const ports = new Set<number>()
  const channels = new Set<number>()
  for (const { config, pins: numbers, channel } of pins) {
    if (config.direction === 'in') ports.add((numbers[0] ?? 0) >> 3)
    if (config.direction === 'analog') channels.add(channel)
  }
  return [...[...ports].map(reportDigital), ...[...channels].map(reportAnalog)]
}

/** A board that starts anew again and again must run for a while before it counts as there. */
async function quiet(
  connection: FirmataConnection,
  resets: ResetWatch,
  { clock }: Context,
  signal: AbortSignal,
): Promise<void> {
  const quietMs = resets.quietMs(clock.monotonic())
  if (quietMs === 0) return
  const unrest = new AbortController()
  connection.onClose((reason) => unrest.abort(reason))
  await clock.sleep(quietMs, AbortSignal.any([signal, unrest.signal]))
}

function startedAnew(name: string, how: string): LabError {
  return new LabError({ code: 'board-reset', kind: 'link', retry: 'later', message: `${name}: ${how}` })
}
