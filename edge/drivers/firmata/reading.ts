/** Reads one signal after another of a board that is connected. */
import { askStepperPosition } from '@fernlab/firmware-bridge/firmata/accel-stepper'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Reading, SignalValue } from '../driver.ts'
import type { FirmataConfig } from './config.ts'
import type { FirmataConnection } from './connection.ts'
import { valueOfState } from './outputs.ts'
import type { PlannedPin } from './plan.ts'
import { noAnswer, readRegister } from './register-access.ts'
import { movingOf } from './spec.ts'

export interface ReadingOptions {
  readonly name: string
  readonly config: FirmataConfig
  readonly clock: Clock
}

/** Beyond the sampling interval. */
const REPORT_MS = 3000

/** The value of the signal as it is now: what the board measures next, or answers. */
export async function readSignal(
  connection: FirmataConnection,
  signalName: string,
  { name, config, clock }: ReadingOptions,
  signal: AbortSignal,
): Promise<Reading> {
  const register = config.i2c?.registers[signalName]
  const planned = connection.plan.pins.find((pin) => pin.name === signalName || movingOf(pin.name) === signalName)
  const value =
    register !== undefined
      ? await readRegister(connection, register, { name, signalName, restart: config.i2c?.restart === true, signal })
      : planned === undefined
        ? Number.NaN
        : planned.name !== signalName
          ? connection.moving.has(planned.device)
          : await readPin(connection, planned, { name, config, clock }, signal)
  return { value, time: clock.now() / 1000 }
}

async function readPin(
  connection: FirmataConnection,
  planned: PlannedPin,
  options: ReadingOptions,
  signal: AbortSignal,
): Promise<SignalValue> {
  const { config, mode } = planned
  const [pin = 0] = planned.pins
  const ask = (bytes: () => Uint8Array[] = () => []) =>
    connection.perform({ bytes, pin, what: `read ${planned.name}` }, mode, signal)
  switch (config.direction) {
    case 'in': {
      // A change is reported as it is seen, so before this answer.
      await ask()
      return (((connection.board.levels(pin >> 3) >> (pin & 7)) & 1) === 1) !== config.activeLow
    }
    case 'analog':
      // Reports that were still on their way when this was asked come before the answer, and are too old.
      await ask()
      return await readAnalog(connection, planned, config, options, signal)
    case 'stepper': {
      const { heard } = await ask(() => [askStepperPosition(planned.device)])
      const said = heard.findLast((message) => message.kind === 'stepper-position' && message.device === planned.device)
      if (said?.kind !== 'stepper-position') throw noAnswer(options.name, `position of ${planned.name}`, heard)
      return Number((said.steps / config.stepsPerUnit).toPrecision(14))
    }
    default:
      return valueOfState(planned, (await ask()).state.state)
  }
}

async function readAnalog(
  { board }: FirmataConnection,
  { name, channel, steps }: PlannedPin,
  { zero, full }: { readonly zero: number; readonly full: number },
  options: ReadingOptions,
  signal: AbortSignal,
): Promise<number> {
  const ms = options.config.samplingMs + REPORT_MS
  const late = () =>
    new LabError({
      code: 'board-silent',
      kind: 'link',
      retry: 'later',
      message: `${options.name} has reported no ${name} for ${ms / 1000} s`,
    })
  const { value } = await withDeadline(options.clock, ms, signal, late, (within) =>
    board.next('analog', (message) => message.channel === channel, within),
  ).catch((thrown) => {
    // It has stopped reporting, whatever else it answers.
    if (thrown instanceof LabError && thrown.code === 'board-silent') board.fail(thrown)
    throw thrown
  })
  return Number((zero + ((full - zero) * value) / steps).toPrecision(14))
}
