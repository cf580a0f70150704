/** Values into requests, answers into values. Pure. */
import { garbled, type ReplySource } from '@fernlab/firmware-bridge/scpi/replies'
import type { Finder } from '@fernlab/shared/protocol/patterns'
import { fill, formatValue, parseValue } from '../described/templates.ts'
import type { SignalValue } from '../driver.ts'
import type { HttpRequest, HttpSignal } from './config.ts'
import type { HttpCall } from './http-client.ts'

type Values = Readonly<Record<string, SignalValue>>

/** A request with its names replaced; in the path they are encoded. */
export function callOf({ method, path, json, text }: HttpRequest, values: Values): HttpCall {
  const encoded = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string' ? encodeURIComponent(value) : value,
    ]),
  )
  const call = { method, path: fill(path, encoded) }
  if (text !== undefined) return { ...call, body: { type: 'text/plain', text: fill(text, values) } }
  if (json === undefined) return call
  return { ...call, body: { type: 'application/json', text: JSON.stringify(filled(json, values)) } }
}

/** A text that is just a name in braces becomes the value itself, with its type. */
function filled(json: unknown, values: Values): unknown {
  if (typeof json === 'string') {
    const name = /^\{([A-Za-z][A-Za-z0-9_]*)\}$/.exec(json)?.[1]
    return name !== undefined && Object.hasOwn(values, name) ? values[name] : fill(json, values)
  }
  if (Array.isArray(json)) return json.map((each) => filled(each, values))
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, filled(value, values)]))
}

/** A signal's value as it is sent: numbers scaled and rounded, true and false themselves where they have no words. */
export function sentValue(name: string, signal: HttpSignal, value: SignalValue): SignalValue {
  const text = formatValue(name, signal, value)
  if (typeof value === 'number' && signal.words === undefined) return Number(text)
  return typeof value === 'boolean' && signal.words === undefined ? value : text
}

/** The signal's value in an answer; throws `reply-garbled`. */
export function valueIn(
  signal: HttpSignal,
  answer: string,
  find: Finder | undefined,
  source: ReplySource,
): SignalValue {
  if (find !== undefined) {
    const found = find(answer)
    if (found === undefined) throw garbled(answer, source, `what fits ${signal.read?.pattern ?? ''}`)
    return parseValue(signal, found, source)
  }
  const pointer = signal.read?.pointer ?? ''
  const at = valueAt(jsonOf(answer, source), pointer)
  if (typeof at === 'boolean' && signal.dtype === 'boolean' && signal.words === undefined) return at
  if (typeof at === 'number' || typeof at === 'string' || typeof at === 'boolean') {
    return parseValue(signal, String(at), source)
  }
  throw garbled(answer, source, `a value at ${pointer === '' ? 'the top' : pointer}`)
}

function jsonOf(text: string, source: ReplySource): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw garbled(text, source, 'JSON')
  }
}

/** RFC 6901. */
function valueAt(json: unknown, pointer: string): unknown {
  let at = json
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Record<string, unknown>)[key]
  }
  return at
}
