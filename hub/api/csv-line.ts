export type CsvCell = string | number | null | undefined

/** A line of CSV (RFC 4180); what a spreadsheet would take for a formula is told to be text. */
export function csvLine(cells: readonly CsvCell[]): string {
  const quoted = cells.map((cell) => {
    if (typeof cell === 'number') return String(cell)
    const text = cell ?? ''
    return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  })
  return `${quoted.join(',')}\r\n`
}
