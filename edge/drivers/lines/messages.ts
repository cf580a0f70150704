/** What a description says, as messages and as answers that are understood. */
import type { Order, Question } from '@fernlab/firmware-bridge/lines/session'
import { garbled, type ReplySource } from '@fernlab/firmware-bridge/scpi/replies'
import type { Message } from '@fernlab/firmware-bridge/sessions/connection'
import { shownMessage } from '@fernlab/firmware-bridge/sessions/connection'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type Finder, finderOf } from '@fernlab/shared/protocol/patterns'
import { fill, parseValue } from '../described/templates.ts'
import type { SignalValue } from '../driver.ts'
import type { LineAnswer, LineCommand, LineDescription, LineMessage, LineSignal } from './description.ts'

type Values = Readonly<Record<string, SignalValue>>

/** What numbers and names go on after: a digit, a sign, a point, letters. */
const CUT_OFF: readonly string[] = ['1', '-', '.', 'a', 'A']

/** The bytes of `FF 01 86`. */
export const bytesOf = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex')

/** A message of a description with its names replaced. */
export const messageOf = (message: LineMessage, values: Values): Message =>
  typeof message === 'string' ? fill(message, values) : bytesOf(message.hex)

/** Makes orders and questions of a description; each pattern is compiled once. */
export class LineMessages {
  readonly #instrument: string
  readonly #description: LineDescription
  readonly #finders = new Map<string, Finder>()

  constructor(instrument: string, description: LineDescription) {
    this.#instrument = instrument
    this.#description = description
  }

  /** A command of a description with its names replaced. */
  command(command: LineCommand, values: Values, timeoutMs?: number): Order {
    const limit = timeoutMs === undefined ? {} : { timeoutMs }
    if (typeof command === 'string') return this.order(fill(command, values), undefined, limit)
    if ('send' in command) return this.order(fill(command.send, values), command.answer, limit)
    const { hex, answer, bytes } = command
    return this.order(bytesOf(hex), answer, { ...limit, ...(bytes === undefined ? {} : { bytes }) })
  }

  /** A message with what is said to it; without an answer of its own, what `acknowledge` says. */
  order(message: Message, answer: LineAnswer | undefined, rest: Pick<Order, 'timeoutMs' | 'bytes'> = {}): Order {
    const wanted = answer ?? this.#description.acknowledge ?? 'none'
    if (wanted === 'none') return { message, ...rest }
    return { message, ...rest, parse: (text) => this.#found(message, wanted.pattern, wanted.refused, text) }
  }

  /** The question that tells who it is, or, where it cannot be asked that, the first that reads a signal. */
  hello(settings: Values): Question<string> | undefined {
    const { identity, signals } = this.#description
    const asked = identity ?? Object.values(signals).find(({ query }) => query !== undefined)
    if (asked?.query === undefined || asked.pattern === undefined) return undefined
    const message = messageOf(asked.query, settings)
    const { pattern, bytes } = asked
    const limitMs = 'timeoutMs' in asked ? asked.timeoutMs : undefined
    return {
      message,
      ...(bytes === undefined ? {} : { bytes }),
      ...(limitMs === undefined ? {} : { timeoutMs: limitMs }),
      parse: (text) => {
        this.#found(message, pattern, undefined, text)
        return text
      },
    }
  }

  /** The signal's value in an answer; throws `reply-garbled`, or `instrument-refused` for a refusal. */
  value(message: Message, signal: LineSignal, text: string): SignalValue {
    const { pattern = '' } = signal
    const source = { instrument: this.#instrument, command: shownMessage(message) }
    if (!isWhole(signal, text)) throw garbled(text, source, 'an answer whose check byte is right')
    const found = this.#found(message, pattern, this.#description.acknowledge?.refused, text)
    return parseValue(signal, plain(signal, found, text, source), source)
  }

  /** What makes the value, where the line is one in which the signal says it by itself; it throws as `value`. */
  said(signal: LineSignal, line: string): (() => SignalValue) | undefined {
    const found = signal.says === undefined ? undefined : this.#finder(signal.says)(line)
    if (found === undefined) return undefined
    const source = { instrument: this.#instrument, command: 'nothing, unasked' }
    return () => parseValue(signal, plain(signal, found, line, source), source)
  }

  /** Whether the line may be the rest of another: with something before it, the signal would be said to be something else. */
  mayBeRest(signal: LineSignal, line: string): boolean {
    if (signal.says === undefined) return false
    const find = this.#finder(signal.says)
    const found = find(line)
    return CUT_OFF.some((before) => ![undefined, found].includes(find(before + line)))
  }

  #found(message: Message, pattern: string, refused: string | undefined, text: string): string {
    const found = this.#finder(pattern)(text)
    if (found !== undefined) return found
    const source = { instrument: this.#instrument, command: shownMessage(message) }
    const reason = refused === undefined ? undefined : this.#finder(refused)(text)
    if (reason === undefined) throw garbled(text, source, `what fits ${pattern}`)
    throw new LabError({
      code: 'instrument-refused',
      kind: 'instrument',
      message: `${source.instrument} refused ${source.command}: ${reason === '' ? text : reason}`,
      studentMessage: 'An instrument refused a setting. The staff can see which one in the log.',
      details: { ...source, errorText: text },
    })
  }

  #finder(pattern: string): Finder {
    const known = this.#finders.get(pattern)
    if (known !== undefined) return known
    const made = finderOf(pattern)
    this.#finders.set(pattern, made)
    return made
  }
}

/** Whether the check byte, where there is one, is right; `text` is the bytes' hexadecimal digits. */
function isWhole({ checksum }: LineSignal, text: string): boolean {
  if (checksum === undefined) return true
  const { kind, from, at } = checksum
  const bytes = Buffer.from(text, 'hex')
  const of = bytes.subarray(from, at)
  const sum = of.reduce((total, byte) => (kind === 'xor' ? total ^ byte : total + byte), 0)
  return ((kind === 'negated-sum' ? -sum : sum) & 0xff) === bytes[at]
}

const plain = ({ number }: LineSignal, found: string, text: string, source: ReplySource): string =>
  number === 'decimal' ? found : fromHex(found, number === 'signed-hex', text, source)

/** Up to 12 digits, in two's complement where signed, as a decimal number. */
function fromHex(digits: string, signed: boolean, text: string, source: ReplySource): string {
  if (!/^[0-9a-fA-F]{1,12}$/.test(digits)) throw garbled(text, source, 'hexadecimal digits')
  const value = Number.parseInt(digits, 16)
  const range = 16 ** digits.length
  return String(signed && value >= range / 2 ? value - range : value)
}
