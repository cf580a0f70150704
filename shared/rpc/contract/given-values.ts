/** What a service gives of its own accord, held to its contract: items of streams, and values of signals. */
import { scalarIssue } from '../../capabilities/scalar-value.ts'
import type { SignalSpec } from '../../capabilities/signals.ts'
import type { Issue } from '../../primitives/lab-error.ts'
import { isRecord } from '../errors.ts'
import { typeOfArray } from '../typed-arrays.ts'

/** The items as they come; the first that `check` throws at ends the stream with that, at its source too. */
export function checkedItems(
  source: AsyncIterable<unknown>,
  check: (item: unknown) => void,
): AsyncIterableIterator<unknown> {
  const iterator = source[Symbol.asyncIterator]()
  const checked: AsyncIterableIterator<unknown> = {
    [Symbol.asyncIterator]: () => checked,
    next: async () => {
      const step = await iterator.next()
      if (step.done === true) return step
      try {
        check(step.value)
      } catch (error) {
        await iterator.return?.()
        throw error
      }
      return step
    },
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
  }
  return checked
}

/** What keeps a value from being one of the signal; limits are of what is set, an instrument may read beyond them. */
export function signalIssue({ dtype, shape }: Pick<SignalSpec, 'dtype' | 'shape'>, value: unknown): string | undefined {
  return dtype === 'array' ? arrayIssue(shape, value) : scalarIssue(dtype, value)
}

function arrayIssue(shape: readonly number[], value: unknown): string | undefined {
  const isArray = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
  if (!isArray) return 'must be an array'
  const numbers = value as unknown as ArrayLike<unknown>
  // Of a typed array the length is all that can be wrong; a list in lists has as many as its shape says.
  const wanted = ArrayBuffer.isView(value) ? shape.reduce((all, size) => all * size, 1) : (shape[0] ?? numbers.length)
  if (shape.length > 0 && shape.every((size) => size > 0) && numbers.length !== wanted) {
    return `must have ${wanted} values, not ${numbers.length}`
  }
  return undefined
}

/** What keeps readings from being those of the signals, by signal; undefined where nothing does. */
export function readingsIssue(
  signals: Readonly<Record<string, Pick<SignalSpec, 'dtype' | 'shape'>>>,
  readings: unknown,
): Issue | undefined {
  if (!isRecord(readings)) return { path: '', message: 'must be readings by signal' }
  for (const name in readings) {
    const reading: unknown = readings[name]
    const spec = Object.hasOwn(signals, name) ? signals[name] : undefined
    if (spec === undefined) return { path: name, message: 'is no signal of it' }
    if (!isRecord(reading)) return { path: name, message: 'must be a reading' }
    const message = signalIssue(spec, reading.value)
    if (message !== undefined) return { path: name, message }
  }
  return undefined
}

/** What keeps a block from being samples of the signals that were asked for; undefined where nothing does. */
export function blockIssue(
  signals: Readonly<Record<string, unknown>>,
  asked: readonly string[],
  block: unknown,
): Issue | undefined {
  const { time, columns } = isRecord(block) ? block : {}
  const samples = lengthOf(time)
  if (samples === undefined) return { path: 'time', message: 'must be a typed array' }
  if (!isRecord(columns) || ArrayBuffer.isView(columns))
    return { path: 'columns', message: 'must be columns by signal' }
  for (const name in columns) {
    const path = `columns.${name}`
    if (!Object.hasOwn(signals, name)) return { path, message: 'is no signal of it' }
    const length = lengthOf(columns[name])
    if (length === undefined) return { path, message: 'must be a typed array' }
    if (length !== samples) return { path, message: `must have ${samples} values as time has, not ${length}` }
  }
  const missing = asked.find((name) => !Object.hasOwn(columns, name))
  return missing === undefined ? undefined : { path: `columns.${missing}`, message: 'is missing' }
}

const lengthOf = (value: unknown): number | undefined =>
  ArrayBuffer.isView(value) && typeOfArray(value) !== undefined ? (value as Float64Array).length : undefined

/** What keeps an item from being one of the events that were asked for; undefined where nothing does but its value. */
export function eventIssue(asked: readonly string[], item: unknown): Issue | undefined {
  if (!isRecord(item)) return { path: '', message: 'must be an event' }
  const { event } = item
  if (typeof event === 'string' && asked.includes(event)) return undefined
  return { path: 'event', message: 'is none that was asked for' }
}
