/** The points of a calibration as people type or paste them: a raw value and the true one in each line. */

import type { CalibrationPoint } from '@fernlab/shared/calibration/curve-fit'
import { inverseOf } from '@fernlab/shared/calibration/inverse'
import type { CalibrationRecord } from '@fernlab/shared/contracts/calibrations'

export interface TypedPoints {
  readonly points: readonly CalibrationPoint[]
  /** The first line that can not be read, counted from 1: no two numbers, or the first of them only. */
  readonly bad?: { readonly line: number; readonly why: 'wrong' | 'half' }
}

const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** Between the two stands a tab, a semicolon, spaces or a comma; a decimal comma is read where it does not stand between them. */
export function readPoints(text: string): TypedPoints {
  const points: CalibrationPoint[] = []
  let bad: TypedPoints['bad']
  for (const [i, line] of text.split(/\r\n?|\n/).entries()) {
    const cells = cellsOf(line.trim().replaceAll('−', '-'))
    const isHeading = i === 0 && cells.every((cell) => !/\d/.test(cell))
    if (cells.length === 0 || line.startsWith('#') || isHeading) continue
    const [raw = Number.NaN, value = Number.NaN] = cells.map(numberOf)
    if (cells.length === 2 && Number.isFinite(raw) && Number.isFinite(value)) points.push({ raw, value })
    else bad ??= { line: i + 1, why: cells.length === 1 && Number.isFinite(raw) ? 'half' : 'wrong' }
  }
  return { points, ...(bad === undefined ? {} : { bad }) }
}

function cellsOf(line: string): string[] {
  const cells = /[\t;]/.test(line)
    ? line.split(/[\t;]/).map((cell) => cell.trim())
    : /\s/.test(line)
      ? line.split(/\s+/).map((cell) => cell.replace(/,$/, ''))
      : line.split(',')
  return cells.filter((cell) => cell !== '')
}

function numberOf(cell: string): number {
  const pointed = cell.includes('.') ? cell : cell.replace(',', '.')
  return number.test(pointed) ? Number(pointed) : Number.NaN
}

/** The text with a further raw value, after which the true one is to be typed. */
export function withRaw(text: string, raw: number): string {
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`
  return `${before}${Number(raw.toPrecision(12))} `
}

/** Of what raw value a reading was made by the calibration in force; undefined where it may have been made of several. */
export function rawOfReading(value: number, inForce: Pick<CalibrationRecord, 'curve'> | undefined): number | undefined {
  if (inForce == null || inForce.curve === null) return value
  const raw = inverseOf(inForce.curve, { low: -Infinity, high: Infinity })?.(value)
  return raw === undefined || Number.isNaN(raw) ? undefined : raw
}
