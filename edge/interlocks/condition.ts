/** The condition of an interlock: read, checked against the bench's signals, and computed. Pure. */
import type { Scalar, SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { InterlockBound, InterlockEntry } from '@fernlab/shared/contracts/interlocks'
import type { Finding } from '@fernlab/shared/contracts/yaml-file'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import { convertTrimmed, dimensionName, sameDimension } from '@fernlab/shared/primitives/units'
import { compileExpression, type Expression } from '@fernlab/shared/protocol/expression'

type When = InterlockEntry['when']
type SpecOf = (key: string) => SignalSpec | undefined

export interface Condition {
  /** As people read it. */
  readonly text: string
  /** `part.signal` of all that it looks at. */
  readonly signals: readonly string[]
  /** Whether it holds; throws a LabError where that can not be told. */
  holds(reading: (key: string) => Scalar | undefined): boolean
}

/** What can be said of it without instruments; paths relative to the interlock. */
export function conditionFindings(when: When, parts: readonly string[]): Finding[] {
  let signals: readonly string[]
  try {
    signals = typeof when === 'string' ? signalsOf(compileExpression(when)) : [when.signal]
  } catch (thrown) {
    return [{ path: ['when'], message: asLabError(thrown).message }]
  }
  const path = typeof when === 'string' ? ['when'] : ['when', 'signal']
  return signals.flatMap((key) => {
    const part = key.slice(0, key.indexOf('.'))
    return parts.includes(part) ? [] : [{ path, message: `the bench has no part ${part}${didYouMean(part, parts)}` }]
  })
}

/** What the signals as they are have against it; the expression is known to be one. */
export function unfitCondition(when: When, specOf: SpecOf): Finding[] {
  const path = typeof when === 'string' ? ['when'] : ['when', 'signal']
  const keys = typeof when === 'string' ? [...compileExpression(when).signals] : [when.signal]
  const findings = keys.flatMap((key): Finding[] => {
    const spec = specOf(key)
    if (spec === undefined) return [{ path, message: `there is no signal ${key} on this bench` }]
    if (spec.access === 'set') return [{ path, message: `${key} can only be set, and an interlock has to read it` }]
    if (spec.dtype === 'array') return [{ path, message: `${key} holds a list, which has no place in a condition` }]
    return []
  })
  if (findings.length > 0) return findings
  return typeof when === 'string' ? typeFindings(compileExpression(when), specOf) : boundFindings(when, specOf)
}

/** The condition over signals of these specifications; both checks have found nothing. */
export function compileCondition(when: When, specOf: SpecOf): Condition {
  if (typeof when !== 'string') return compileBound(when, specOf)
  const expression = compileExpression(when)
  const scope = (reading: (key: string) => Scalar | undefined) => ({
    variable: () => undefined,
    reading,
    statistic: () => undefined,
  })
  return {
    text: when,
    signals: [...expression.signals],
    holds: (reading) => expression.condition(scope(reading)),
  }
}

function signalsOf(expression: Expression): string[] {
  const [name] = expression.names
  if (name !== undefined) throw unfit(`${name} is not known here: an interlock sees signals only, as part.signal`)
  const [recorded] = expression.recorded
  if (recorded !== undefined) throw unfit(`it asks for a record of ${recorded}, and an interlock sees single readings`)
  if (expression.signals.size === 0) throw unfit('it looks at no signal')
  return [...expression.signals]
}

/** More switches than this are tried in the same position. */
const MOST_SWITCHES = 6
const SAMPLES = [0.5, 1, 2] as const

/** Whether it is true or false, and takes each value for what it is: tried with values of the right types. */
function typeFindings(expression: Expression, specOf: SpecOf): Finding[] {
  const keys = [...expression.signals]
  const switches = keys.filter((key) => specOf(key)?.dtype === 'boolean').slice(0, MOST_SWITCHES)
  for (const sample of SAMPLES) {
    for (let positions = 0; positions < 2 ** switches.length; positions++) {
      const reading = (key: string): Scalar => {
        const dtype = specOf(key)?.dtype
        if (dtype === 'string') return ''
        return dtype === 'boolean' ? ((positions >> switches.indexOf(key)) & 1) === 1 : sample
      }
      try {
        expression.condition({ variable: () => undefined, reading, statistic: () => undefined })
      } catch (thrown) {
        const error = asLabError(thrown)
        // Whether it divides by zero is for the values to say.
        if (error.details.mistake === 'type') return [{ path: ['when'], message: error.message }]
      }
    }
  }
  return []
}

function boundFindings({ signal, above, below, is }: InterlockBound, specOf: SpecOf): Finding[] {
  const { dtype, unit } = specOf(signal) as SignalSpec
  if (is !== undefined)
    return dtype === 'boolean' ? [] : [{ path: ['when', 'is'], message: `${signal} is of type ${dtype}, not boolean` }]
  return Object.entries({ above, below }).flatMap(([bound, amount]): Finding[] => {
    if (amount === undefined) return []
    if (dtype !== 'number' && dtype !== 'integer')
      return [{ path: ['when', bound], message: `${signal} is of type ${dtype}, not a number` }]
    if (typeof amount === 'number' || sameDimension(amount.unit, unit)) return []
    const message = `${amount.unit} is ${dimensionName(amount.unit)}, not ${dimensionName(unit)} (${unit})`
    return [{ path: ['when', bound, 'unit'], message }]
  })
}

function compileBound({ signal, above, below, is }: InterlockBound, specOf: SpecOf): Condition {
  // Of an instrument that is out of use no unit is known, and nothing will be read.
  const unit = specOf(signal)?.unit ?? [above, below].find((bound) => typeof bound === 'object')?.unit ?? '1'
  const own = (amount: InterlockBound['above']) =>
    typeof amount === 'object' ? convertTrimmed(amount.value, amount.unit, unit) : amount
  const shown = unit === '1' ? '' : ` ${unit}`
  const [most, least] = [own(above), own(below)]
  const text =
    is !== undefined
      ? `${signal} is ${is}`
      : [
          ...(most === undefined ? [] : [`${signal} > ${most}${shown}`]),
          ...(least === undefined ? [] : [`${signal} < ${least}${shown}`]),
        ].join(' or ')
  return {
    text,
    signals: [signal],
    holds: (reading) => {
      const value = reading(signal)
      if (is !== undefined && typeof value === 'boolean') return value === is
      if (is !== undefined || typeof value !== 'number' || !Number.isFinite(value))
        throw unfit(`${signal} is ${String(value)}`)
      return (most !== undefined && value > most) || (least !== undefined && value < least)
    },
  }
}

function unfit(message: string): LabError {
  return new LabError({ code: 'interlock-condition-wrong', kind: 'configuration', message })
}
