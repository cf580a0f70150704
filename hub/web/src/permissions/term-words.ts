import type { Permission, Term, Terms } from '@fernlab/shared/contracts/permissions'
import { termNames, usualTerms } from '@fernlab/shared/contracts/terms'
import type { useWords } from '../words/use-words.ts'

type Words = ReturnType<typeof useWords>

/** The value of a term, as a person says it. */
export function termValue(term: Term, gives: Terms, { t, duration }: Words): string {
  const value = gives[term]
  if (typeof value === 'boolean') return t(value ? 'permissions.yes' : 'permissions.no')
  if (value === null) return t('permissions.noLimit')
  if (term.endsWith('S')) return value === 0 ? t('permissions.none') : duration(value)
  return String(value)
}

/** For whom a permission is. */
export function subjectText(
  { subject, subjectName }: Pick<Permission, 'subject' | 'subjectName'>,
  { t }: Words,
): string {
  switch (subject.kind) {
    case 'everyone':
      return t('permissions.everyone')
    case 'role':
      return t('permissions.roleOf', { role: t(`account.roles.${subject.id}`) })
    case 'group':
    case 'person':
      return subjectName ?? subject.id
  }
}

/** What it gives, but for what is as usual and says nothing. */
export function termsText(gives: Terms, words: Words): string {
  const { t } = words
  const said = termNames.filter((term: Term) => {
    if (term === 'mayQueue' || term === 'mayBook') return true
    if (!gives.mayBook && (term === 'bookAheadS' || term === 'mostBookings' || term === 'sessionS')) return false
    return gives[term] !== usualTerms[term]
  })
  return said.map((term) => `${t(`permissions.terms.${term}`)}: ${termValue(term, gives, words)}`).join(' · ')
}
