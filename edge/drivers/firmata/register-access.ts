/** Reads and writes registers of I2C chips at a board. */
import type { Answer, Command } from '@fernlab/firmware-bridge/firmata/firmata-board'
import { i2cRead, i2cWrite } from '@fernlab/firmware-bridge/firmata/messages'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { RegisterConfig } from './register-config.ts'
import { bytesFor, bytesOf, valueIn } from './registers.ts'

/** What of a connection is needed for that. */
export interface Bus {
  readonly plan: { readonly anchor: { readonly pin: number; readonly mode: number } }
  /** What was last written to registers on this connection, by chip and register. */
  readonly written: Map<string, Uint8Array>
  perform(command: Command, mode: number, signal: AbortSignal): Promise<Answer>
}

export interface RegisterUse {
  /** The board, as people call it. */
  readonly name: string
  readonly signalName: string
  /** Without a stop between the register's address and its bytes. */
  readonly restart: boolean
  readonly signal: AbortSignal
  /** Sent at once, whatever is not answered yet. */
  readonly isUrgent?: boolean
}

/** The register's value as it is now; rejects with `firmata-no-answer` where the chip does not give it. */
export async function readRegister(bus: Bus, register: RegisterConfig, use: RegisterUse): Promise<number> {
  return valueIn(register, await bytesAt(bus, register, use, () => {}))
}

/**
 * Writes a value, and resolves when the board has and, where the register can be read, the chip gives it back; rejects
 * with `firmata-no-answer` where no chip does, and `instrument-refused` where it gives another.
 */
export async function writeRegister(
  bus: Bus,
  register: RegisterConfig,
  value: number,
  use: RegisterUse,
): Promise<void> {
  const { address, register: at } = register
  const { anchor } = bus.plan
  const key = `${address}/${at}`
  const bytes = bytesFor(register, value)
  const write = () => {
    bus.written.set(key, bytes)
    return [i2cWrite({ address, register: at, bytes })]
  }
  const what = `set ${use.signalName} to ${value}`
  const command = { bytes: write, pin: anchor.pin, what, isUrgent: use.isUrgent === true }
  const { heard } = await bus.perform(command, anchor.mode, use.signal)
  if (toldOfI2c(heard)) throw unanswered(use, register, heard)
  if (register.access === 'set') return
  // Another set of the register may have followed before this is asked for.
  let expected = bytes
  const given = await bytesAt(bus, register, use, () => {
    expected = bus.written.get(key) ?? bytes
  })
  if (Buffer.compare(given, expected) !== 0) throw refused(use, value, valueIn(register, given))
}

async function bytesAt(bus: Bus, register: RegisterConfig, use: RegisterUse, onSent: () => void): Promise<Uint8Array> {
  const { anchor } = bus.plan
  const { address, register: at } = register
  const count = bytesOf(register)
  const bytes = () => {
    onSent()
    return [i2cRead({ address, register: at, count, restart: use.restart })]
  }
  const command = { bytes, pin: anchor.pin, what: `read ${nameOf(register)}`, isUrgent: use.isUrgent === true }
  const { heard } = await bus.perform(command, anchor.mode, use.signal)
  const reply = heard.find(
    (message) =>
      message.kind === 'i2c-reply' &&
      message.address === address &&
      message.register === at &&
      message.bytes.length === count,
  )
  // Old firmware sends what it read before where a chip does not answer, but says so first.
  if (toldOfI2c(heard) || reply?.kind !== 'i2c-reply') throw unanswered(use, register, heard)
  return reply.bytes
}

const toldOfI2c = (heard: Answer['heard']): boolean =>
  heard.some((message) => message.kind === 'text' && /^I2C/.test(message.text))

const nameOf = ({ address, register }: RegisterConfig): string =>
  `register ${register} of the chip at 0x${address.toString(16)}`

/** The board's chip, or motor, gives nothing. */
export function noAnswer(name: string, what: string, heard: Answer['heard']): LabError {
  const texts = heard.flatMap((message) => (message.kind === 'text' ? [message.text] : []))
  const said = texts.length === 0 ? '' : ` (the board says: ${texts.join('; ')})`
  return new LabError({
    code: 'firmata-no-answer',
    kind: 'instrument',
    retry: 'later',
    message: `${name} gives no ${what}${said}; look at its wires and its address`,
    studentMessage: 'A part of this bench does not answer.',
    details: { instrument: name },
  })
}

const unanswered = ({ name }: RegisterUse, register: RegisterConfig, heard: Answer['heard']): LabError =>
  noAnswer(name, nameOf(register), heard)

function refused({ name, signalName }: RegisterUse, value: number, given: number): LabError {
  return new LabError({
    code: 'instrument-refused',
    kind: 'instrument',
    message: `${name} did not take ${value} for ${signalName}: the chip gives ${given} back; a register that reads otherwise than it is written has \`access: set\``,
    details: { instrument: name },
  })
}
