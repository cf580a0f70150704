/** Reads one signal after another of a board that is connected. */
import { askStepperPosition } from '@fernlab/firmware-bridge/firmata/accel-stepper'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Reading, SignalValue } from '../driver.ts'
import type { FirmataConfig } from './config.ts'
import type { FirmataConnection } from './connection.ts'
import { valueOfState } from './outputs.ts'
import { type PlannedPin, plannedFor } from './plan.ts'
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
  const value = await valueAt(connection, signalName, { name, config, clock }, signal)
  return { value, time: clock.now() / 1000 }
}

async function valueAt(
  connection: FirmataConnection,
  signalName: string,
  options: ReadingOptions,
  signal: AbortSignal,
): Promise<SignalValue> {
  const { name, config } = options
  const register = config.i2c?.registers[signalName]
  if (register !== undefined) {
    const restart = config.i2c?.restart === true
    return await readRegister(connection, register, { name, signalName, restart, signal })
  }
  const planned = plannedFor(connection.plan, signalName)
  if (planned.name === signalName) return await readPin(connection, planned, options, signal)
  if (movingOf(planned.name) === signalName) return connection.moving.has(planned.device)
  // No board says it: what it was told, if it is there.
  const [pin = 0] = planned.pins
  await connection.perform({ bytes: () => [], pin, what: `read ${signalName}` }, planned.mode, signal)
  return connection.told.get(signalName) ?? Number.NaN
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
  if (value >= steps) throw tooMuch(options.name, name, value, steps)
  return Number((zero + ((full - zero) * value) / steps).toPrecision(14))
}

function tooMuch(board: string, name: string, value: number, steps: number): LabError {
  return new LabError({
    code: 'reply-garbled',
    kind: 'instrument',
    retry: 'later',
    message: `${board} reports ${value} for ${name}, of which it says that it has ${Math.log2(steps)} bits; look at its firmware`,
    studentMessage: 'An instrument gave an answer that makes no sense. What was measured until then is kept.',
    details: { instrument: board },
  })
}
