/** SCPI headers as an instrument understands them: `[SOURce:]VOLTage[:LEVel]`, short or long, any case (SCPI-99, 6.2). */

export interface Message {
  /** Arguments as text, trimmed; quotes kept. */
  readonly args: readonly string[]
  /**
   * Lets the instrument work for so long and gives the moment at which it is done, ms of the clock's monotonic time.
   * That moment counts from when the message came, however late this process gets to run: as on a real instrument.
   */
  readonly spend: (ms: number) => Promise<number>
}

/** Answers a question with a text or a promise of one; a command answers nothing. */
export type Handler = (message: Message) => string | undefined | Promise<string | undefined>

/** Headers to handlers; a header that ends in `?` is a question. */
export type CommandTable = Readonly<Record<string, Handler>>

/** An error for the queue, thrown by handlers. */
export class ScpiFault {
  readonly code: number
  readonly text: string
  constructor(code: number, text: string) {
    this.code = code
    this.text = text
  }
}

interface Compiled {
  readonly pattern: RegExp
  readonly handler: Handler
}

/** Finds the handler of a header. */
export class HeaderTree {
  readonly #entries: readonly Compiled[]

  constructor(table: CommandTable) {
    this.#entries = Object.entries(table).map(([header, handler]) => ({ pattern: compileHeader(header), handler }))
  }

  find(header: string): Handler | undefined {
    return this.#entries.find((entry) => entry.pattern.test(header))?.handler
  }
}

/** `VOLTage` → `VOLT(?:AGE)?`; `[:LEVel]` → optional. */
function compileHeader(header: string): RegExp {
  const source = header
    .replace(/[*?]/g, '\\$&')
    .replaceAll('[', '(?:')
    .replaceAll(']', ')?')
    .replace(/([A-Z]+)([a-z]+)/g, (_, short: string, rest: string) => `${short}(?:${rest.toUpperCase()})?`)
  return new RegExp(`^:?${source}$`, 'i')
}

/** One program message unit: header and arguments. */
export interface Unit {
  readonly header: string
  readonly args: readonly string[]
}

/** Splits a program message at `;` and makes each header absolute (SCPI-99, 6.2.4). */
export function splitMessage(line: string): Unit[] {
  const units: Unit[] = []
  let path = ''
  for (const piece of splitOutsideQuotes(line, ';')) {
    const text = piece.trim()
    if (text === '') continue
    const space = text.search(/\s/)
    const written = space === -1 ? text : text.slice(0, space)
    const args = space === -1 ? [] : splitOutsideQuotes(text.slice(space + 1), ',').map((arg) => arg.trim())
    const absolute = written.startsWith('*') || written.startsWith(':')
    const header = absolute ? written.replace(/^:/, '') : path + written
    units.push({ header, args })
    if (!written.startsWith('*')) path = header.slice(0, header.lastIndexOf(':') + 1)
  }
  return units
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = []
  let part = ''
  let quote: string | undefined
  for (const char of text) {
    if (quote === undefined && char === separator) {
      parts.push(part)
      part = ''
      continue
    }
    if (quote === char) quote = undefined
    else if (quote === undefined && (char === '"' || char === "'")) quote = char
    part += char
  }
  parts.push(part)
  return parts
}

/** The only argument as a number within limits; MIN and MAX stand for them. */
export function numberArgument(message: Message, low: number, high: number): number {
  const text = onlyArgument(message).toUpperCase()
  if (text === 'MIN' || text === 'MINIMUM') return low
  if (text === 'MAX' || text === 'MAXIMUM') return high
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(E[+-]?\d+)?$/.test(text)) throw new ScpiFault(-104, 'Data type error')
  const value = Number(text)
  if (!(value >= low && value <= high)) throw new ScpiFault(-222, 'Data out of range')
  return value
}

/** The only argument as ON, OFF, 1 or 0. */
export function booleanArgument(message: Message): boolean {
  const text = onlyArgument(message).toUpperCase()
  if (text === 'ON' || text === '1') return true
  if (text === 'OFF' || text === '0') return false
  throw new ScpiFault(-224, 'Illegal parameter value')
}

/** The only argument as one of the words, given like `SINusoid`; the word as given. */
export function wordArgument<Word extends string>(message: Message, words: readonly Word[]): Word {
  const text = onlyArgument(message)
  const word = words.find((candidate) => compileHeader(candidate).test(text))
  if (word === undefined) throw new ScpiFault(-224, 'Illegal parameter value')
  return word
}

function onlyArgument(message: Message): string {
  const [first] = message.args
  if (first === undefined || first === '') throw new ScpiFault(-109, 'Missing parameter')
  if (message.args.length > 1) throw new ScpiFault(-108, 'Parameter not allowed')
  return first
}
