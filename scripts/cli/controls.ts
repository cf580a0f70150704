import {
  type ActionSpec,
  actionSpecSchema,
  type Limits,
  narrowest,
  type ParameterSpec,
  type Scalar,
  type SignalSpec,
  signalSpecSchema,
} from '@fernlab/shared/capabilities/signals'
import type { Bench } from '@fernlab/shared/contracts/api'
import { type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import { formatUnit } from '@fernlab/shared/primitives/units'
import { checkArguments } from '@fernlab/shared/protocol/parameters'
import * as z from 'zod'
import { parseParameters } from './parameters.ts'
import { misspelt, mistake } from './problem.ts'
import type { Columns } from './table.ts'

/** What can be read, set and called on a bench, by `part.signal` and `part.action`, with the narrowest limits known. */
export interface Controls {
  readonly signals: ReadonlyMap<string, SignalSpec>
  readonly actions: ReadonlyMap<string, ActionSpec>
}

/** The controls of a bench, within the limits of a lab where one is given. */
export function controlsOf(parts: Bench['parts'], limits: Readonly<Record<string, Limits>> = {}): Controls {
  const signals = new Map<string, SignalSpec>()
  const actions = new Map<string, ActionSpec>()
  for (const [part, instrument] of Object.entries(parts)) {
    for (const signal of z.array(signalSpecSchema).parse(instrument.signals)) {
      const key = `${part}.${signal.name}`
      signals.set(key, { ...signal, limits: narrowest([signal.limits, limits[key]]) })
    }
    for (const action of z.array(actionSpecSchema).parse(instrument.actions))
      actions.set(`${part}.${action.name}`, action)
  }
  return { signals, actions }
}

/** The values of `part.signal=value` pairs in the signals' units; throws with every value that the bench would refuse. */
export function settingsOf({ signals }: Controls, pairs: readonly string[]): Record<string, Scalar> {
  for (const pair of pairs) {
    if (pair.indexOf('=') < 1)
      throw misspelt('option-wrong', `${JSON.stringify(pair)} must be part.signal=value, such as psu.voltage=3.3`)
  }
  const specs: Record<string, ParameterSpec> = {}
  const issues: Issue[] = []
  const given = parseParameters(pairs)
  for (const key of Object.keys(given)) {
    const signal = signals.get(key)
    if (signal === undefined)
      issues.push({ path: key, message: `there is no such signal${didYouMean(key, signals.keys())}` })
    else if (signal.access === 'read') issues.push({ path: key, message: 'can be read and not set' })
    else specs[key] = specOf(signal)
  }
  const known = Object.fromEntries(
    Object.entries(given).flatMap(([key, value]) => {
      const spec = specs[key]
      return spec === undefined ? [] : [[key, spec.type === 'boolean' ? onOrOff(value) : value]]
    }),
  )
  const checked = checkArguments(specs, known, '')
  issues.push(...checked.issues.map(({ path, message }) => ({ path: path.slice(1), message })))
  if (issues.length > 0) throw refused('value-invalid', issues)
  return checked.values
}

/** The arguments of an action from `name=value` pairs, with defaults; throws with everything that is wrong. */
export function argumentsOf({ actions }: Controls, action: string, pairs: readonly string[]): Record<string, Scalar> {
  const spec = actions.get(action)
  if (spec === undefined) {
    const known = [...actions.keys()]
    const there = known.length === 0 ? 'this bench has none' : `there are ${known.join(', ')}`
    throw mistake('action-unknown', `there is no action ${action}${didYouMean(action, known)}`, there)
  }
  const { values, issues } = checkArguments(spec.arguments, parseParameters(pairs))
  if (issues.length > 0) throw refused('arguments-invalid', issues)
  return values
}

/** Signals that can be read by hand, which arrays can not; without names, all of them. */
export function readableOf({ signals }: Controls, names: readonly string[]): string[] {
  const readable = [...signals]
    .filter(([, { access, dtype }]) => access !== 'set' && dtype !== 'array')
    .map(([key]) => key)
  const issues = names
    .filter((name) => !readable.includes(name))
    .map((path) => ({
      path,
      message: whyUnread(signals.get(path)) ?? `there is no such signal${didYouMean(path, readable)}`,
    }))
  if (issues.length > 0) throw refused('signal-unknown', issues)
  return names.length > 0 ? [...names] : readable
}

function whyUnread(signal: SignalSpec | undefined): string | undefined {
  if (signal === undefined) return undefined
  return signal.access === 'set' ? 'can be set and not read' : 'is an array, which only a protocol reads'
}

/** A signal or an action, for a person. */
export interface ControlRow {
  readonly name: string
  readonly access: 'read' | 'set' | 'read-set' | 'call'
  readonly unit: string
  readonly takes: string
  readonly title: string
}

/** One row for each signal and action. */
export function controlRows({ signals, actions }: Controls): ControlRow[] {
  return [
    ...[...signals].map(([name, signal]) => ({
      name,
      access: signal.access,
      unit: formatUnit(signal.unit),
      takes: signal.access === 'read' ? '' : takesOf(specOf(signal)),
      title: signal.title ?? '',
    })),
    ...[...actions].map(([name, action]) => ({
      name,
      access: 'call' as const,
      unit: '',
      takes: Object.entries(action.arguments)
        .map(([argument, spec]) => `${argument}: ${[takesOf(spec), formatUnit(spec.unit ?? '1')].join(' ').trim()}`)
        .join(', '),
      title: action.title ?? '',
    })),
  ]
}

export const controlColumns: Columns<ControlRow> = {
  name: (row) => row.name,
  access: (row) => row.access,
  unit: (row) => row.unit,
  takes: (row) => row.takes,
  title: (row) => row.title,
}

function specOf({ dtype, unit, limits, values }: SignalSpec): ParameterSpec {
  if (dtype === 'boolean') return { type: 'boolean' }
  if (dtype === 'string') return { type: 'string', ...(values === undefined ? {} : { enum: values }) }
  return {
    type: dtype === 'integer' ? 'integer' : 'number',
    unit,
    ...(limits?.low === undefined ? {} : { minimum: limits.low }),
    ...(limits?.high === undefined ? {} : { maximum: limits.high }),
  }
}

/** What a value may be, for a person. */
export function takesOf({ type, minimum, maximum, enum: choices }: ParameterSpec): string {
  if (choices !== undefined) return choices.join(' | ')
  if (type === 'boolean') return 'on | off'
  if (type === 'string') return 'text'
  if (minimum === undefined && maximum === undefined) return type === 'integer' ? 'whole number' : 'number'
  return `${minimum ?? ''}..${maximum ?? ''}`
}

const onOrOff = (value: unknown): unknown => (value === 'on' ? true : value === 'off' ? false : value)

function refused(code: string, issues: readonly Issue[]): LabError {
  const [first] = issues
  const message = issues.length === 1 ? `${first?.path}: ${first?.message}` : `${issues.length} values are wrong`
  return new LabError({ code, kind: 'caller', message, issues })
}
