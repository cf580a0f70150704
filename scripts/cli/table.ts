import type { Terminal } from './terminal.ts'

/** Heading → cell of a row. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => string | number | undefined>>

/** Lines of a table with aligned columns; numbers to the right; an empty list is no lines. */
export function tableLines<Row>(rows: readonly Row[], columns: Columns<Row>): string[] {
  if (rows.length === 0) return []
  const headings = Object.keys(columns)
  const cells = rows.map((row) => Object.values(columns).map((cell) => cell(row) ?? ''))
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

/** Prints a listing: a table, or with `--json` the same objects as one JSON array. */
export function printList<Row>(
  terminal: Terminal,
  rows: readonly Row[],
  options: { readonly json?: boolean; readonly columns: Columns<Row>; readonly empty: string },
): void {
  if (options.json) terminal.out(JSON.stringify(rows, null, 2))
  else if (rows.length === 0) terminal.out(options.empty)
  else for (const line of tableLines(rows, options.columns)) terminal.out(line)
}

const width = (text: string): number => [...text].length
