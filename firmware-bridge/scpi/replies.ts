/** Typed readings of reply texts (IEEE 488.2 clause 8.7, SCPI-99 volume 1 chapter 7). */
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** What a reply answers, for the error that names it. */
export interface ReplySource {
  readonly instrument: string
  readonly command: string
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/

/** SCPI's stand-ins: ±9.9E37 is an overload, 9.91E37 is "not a number". */
const INFINITY = 9.9e37
const NOT_A_NUMBER = 9.91e37

/** A finite number (NR1, NR2 or NR3); throws `reply-garbled`, or `reading-overload` for SCPI's infinity and NaN. */
export function parseNumber(text: string, source: ReplySource): number {
  const trimmed = text.trim()
  if (!NUMBER.test(trimmed)) throw garbled(text, source, 'a number')
  const value = Number(trimmed)
  if (Math.abs(value) >= INFINITY * (1 - 1e-6)) {
    const what = Math.abs(value - NOT_A_NUMBER) < NOT_A_NUMBER * 1e-4 ? 'no valid reading' : 'an overload'
    throw new LabError({
      code: 'reading-overload',
      kind: 'instrument',
      retry: 'later',
      message: `${source.instrument} reports ${what} for ${source.command}`,
      studentMessage: 'An instrument is overloaded: the signal is beyond its range.',
      details: { instrument: source.instrument, command: source.command, reply: show(text) },
    })
  }
  return value
}

/** `0`, `1`, `ON` or `OFF`. */
export function parseBoolean(text: string, source: ReplySource): boolean {
  const word = text.trim().toUpperCase()
  if (word === '1' || word === 'ON') return true
  if (word === '0' || word === 'OFF') return false
  throw garbled(text, source, 'ON, OFF, 1 or 0')
}

/** Character or string data; quotes are taken off and doubled quotes undone. */
export function parseText(text: string): string {
  const trimmed = text.trim()
  const quote = trimmed[0]
  if (trimmed.length >= 2 && (quote === '"' || quote === "'") && trimmed.endsWith(quote)) {
    return trimmed.slice(1, -1).replaceAll(quote + quote, quote)
  }
  return trimmed
}

/** The comma-separated elements of a reply; commas inside quotes do not separate. */
export function splitList(text: string): string[] {
  const parts: string[] = []
  let part = ''
  let quote: string | undefined
  for (const char of text) {
    if (quote !== undefined) {
      if (char === quote) quote = undefined
    } else if (char === '"' || char === "'") quote = char
    else if (char === ',') {
      parts.push(part.trim())
      part = ''
      continue
    }
    part += char
  }
  parts.push(part.trim())
  return parts
}

/** An entry of the instrument's error queue; code 0 means that it is empty. */
export interface QueuedError {
  readonly code: number
  readonly text: string
}

/** Reads a reply to SYSTem:ERRor?: `-222,"Data out of range"`. */
export function parseQueuedError(text: string, source: ReplySource): QueuedError {
  const [code = '', ...rest] = splitList(text)
  const word = code.trim()
  if (!/^[+-]?\d+$/.test(word)) throw garbled(text, source, 'an error number')
  return { code: Number(word), text: parseText(rest.join(',')) }
}

/** The error for a reply that is not what the command answers with. */
export function garbled(text: string, source: ReplySource, wanted: string): LabError {
  return new LabError({
    code: 'reply-garbled',
    kind: 'instrument',
    retry: 'later',
    message: `${source.instrument} answered ${JSON.stringify(show(text))} to ${source.command}; ${wanted} was expected`,
    studentMessage: 'An instrument gave an answer that makes no sense. The staff can see which one in the log.',
    details: { instrument: source.instrument, command: source.command, reply: show(text) },
  })
}

const show = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text)
