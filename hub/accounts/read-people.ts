/**
 * Reads a list of people as spreadsheets save it. Pure.
 *
 * The first line names the columns, in any order: name and email, and role and groups if there are any (in Spanish:
 * nombre, correo, función, grupos); groups are ids with spaces between. Columns are separated by commas, semicolons or tabs; a byte-order mark does no harm.
 */
import { isPlain } from '@fernlab/shared/contracts/common'
import { MOST_IMPORTED, roles, tooManyPeople } from '@fernlab/shared/contracts/people'
import { isName } from '@fernlab/shared/primitives/ids'
import type { Issue } from '@fernlab/shared/primitives/lab-error'
import { CsvError, parse } from 'csv-parse/sync'
import * as z from 'zod'
import type { Role } from './caller.ts'

export interface ListedPerson {
  readonly line: number
  readonly name: string
  /** Lower-case. */
  readonly email: string
  readonly role: Role
  readonly groups: readonly string[]
}

const MOST_ISSUES = 50

type Column = 'name' | 'email' | 'role' | 'groups'

const headings: Readonly<Record<string, Column>> = {
  name: 'name',
  nombre: 'name',
  email: 'email',
  'e-mail': 'email',
  mail: 'email',
  'mail address': 'email',
  correo: 'email',
  role: 'role',
  función: 'role',
  rol: 'role',
  groups: 'groups',
  group: 'groups',
  grupos: 'groups',
  grupo: 'groups',
}

const emailSchema = z.email()

interface Line {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

/** The people of the list, or everything that is wrong with it; `role` and `groups` are for lines that name none. */
export function readPeople(
  list: string,
  role: Role,
  groups: readonly string[] = [],
): { people: ListedPerson[]; issues: Issue[] } {
  const refused = (message: string, path = 'csv') => ({ people: [], issues: [{ path, message }] })
  // As one sort of line end, so that lines are counted as an editor does, within quotes too.
  const text = list.replaceAll(/\r\n?/g, '\n')
  const broken = text.indexOf('\ufffd')
  if (broken >= 0) {
    const line = text.slice(0, broken).split('\n').length
    return refused(`line ${line} is not UTF-8: save the list as “CSV UTF-8” and choose it again`, `csv[${line}]`)
  }
  let lines: Line[]
  try {
    lines = parse(text, {
      bom: true,
      delimiter: [',', ';', '\t'],
      trim: true,
      info: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      relax_column_count: true,
      to: MOST_IMPORTED + 2,
    }) as unknown as Line[]
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    return refused(`is not CSV: ${error.message}`)
  }
  const [first, ...rest] = lines
  if (first === undefined) return refused('is empty')
  const columns = first.record.map((heading) => headings[heading.toLowerCase().replaceAll('_', ' ')])
  const at = (column: Column) => columns.indexOf(column)
  const missing = (['name', 'email'] as const).filter((column) => at(column) < 0)
  if (missing.length > 0) return refused(`line 1 names no column ${missing.join(' and no column ')}`, 'csv[1]')
  if (rest.length > MOST_IMPORTED) return refused(tooManyPeople)
  if (rest.length === 0) return refused('has headings and nobody below them')

  const people: ListedPerson[] = []
  const issues: Issue[] = []
  const seen = new Map<string, number>()
  for (const { record, info } of rest) {
    const line = info.lines
    const value = (column: Column) => record[at(column)] ?? ''
    const wrong = (column: string, message: string) =>
      issues.push({ path: `csv[${line}].${column}`, message: `line ${line}: ${message}` })
    const [name, email, given] = [value('name'), value('email').toLowerCase(), value('role').toLowerCase()]
    const found = given === '' ? role : roles.find((known) => known === given)
    const before = issues.length
    if (name === '') wrong('name', 'there is no name')
    if (!isPlain(name)) wrong('name', 'the name holds control characters')
    if (name.length > 120) wrong('name', 'the name is longer than 120 characters')
    const other = seen.get(email)
    if (!emailSchema.safeParse(email).success) wrong('email', `${JSON.stringify(email)} is not a mail address`)
    else if (other !== undefined) wrong('email', `${email} stands in line ${other} already`)
    if (found === undefined) wrong('role', `${JSON.stringify(given)} is not a role; roles are ${roles.join(', ')}`)
    const named = value('groups')
      .toLowerCase()
      .split(/[\s,;|]+/)
      .filter((id) => id !== '')
    for (const id of named) if (!isName(id)) wrong('groups', `${JSON.stringify(id)} is not the id of a group`)
    seen.set(email, line)
    const into = named.length === 0 ? groups : [...new Set(named)]
    if (issues.length === before && found !== undefined) people.push({ line, name, email, role: found, groups: into })
  }
  if (issues.length > MOST_ISSUES) {
    const more = issues.length - MOST_ISSUES
    return { people: [], issues: [...issues.slice(0, MOST_ISSUES), { path: 'csv', message: `and ${more} more` }] }
  }
  return { people: issues.length > 0 ? [] : people, issues }
}
