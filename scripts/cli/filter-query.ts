import { misspelt } from './problem.ts'
import { timeIn } from './time-in.ts'

type Filters<Name extends string> = { readonly [Key in Name | 'from' | 'to']?: string | undefined }

/** The query of what the options narrow a list to; `from` and `to` are times as people write them. */
export function filterQuery<Name extends string>(options: Filters<Name>, names: readonly Name[]): URLSearchParams {
  const query = new URLSearchParams()
  for (const name of names) {
    const value = options[name]
    if (value !== undefined) query.set(name, value)
  }
  for (const name of ['from', 'to'] as const) {
    const value = options[name]
    if (value !== undefined) query.set(name, timeIn(`--${name}`, value))
  }
  return query
}

/** How many of a list are wanted. */
export function listNumber(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1) return number
  throw misspelt('number', `"${text}" is not a whole number`)
}
