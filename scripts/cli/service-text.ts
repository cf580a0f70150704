/** Services in words: what one can do, and what it has said. */
import type { ParameterSpec } from '@fernlab/shared/capabilities/signals'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import type { ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import type { ValueSpec } from '@fernlab/shared/rpc/contract/value-spec'

export type ReadValues = Readonly<Record<string, { readonly value: unknown; readonly time: number }>>

export interface ControlRow {
  readonly name: string
  readonly what: 'action' | 'signal' | 'event'
  readonly takes: string
  readonly gives: string
}

/** Each action, signal and event, with what it takes and gives. */
export function controlsOfService({ actions, signals, events }: ServiceContract): ControlRow[] {
  return [
    ...Object.entries(actions).map(
      ([name, action]): ControlRow => ({
        name,
        what: 'action',
        takes: Object.entries(action.arguments)
          .map(([argument, spec]) => `${argument}: ${specText(spec)}${'default' in spec ? '?' : ''}`)
          .join(', '),
        gives: action.items === undefined ? specText(action.result) : `${specText(action.items)} …`,
      }),
    ),
    ...Object.entries(signals).map(([name, { dtype, unit, access, limits, values }]): ControlRow => {
      const range = `${rangeText(limits?.low, limits?.high)}${choicesText(values)}`
      const text = `${dtype}${unit === '1' || unit === '' ? '' : ` in ${unit}`}`
      return {
        name,
        what: 'signal',
        takes: access === 'read' ? '' : `${text}${range}`,
        gives: access === 'set' ? '' : text,
      }
    }),
    ...Object.entries(events).map(
      ([name, { value }]): ControlRow => ({ name, what: 'event', takes: '', gives: specText(value) }),
    ),
  ]
}

function specText(spec: ValueSpec | undefined): string {
  if (spec === undefined) return ''
  const { type, unit, minimum, maximum, enum: choices } = spec as Partial<ParameterSpec> & Pick<ValueSpec, 'type'>
  const text = unit === undefined || unit === '1' ? type : `${type} in ${unit}`
  return `${text}${rangeText(minimum, maximum)}${choicesText(choices)}`
}

const rangeText = (low: number | undefined, high: number | undefined): string =>
  low === undefined && high === undefined ? '' : ` ${low ?? ''}..${high ?? ''}`

const choicesText = (choices: readonly unknown[] | undefined): string =>
  choices === undefined ? '' : ` (${choices.map(String).join(' | ')})`

/** `voltage: 1.5 V`. */
export function readLines(values: ReadValues, { signals }: ServiceContract): string[] {
  return Object.entries(values).map(([name, { value }]) => {
    const unit = signals[name]?.unit
    return `${name}: ${resultText(value)}${unit === undefined || unit === '1' || unit === '' ? '' : ` ${unit}`}`
  })
}

/** What is followed, reading by reading: a block that hardware sampled by itself has many. */
export function readingsOf(item: unknown): readonly ReadValues[] {
  const { time, columns } = item as { time: unknown; columns: Readonly<Record<string, Float64Array>> }
  if (!ArrayBuffer.isView(time)) return [item as ReadValues]
  const of = Object.entries(columns)
  return [...(time as Float64Array)].map((at, i) =>
    Object.fromEntries(of.map(([name, values]) => [name, { value: values[i], time: at }])),
  )
}

/** A value as JSON; arrays of numbers as lists. */
export function resultText(value: unknown): string {
  const plain = (_key: string, one: unknown) => (ArrayBuffer.isView(one) ? [...(one as Uint8Array)] : one)
  return JSON.stringify(value, plain) ?? 'null'
}

/** Whether what was refused would be done with the bench locked; a right that no lock gives is none of it. */
export const wantsLock = ({ code, details }: Pick<LabError, 'code' | 'details'>): boolean =>
  code === 'bench-not-held' || (code === 'right-missing' && details.bench !== undefined)
