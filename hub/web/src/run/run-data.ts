import type { Data } from '@fernlab/shared/contracts/api'

export type Cell = number | string | boolean | null
export type Keys = Data['keys']

/** The rows of one stream as the page has them. */
export interface StreamData {
  readonly stream: string
  readonly keys: Keys
  /** Epoch seconds. */
  readonly time: readonly number[]
  readonly columns: Readonly<Record<string, readonly Cell[]>>
  /** Rows at the hub, which may be more than here. */
  readonly rows: number
  readonly reduced: boolean
}

/** What a `streams` event says. */
export interface StreamsEvent {
  readonly attempt: number
  readonly stream: string
  readonly keys: Keys
}

/** What a `data` event says. */
export interface DataEvent {
  readonly attempt: number
  readonly stream: string
  readonly first: number
  readonly count: number
  readonly reduced: boolean
  readonly time: readonly number[]
  readonly columns: Readonly<Record<string, readonly Cell[]>>
}

const mostRows = 20_000

/** The rows with those of an event after them; beyond 20 000 every second older row is dropped, so it never grows on. */
export function append(before: StreamData | undefined, event: DataEvent): StreamData {
  const thin = before !== undefined && before.time.length > mostRows
  const keep = <T>(values: readonly T[]): readonly T[] => (thin ? values.filter((_, i) => i % 2 === 0) : values)
  const names = new Set([...Object.keys(before?.columns ?? {}), ...Object.keys(event.columns)])
  const had = before?.time.length ?? 0
  return {
    stream: event.stream,
    keys: before?.keys ?? {},
    time: [...keep(before?.time ?? []), ...event.time],
    columns: Object.fromEntries(
      [...names].map((name) => [
        name,
        [
          ...keep(before?.columns[name] ?? new Array<Cell>(had).fill(null)),
          ...(event.columns[name] ?? event.time.map(() => null)),
        ],
      ]),
    ),
    rows: Math.max(before?.rows ?? 0, event.first + event.count),
    reduced: thin || event.reduced || (before?.reduced ?? false),
  }
}

/** The column that a protocol means by `part.signal`; the API writes it `part_signal`. */
export function columnName(data: Pick<StreamData, 'keys'>, name: string): string | undefined {
  if (name in data.keys) return name
  const written = name.replace('.', '_')
  return written in data.keys ? written : undefined
}

/** Numbers of a column, null where there is none. */
export const numbers = (values: readonly Cell[]): (number | null)[] =>
  values.map((value) => (typeof value === 'number' ? value : null))
