import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import type { TimeWindow } from './reduce.ts'

/** The rows of a page whose times are in the window; times grow within a stream. */
export function cut(page: EventPageDoc, { from, to }: TimeWindow): EventPageDoc {
  const start = from === undefined ? 0 : lowerBound(page.time, (time) => time >= from)
  const end = to === undefined ? page.count : lowerBound(page.time, (time) => time > to)
  if (start === 0 && end === page.count) return page
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
