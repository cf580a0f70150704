import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import { cellText } from './shown-time.ts'
import type { Terminal } from './terminal.ts'

/** Heading → cell of a row; a time is shown by the clocks of this machine. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => string | number | Date | undefined>>

/** Lines of a table with aligned columns; numbers to the right; an empty list is no lines. */
export function tableLines<Row>(rows: readonly Row[], columns: Columns<Row>): string[] {
  if (rows.length === 0) return []
  const headings = Object.keys(columns)
  const cells = rows.map((row) => cellsOf(row, columns))
  const widths = headings.map((heading, i) => Math.max(heading.length, ...cells.map((row) => width(String(row[i])))))
  const line = (row: readonly (string | number)[]) =>
    row
      .map((cell, i) => {
        const gap = ' '.repeat((widths[i] ?? 0) - width(String(cell)))
        return typeof cell === 'number' ? `${gap}${cell}` : `${cell}${gap}`
      })
      .join('  ')
      .trimEnd()
  return [line(headings.map((heading) => heading.toUpperCase())), ...cells.map(line)]
}

/** The same rows where a table is too wide: the first cell, and below it the others that say something, by name. */
export function recordLines<Row>(rows: readonly Row[], columns: Columns<Row>, most: number): string[] {
  const headings = Object.keys(columns)
  return rows.flatMap((row) => {
    const [first = '', ...rest] = cellsOf(row, columns)
    const said = rest.flatMap((cell, i) => (cell === '' ? [] : [`${headings[i + 1]}: ${cell}`]))
    const lines: string[] = []
    for (const words of said) {
      const last = lines.at(-1)
      if (last !== undefined && width(last) + 2 + width(words) <= most) lines[lines.length - 1] = `${last}  ${words}`
      else lines.push(`  ${words}`)
    }
    return [String(first), ...lines]
  })
}

/** Prints a listing: a table, or with `--json` the same objects as one JSON array. */
export function printList<Row>(
  terminal: Terminal,
  rows: readonly Row[],
  options: { readonly json?: boolean; readonly columns: Columns<Row>; readonly empty: string },
): void {
  const { json, columns, empty } = options
  if (json || rows.length === 0) {
    terminal.out(json ? JSON.stringify(rows, null, 2) : empty)
    return
  }
  const table = tableLines(rows, columns)
  const fits = !terminal.interactive || table.every((line) => width(line) <= terminal.columns)
  for (const line of fits ? table : recordLines(rows, columns, terminal.columns)) terminal.out(line)
  const showsTimes = rows.some((row) => Object.values(columns).some((cell) => cell(row) instanceof Date))
  if (showsTimes) terminal.err(`Times are those of ${ownTimeZone()}.`)
}

const cellsOf = <Row>(row: Row, columns: Columns<Row>): (string | number)[] =>
  Object.values(columns).map((cell) => {
    const found = cell(row) ?? ''
    return found instanceof Date ? cellText(found) : found
  })

const width = (text: string): number => [...text].length
