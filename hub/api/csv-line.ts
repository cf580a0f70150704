/** A line of CSV; what a spreadsheet would take for a formula is told to be text. */
export function csvLine(cells: readonly string[]): string {
  const quoted = cells.map((text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`)
  return `${quoted.join(',')}\r\n`
}
