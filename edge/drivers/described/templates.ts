/** Values into commands, replies into values. */
import {
  garbled,
  parseBoolean,
  parseNumber,
  parseText,
  type ReplySource,
  splitList,
} from '@fernlab/firmware-bridge/scpi/replies'
import type { Limits } from '@fernlab/shared/capabilities/signals'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { SignalValue } from '../driver.ts'

/** How a signal's values are written. */
export interface ValueForm {
  readonly dtype: 'number' | 'integer' | 'boolean' | 'string'
  readonly words?: Readonly<Record<string, string | readonly string[]>>
  readonly scale?: number
  readonly decimals?: number
  readonly limits?: Limits
  /** Which element of a comma-separated reply, from 0; without, the whole reply. */
  readonly field?: number
}

/** The names in braces. */
export function placeholders(template: string): string[] {
  return [...template.matchAll(/\{([A-Za-z][A-Za-z0-9_]*)\}/g)].map((match) => match[1] ?? '')
}

/**
 * The template with its names replaced; a name without a value is a bug, as the description was checked. Text that
 * would end the command or begin another is refused, whoever let it through.
 */
export function fill(template: string, values: Readonly<Record<string, SignalValue>>): string {
  return template.replace(/\{([A-Za-z][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) {
      throw new LabError({ code: 'template-incomplete', kind: 'bug', message: `${template}: {${name}} has no value` })
    }
    if (typeof value === 'string' && !isOneArgument(value)) {
      const message = `${template}: {${name}} would be ${JSON.stringify(value.slice(0, 60))}, which is not one argument`
      throw new LabError({ code: 'text-unsafe', kind: 'caller', message })
    }
    return typeof value === 'number' ? compact(value) : typeof value === 'boolean' ? (value ? '1' : '0') : value
  })
}

/** Printable ASCII without `;`, which separates commands. */
export const isOneArgument = (text: string): boolean => /^[\x20-\x3a\x3c-\x7e]*$/.test(text)

/**
 * The signal's value as the instrument wants it; rounding does not take it out of `limits`. Throws `value-unknown` for a
 * word that the instrument lacks.
 */
export function formatValue(
  name: string,
  signal: ValueForm,
  value: SignalValue,
  limits: Limits | undefined = signal.limits,
): string {
  const words = signal.words ?? {}
  const known = Object.hasOwn(words, String(value)) ? words[String(value)] : undefined
  if (known !== undefined) return typeof known === 'string' ? known : (known[0] ?? '')
  if (typeof value === 'boolean' && signal.dtype === 'boolean') return value ? '1' : '0'
  if (
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (signal.dtype === 'number' || signal.dtype === 'integer')
  ) {
    const scaled = value / (signal.scale ?? 1)
    if (signal.dtype === 'integer') return String(Math.round(scaled))
    return signal.decimals === undefined ? compact(scaled) : rounded(scaled, signal.decimals, signal.scale ?? 1, limits)
  }
  throw new LabError({
    code: 'value-unknown',
    kind: 'caller',
    message: `${name}: ${JSON.stringify(value)} is not ${Object.keys(words).join(', ') || `a ${signal.dtype}`}`,
  })
}

/** To the nearest step, or, where that is out of the limits, to the one on the other side. */
function rounded(
  scaled: number,
  decimals: number,
  scale: number,
  { low = -Infinity, high = Infinity }: Limits = {},
): string {
  const nearest = scaled.toFixed(decimals)
  const isWithin = (text: string) => {
    const back = Number((Number(text) * scale).toPrecision(15))
    return back >= low && back <= high
  }
  if (isWithin(nearest)) return nearest
  const step = Number(nearest) > scaled ? -(10 ** -decimals) : 10 ** -decimals
  const other = (Number(nearest) + step).toFixed(decimals)
  return isWithin(other) ? other : nearest
}

/** The signal's value from a reply; throws `reply-garbled` or `reading-overload`. */
export function parseValue(signal: ValueForm, reply: string, source: ReplySource): SignalValue {
  const text = signal.field === undefined ? reply : splitList(reply)[signal.field]
  if (text === undefined) throw garbled(reply, source, `at least ${(signal.field ?? 0) + 1} values`)
  const word = parseText(text)
  for (const [value, theirs] of Object.entries(signal.words ?? {})) {
    const matches = (typeof theirs === 'string' ? [theirs] : theirs).some(
      (each) => each.toUpperCase() === word.toUpperCase(),
    )
    if (matches)
      return signal.dtype === 'boolean' ? value === 'true' : signal.dtype === 'string' ? value : Number(value)
  }
  switch (signal.dtype) {
    case 'boolean':
      return parseBoolean(text, source)
    case 'string':
      if (signal.words !== undefined) throw garbled(reply, source, Object.values(signal.words).flat().join(', '))
      return word
    case 'integer':
    case 'number': {
      const value = parseNumber(text, source) * (signal.scale ?? 1)
      if (signal.dtype === 'integer' && !Number.isInteger(value)) throw garbled(reply, source, 'a whole number')
      return value
    }
  }
}

/** Up to 9 significant digits: `5`, `0.0012`, `1.5E-7`. */
function compact(value: number): string {
  const rounded = Number(value.toPrecision(9))
  const plain = String(rounded)
  return plain.includes('e') ? rounded.toExponential().replace('e', 'E').replace('E+', 'E') : plain
}
