import { misspelt } from './problem.ts'

/** The whole number that an option names, from `least`, 0 unless given, to `most`. */
export function wholeNumber(
  option: string,
  text: string,
  { least = 0, most }: { readonly least?: number; readonly most?: number } = {},
): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= least && number <= (most ?? Number.MAX_SAFE_INTEGER)) return number
  const range = most === undefined ? (least === 0 ? '' : ` from ${least}`) : ` from ${least} to ${most}`
  throw misspelt(option, `${option} "${text}" is not a whole number${range}`)
}
