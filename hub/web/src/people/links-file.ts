import type { ImportedPeople } from '@fernlab/shared/contracts/api'

/** The address of a CSV file with each person's link; what a spreadsheet would take for a formula is told to be text. */
export function linksFile(people: ImportedPeople['people']): string {
  const cell = (text: string) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  const lines = people.map(({ name, email, link = '' }) => [name, email, link].map(cell).join(','))
  return `data:text/csv;charset=utf-8,${encodeURIComponent(`\uFEFFname,email,link\r\n${lines.join('\r\n')}\r\n`)}`
}
