/** Where and when a permission holds, as options of the verbs that give, change and copy one. */
import type { Command } from 'commander'
import { withHub } from './context.ts'
import { readSubject, readTerms } from './permission-words.ts'
import { timeIn } from './time-in.ts'

export interface Where {
  readonly lab?: string
  readonly protocols?: string
  readonly from?: string
  readonly until?: string
  readonly note?: string
}

/** Adds these options to a verb. */
export const scoped = (command: Command): Command =>
  withHub(command)
    .option('--lab <lab>', 'in this lab; "all" for every one')
    .option('--protocols <names>', 'only these, with commas between; "all" for every one')
    .option('--from <time>', 'from then on; "none" for always')
    .option('--until <time>', 'until then; "none" for ever')
    .option('--note <words>', 'what it is for; "none" for nothing')

/** What they say, as the API takes it. */
export function whereOf({ lab, protocols, from, until, note }: Where) {
  return {
    ...(lab === undefined ? {} : { lab: lab === 'all' ? null : lab }),
    ...(protocols === undefined ? {} : { protocols: protocols === 'all' ? null : protocols.split(',') }),
    ...(from === undefined ? {} : { from: from === 'none' ? null : timeIn('--from', from) }),
    ...(until === undefined ? {} : { until: until === 'none' ? null : timeIn('--until', until) }),
    ...(note === undefined ? {} : { note: note === 'none' ? null : note }),
  }
}

/** A change of a permission: other terms, another place or time, somebody else. */
export const changeOf = (terms: readonly string[], options: Where & { readonly to?: string }) => ({
  ...(options.to === undefined ? {} : { subject: readSubject(options.to) }),
  ...whereOf(options),
  ...(terms.length === 0 ? {} : { gives: readTerms(terms) }),
})
