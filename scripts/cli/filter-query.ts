import { timeIn } from './time-in.ts'
import { wholeNumber } from './whole-number.ts'

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
export const listNumber = (text: string): number => wholeNumber('--number', text, { least: 1 })
