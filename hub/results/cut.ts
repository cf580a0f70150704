import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import type { TimeWindow } from './reduce.ts'

const rowsAtOnce = 8192

/** The rows of a page whose times are in the window; times grow within a stream. */
export function cut(page: EventPageDoc, { from, to }: TimeWindow): EventPageDoc {
  const start = from === undefined ? 0 : lowerBound(page.time, (time) => time >= from)
  const end = to === undefined ? page.count : lowerBound(page.time, (time) => time > to)
  return start === 0 && end === page.count ? page : part(page, start, end)
}

/** The page in pieces of some thousand rows, so that what is made of each stays small. */
export function* slices(page: EventPageDoc): Generator<EventPageDoc> {
  for (let start = 0; start < page.count; start += rowsAtOnce) {
    yield part(page, start, Math.min(page.count, start + rowsAtOnce))
  }
}

function part(page: EventPageDoc, start: number, end: number): EventPageDoc {
  const columns = Object.entries(page.columns).map(
    ([key, column]) =>
      [key, column instanceof Float64Array ? column.subarray(start, end) : column.slice(start, end)] as const,
  )
  return {
    stream: page.stream,
    first: page.first + start,
    count: Math.max(0, end - start),
    time: page.time.subarray(start, end),
    columns: Object.fromEntries(columns),
  }
}

function lowerBound(times: Float64Array, holds: (time: number) => boolean): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(times[middle] ?? 0)) high = middle
    else low = middle + 1
  }
  return low
}
