import { mistake } from './problem.ts'

/** The time that an option names, as the API takes it. */
export function timeIn(option: string, text: string): string {
  const time = new Date(text)
  if (Number.isNaN(time.getTime()))
    throw mistake(option, `"${text}" is not a time`, 'Write it as 2027-02-01 or 2027-02-01T08:00Z.')
  return time.toISOString()
}
