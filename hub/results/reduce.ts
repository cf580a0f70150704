/**
 * Fewer rows for a chart, pure: of each stretch of rows those are kept in which a column is lowest or highest, so no
 * peak is lost and every point is a row that was measured (pairs stay pairs, for a plot of one column over another).
 */
import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import type { StreamColumn } from './keys.ts'

export type Cell = number | string | boolean | null

export interface ReducedRows {
  readonly time: readonly number[]
  /** By API key, in the order of `columns`. */
  readonly columns: Readonly<Record<string, readonly Cell[]>>
  /** Rows that came in. */
  readonly count: number
  readonly reduced: boolean
}

/** Part of a stream by the time of its rows, epoch seconds, both ends included. */
export interface TimeWindow {
  readonly from?: number
  readonly to?: number
}

export interface ReduceOptions {
  readonly columns: readonly StreamColumn[]
  /** Rows that will come, at least about. */
  readonly rows: number
  /** At most this many are kept. */
  readonly points: number
  readonly window?: TimeWindow
}

interface Row {
  readonly index: number
  readonly time: number
  readonly cells: readonly Cell[]
}

/** The lowest and highest row of a bucket so far: by their place in the page at hand, or kept from an earlier page. */
interface Extreme {
  low: number
  lowAt: number
  lowRow: Row | undefined
  high: number
  highAt: number
  highRow: Row | undefined
}

/** Takes the pages of one stream in order and keeps what a chart needs. */
export class Reducer {
  readonly #options: ReduceOptions
  readonly #perBucket: number
  readonly #extremes: Extreme[]
  readonly #kept: Row[] = []
  #seen = 0
  #inBucket = 0
  #first: Row | undefined
  #last: Row | undefined

  constructor(options: ReduceOptions) {
    this.#options = options
    const buckets = Math.max(1, Math.floor((options.points - 2) / (2 * Math.max(1, options.columns.length))))
    this.#perBucket = options.rows <= options.points ? 1 : Math.max(2, Math.ceil(options.rows / buckets))
    this.#extremes = options.columns.map(() => ({ ...empty }))
  }

  add(page: EventPageDoc): void {
    const { columns, window = {} } = this.#options
    const from = window.from ?? Number.NEGATIVE_INFINITY
    const to = window.to ?? Number.POSITIVE_INFINITY
    const sources = columns.map(({ source }) => page.columns[source])
    const row = (at: number): Row => ({
      index: page.first + at,
      time: page.time[at] ?? 0,
      cells: sources.map((column) => cell(column?.[at])),
    })
    let lastAt = -1
    for (let at = 0; at < page.count; at++) {
      const time = page.time[at] ?? 0
      if (time < from || time > to) continue
      this.#seen++
      lastAt = at
      if (this.#perBucket === 1) {
        this.#kept.push(row(at))
        continue
      }
      this.#first ??= row(at)
      for (let c = 0; c < sources.length; c++) {
        const value = sources[c]?.[at]
        const extreme = this.#extremes[c]
        if (typeof value !== 'number' || extreme === undefined) continue
        if (value < extreme.low) {
          extreme.low = value
          extreme.lowAt = at
        }
        if (value > extreme.high) {
          extreme.high = value
          extreme.highAt = at
        }
      }
      if (++this.#inBucket < this.#perBucket) continue
      this.#settle(row)
      this.#endBucket(row(at))
    }
    if (lastAt >= 0 && this.#perBucket > 1) this.#last = row(lastAt)
    this.#settle(row)
  }

  /** What is kept; at most `points` rows when the options' `rows` was right. */
  finish(): ReducedRows {
    this.#endBucket(undefined)
    const rows = this.#kept
    if (this.#last !== undefined && rows.at(-1)?.index !== this.#last.index) rows.push(this.#last)
    if (this.#first !== undefined && rows[0]?.index !== this.#first.index) rows.unshift(this.#first)
    return {
      time: rows.map((row) => row.time),
      columns: Object.fromEntries(
        this.#options.columns.map(({ key }, c) => [key, rows.map((row) => row.cells[c] ?? null)]),
      ),
      count: this.#seen,
      reduced: rows.length < this.#seen,
    }
  }

  /** Keeps the rows of the page at hand that the bucket may need, before the page goes. */
  #settle(row: (at: number) => Row): void {
    for (const extreme of this.#extremes) {
      if (extreme.lowAt >= 0) extreme.lowRow = row(extreme.lowAt)
      if (extreme.highAt >= 0) extreme.highRow = row(extreme.highAt)
      extreme.lowAt = -1
      extreme.highAt = -1
    }
  }

  #endBucket(fallback: Row | undefined): void {
    this.#inBucket = 0
    const rows = new Map<number, Row>()
    for (const extreme of this.#extremes) {
      if (extreme.lowRow !== undefined) rows.set(extreme.lowRow.index, extreme.lowRow)
      if (extreme.highRow !== undefined) rows.set(extreme.highRow.index, extreme.highRow)
      Object.assign(extreme, empty)
    }
    if (rows.size === 0 && fallback !== undefined) rows.set(fallback.index, fallback)
    this.#kept.push(...[...rows.values()].sort((a, b) => a.index - b.index))
  }
}

const empty: Extreme = {
  low: Number.POSITIVE_INFINITY,
  lowAt: -1,
  lowRow: undefined,
  high: Number.NEGATIVE_INFINITY,
  highAt: -1,
  highRow: undefined,
}

/** A value as JSON can hold it. */
export function cell(value: number | string | boolean | null | undefined): Cell {
  if (value === undefined) return null
  return typeof value === 'number' && !Number.isFinite(value) ? null : value
}
