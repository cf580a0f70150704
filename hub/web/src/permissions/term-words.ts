import type { Permission, Term, Terms } from '@fernlab/shared/contracts/permissions'
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
export function subjectText({ subject, subjectName }: Permission, { t }: Words): string {
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
