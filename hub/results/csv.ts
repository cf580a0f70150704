import type { Converter, ConverterSpec } from './converters.ts'
import { cut, slices } from './cut.ts'
import { unitSuffix } from './keys.ts'

/**
 * CSV (RFC 4180): a header with units, lines ended by CRLF. The first column is the time: `time_s` since the start of
 * the run (to the microsecond), `time_epoch_s`, or `time` as RFC 3339.
 */
export function createCsv(spec: Extract<ConverterSpec, { format: 'csv' }>): Converter {
  const { columns, startTime, time, window } = spec
  const names = { relative: 'time_s', epoch: 'time_epoch_s', iso: 'time' }
  const header = [names[time], ...columns.map(({ key, dataKey }) => quote(`${key}${unitSuffix(dataKey)}`))].join(',')
  const encoder = new TextEncoder()
  let begun = false
  const begin = () => {
    const line = begun ? '' : `${header}\r\n`
    begun = true
    return line
  }
  const timeOf = (seconds: number) => {
    if (time === 'epoch') return String(seconds)
    if (time === 'iso') return isoMicroseconds(seconds)
    return String(Math.round((seconds - startTime) * 1e6) / 1e6)
  }
  return {
    page: function* (whole) {
      for (const page of slices(cut(whole, window))) {
        const sources = columns.map(({ source }) => page.columns[source])
        let lines = begin()
        for (let at = 0; at < page.count; at++) {
          lines += timeOf(page.time[at] ?? 0)
          for (const column of sources) lines += `,${field(column?.[at])}`
          lines += '\r\n'
        }
        yield encoder.encode(lines)
      }
    },
    finish: () => ({ bytes: encoder.encode(begin()) }),
    abort: () => {},
  }
}

function field(value: number | string | boolean | null | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number')
    return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Inf' : '-Inf'
  return typeof value === 'boolean' ? String(value) : quote(value)
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** RFC 3339 with microseconds: a double holds no more of a present epoch time. */
function isoMicroseconds(seconds: number): string {
  const microseconds = Math.round(seconds * 1e6)
  const ms = Math.floor(microseconds / 1000)
  return new Date(ms).toISOString().replace('Z', `${String(microseconds - ms * 1000).padStart(3, '0')}Z`)
}
