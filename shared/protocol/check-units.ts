import type { ParameterSpec } from '../capabilities/signals.ts'
import type { Finding, Path } from '../contracts/yaml-file.ts'
import { dimensionName, sameDimension } from '../primitives/units.ts'
import type { BenchView } from './bench-view.ts'
import type { Amount, Step, Value } from './protocol.ts'
import { perSecond, splitKey, unitOf } from './quantities.ts'

/** Adds what is wrong with the units and types of one step; signals and actions are known to exist. */
export function checkUnits(step: Step, path: Path, bench: BenchView, findings: Finding[]): void {
  const amount = (value: Amount | undefined, unit: string, ...more: (string | number)[]) => {
    const own = value === undefined ? undefined : unitOf(value)
    if (own !== undefined && !sameDimension(own, unit)) {
      findings.push({
        path: [...path, ...more],
        message: `${own} is ${dimensionName(own)}, not ${dimensionName(unit)}`,
      })
    }
  }
  switch (step.kind) {
    case 'set':
      for (const [key, value] of Object.entries(step.values)) {
        const signal = bench.signal(key)
        if (signal !== undefined) checkValue(value, signal.dtype, signal.unit, [...path, key], findings)
      }
      return
    case 'ramp': {
      const unit = bench.signal(step.signal)?.unit
      if (unit === undefined) return
      amount(step.from, unit, 'from')
      amount(step.to, unit, 'to')
      amount(step.rate, perSecond(unit), 'rate')
      amount(step.over, 's', 'over')
      return
    }
    case 'wait':
      amount(step.duration, 's')
      return
    case 'record': {
      amount(step.rate, 'Hz', 'rate')
      amount(step.for, 's', 'for')
      return
    }
    case 'sweep': {
      const unit = step.unit ?? '1'
      if ('values' in step.over) for (const [i, value] of step.over.values.entries()) amount(value, unit, 'values', i)
      else {
        amount(step.over.from, unit, 'from')
        amount(step.over.to, unit, 'to')
        amount(step.over.points, '1', 'points')
      }
      return
    }
    case 'repeat':
      amount(step.times, '1', 'times')
      return
    case 'until':
      amount(step.within, 's', 'within')
      amount(step.every, 's', 'every')
      return
    case 'call': {
      amount(step.within, 's', 'within')
      const { part, signal: name } = splitKey(step.action)
      const action = bench.instrument(part)?.actions.find((candidate) => candidate.name === name)
      if (action !== undefined && !bench.outline)
        checkArguments(action.arguments, step.arguments, [...path, 'arguments'], findings)
      return
    }
    case 'live':
      amount(step.seconds, 's', 'seconds')
      return
    case 'read':
    case 'parallel':
    case 'assert':
    case 'dispose':
      return
  }
}

function checkArguments(
  specs: Readonly<Record<string, ParameterSpec>>,
  given: Readonly<Record<string, Value>>,
  path: Path,
  findings: Finding[],
): void {
  for (const [name, value] of Object.entries(given)) {
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined
    if (spec === undefined) findings.push({ path: [...path, name], message: `the action has no argument ${name}` })
    else checkValue(value, spec.type, spec.unit ?? '1', [...path, name], findings)
  }
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.default === undefined && !Object.hasOwn(given, name))
      findings.push({ path: [...path, name], message: 'is missing' })
  }
}

function checkValue(value: Value, dtype: string, unit: string, path: Path, findings: Finding[]): void {
  const fail = (message: string) => findings.push({ path, message })
  const expression = typeof value === 'object' && 'value' in value && typeof value.value === 'string'
  if (expression && value.unit === undefined) return
  if (dtype === 'array') {
    fail('holds a list, which protocols cannot set')
    return
  }
  if (dtype === 'string') {
    if (!expression && !(typeof value === 'object' && 'text' in value)) fail('holds text: write {text: …}')
    return
  }
  if (typeof value === 'object' && 'text' in value) {
    fail(`is of type ${dtype}, not text`)
    return
  }
  if (dtype === 'boolean') {
    if (typeof value !== 'boolean' && !expression) fail('must be true or false')
    return
  }
  if (typeof value === 'boolean') {
    fail(`must be a number in ${unit}`)
    return
  }
  const own = unitOf(value)
  if (own !== undefined && !sameDimension(own, unit)) {
    fail(`${own} is ${dimensionName(own)}, not ${dimensionName(unit)} (${unit})`)
  }
}
