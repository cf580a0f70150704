import type { ImportedPeople } from '@fernlab/shared/contracts/api'

/** A CSV file with each person's link; what a spreadsheet would take for a formula is told to be text. */
export function linksFile(people: ImportedPeople['people']): Blob {
  const cell = (text: string) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  const lines = people.flatMap(({ name, email, link }) =>
    link === undefined ? [] : [`${[name, email, link].map(cell).join(',')}\r\n`],
  )
  return new Blob(['\uFEFFname,email,link\r\n', ...lines], { type: 'text/csv;charset=utf-8' })
}

/** Hands the file to the person under that name. */
export function save(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  // The browser has taken it by then; until the address ends, the file stays in memory.
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
