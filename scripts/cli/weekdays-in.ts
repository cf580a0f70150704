import { type Weekday, weekdays } from '@fernlab/shared/contracts/bench-care'
import { misspelt } from './problem.ts'

/** The days of `mon,thu` or `fri-mon`, each once. */
export const weekdaysIn = (option: string, text: string): Weekday[] => [
  ...new Set(
    text
      .toLowerCase()
      .split(',')
      .flatMap((part) => daysOf(option, part.trim())),
  ),
]

function daysOf(option: string, text: string): Weekday[] {
  const [first, last = first, ...rest] = text.split('-').map((name) => (weekdays as readonly string[]).indexOf(name))
  if (first === undefined || last === undefined || first < 0 || last < 0 || rest.length > 0) {
    throw misspelt(option, `"${text}" is no day`, `Days: ${weekdays.join(', ')}, or two with a dash.`)
  }
  const count = ((last - first + 7) % 7) + 1
  return Array.from({ length: count }, (_, i) => weekdays[(first + i) % 7] as Weekday)
}
