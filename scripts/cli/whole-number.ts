import { misspelt } from './problem.ts'

/** The whole number that an option names. */
export function wholeNumber(option: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw misspelt(option, `${option} "${text}" is not a whole number`)
}
