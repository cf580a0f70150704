import type { SubmitRun } from '@fernlab/shared/contracts/api'
import { misspelt } from './problem.ts'

type Parameters = NonNullable<SubmitRun['parameters']>
type Parameter = Parameters[string]

const numberText = '[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?'
const plain = new RegExp(`^${numberText}$`)
const withUnit = new RegExp(`^(${numberText})\\s*([^\\s\\d.].*)$`)

/**
 * Reads `name=value` pairs. `3.3` is a number in the declared unit, `3.3 V` or `3.3V` a number in a unit of its own,
 * `true` and `false` are booleans, anything in double quotes and anything else is text.
 */
export function parseParameters(pairs: readonly string[]): Parameters {
  const parameters = new Map<string, Parameter>()
  for (const pair of pairs) {
    const cut = pair.indexOf('=')
    const name = pair.slice(0, cut).trim()
    if (cut < 1 || name === '') throw misspelt('parameter', `"${pair}" is not name=value`, 'Write: -p voltage=3.3')
    if (parameters.has(name)) throw misspelt('parameter', `parameter "${name}" is given twice`)
    parameters.set(name, parseValue(pair.slice(cut + 1).trim()))
  }
  return Object.fromEntries(parameters)
}

function parseValue(text: string): Parameter {
  if (text === 'true') return true
  if (text === 'false') return false
  if (plain.test(text)) return Number(text)
  if (/^".*"$/.test(text)) return text.slice(1, -1)
  const [, value, unit] = withUnit.exec(text) ?? []
  return value === undefined || unit === undefined ? text : { value: Number(value), unit }
}
