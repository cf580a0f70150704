import { reasonsAmong } from '@fernlab/shared/contracts/reasons'
import type { TFunction } from 'i18next'
import { enRefusals } from '../language/en-refusals.ts'

const find = reasonsAmong(enRefusals.refusal)

/** What the hub says of a form that it refused, in the language of the page; what the page does not know stays as it is. */
export function refusalIn(sentence: string, t: TFunction): string {
  const found = find(sentence)
  if (found === undefined) return sentence
  const { why, ...values } = found.values
  return t(`refusal.${found.name}`, { ...values, ...(why === undefined ? {} : { why: refusalIn(why, t) }) })
}
