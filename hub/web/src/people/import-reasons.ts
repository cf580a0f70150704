import { reasonsAmong } from '@fernlab/shared/contracts/reasons'
import type { TFunction } from 'i18next'
import { enStaff } from '../language/en-staff.ts'

const find = reasonsAmong(enStaff.importReason)

/** What is wrong with a list of people, in the language of the page. */
export function importReasonIn(message: string, t: TFunction): string {
  const found = find(message)
  if (found === undefined) return message
  const { why, ...values } = found.values
  return t(`importReason.${found.name}`, {
    ...values,
    ...(why === undefined ? {} : { why: importReasonIn(why, t) }),
  })
}
