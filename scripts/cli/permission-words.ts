/** Who gets a permission and what it gives, as the command line reads and says it. */
import {
  type Permission,
  type Subject,
  subjectSchema,
  type Term,
  type Terms,
  termsSchema,
} from '@fernlab/shared/contracts/permissions'
import { termNames } from '@fernlab/shared/contracts/terms'
import { misspelt } from './problem.ts'

export const termsHelp = `terms as NAME=VALUE: ${termNames.join(', ')}; times in seconds, "none" for no limit`

/** `everyone`, `role:student`, `group:optics`, `person:ada@example.org`. */
export function readSubject(text: string): Subject {
  const [kind, ...rest] = text.split(':')
  const id = rest.join(':')
  const read = subjectSchema.safeParse(kind === 'everyone' && id === '' ? { kind } : { kind, id })
  if (read.success) return read.data
  throw misspelt(
    'subject',
    `"${text}" is nobody`,
    'Say everyone, role:student, group:optics or person:ada@example.org.',
  )
}

/** `mostOpen=3`, `dayS=none`, `mayBook=yes`. */
export function readTerms(words: readonly string[]): Partial<Terms> {
  const entries = words.map((word) => {
    const [name = '', text = ''] = word.split('=')
    const term = termNames.find((known) => known === name)
    if (term === undefined) throw misspelt('terms', `"${word}" is no term`, `Terms: ${termNames.join(', ')}.`)
    const value = text === 'none' ? null : text === 'yes' ? true : text === 'no' ? false : Number(text || 'x')
    const read = termsSchema.shape[term].safeParse(value)
    if (!read.success) throw misspelt('terms', `${name}="${text}" can't be`, 'Say a number, "none", or yes or no.')
    return [term, read.data] as const
  })
  return Object.fromEntries(entries) as Partial<Terms>
}

export function subjectText({ subject, subjectName }: Pick<Permission, 'subject' | 'subjectName'>): string {
  if (subject.kind === 'everyone') return 'everyone'
  return `${subject.kind}:${subject.id}${subjectName === undefined || subject.kind === 'group' ? '' : ` (${subjectName})`}`
}

export const valueText = (value: Terms[Term]): string =>
  value === null ? 'none' : typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
export const termsText = (gives: Terms): string =>
  termNames.map((term) => `${term}=${valueText(gives[term])}`).join(' ')
