/**
 * Reads a list of people as spreadsheets save it. Pure.
 *
 * The first line names the columns, in any order: name and email, and role and groups if there are any (in Spanish:
 * nombre, correo, función, grupos); groups are ids with spaces between. Columns are separated by the comma, the semicolon or
 * the tab, whichever of them makes the first line name columns, or the one that a line `sep=;` above it says; a byte-order
 * mark does no harm.
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

/** More than these nobody mends one by one. */
const MOST_ISSUES = 1000
const separators = [',', ';', '\t'] as const

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
  const notUtf8 = (line: number) =>
    refused(`line ${line} is not UTF-8: save the list as “CSV UTF-8” and choose it again`, `csv[${line}]`)
  const broken = text.indexOf('\ufffd')
  if (broken >= 0) return notUtf8(text.slice(0, broken).split('\n').length)
  let lines: Line[]
  try {
    lines = linesOf(text)
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const line = Number(error.lines)
    return refused(`is not CSV: ${error.message}`, Number.isInteger(line) ? `csv[${line}]` : 'csv')
  }
  const [first, ...rest] = lines
  if (first === undefined) return refused('is empty')
  const top = first.info.lines
  const columns = first.record.map(columnOf)
  const at = (column: Column) => columns.indexOf(column)
  const missing = (['name', 'email'] as const).filter((column) => at(column) < 0)
  // Every other byte of UTF-16 is a zero.
  if (missing.length > 0 && text.slice(0, 200).includes('\0')) return notUtf8(top)
  if (missing.length > 0)
    return refused(`line ${top} names no column ${missing.join(' and no column ')}`, `csv[${top}]`)
  const again = columns.find((column, index) => column !== undefined && at(column) !== index)
  if (again !== undefined) return refused(`line ${top} names the column ${again} twice`, `csv[${top}].${again}`)
  if (rest.length > MOST_IMPORTED) return refused(tooManyPeople)
  if (rest.length === 0) return refused('has headings and nobody below them')

  const people: ListedPerson[] = []
  const issues: Issue[] = []
  const seen = new Map<string, number>()
  for (const { record, info } of rest) {
    const line = info.lines
    const value = (column: Column) => record[at(column)] ?? ''
    const wrong = (column: string, message: string) =>
      issues.push({ path: `csv[${line}]${column === '' ? '' : `.${column}`}`, message: `line ${line}: ${message}` })
    const [name, email, given] = [value('name'), value('email').toLowerCase(), value('role').toLowerCase()]
    const found = given === '' ? role : roles.find((known) => known === given)
    const before = issues.length
    if (record.slice(columns.length).some((cell) => cell !== ''))
      wrong('', `${record.length} cells for ${columns.length} columns: a cell that holds the separator needs quotes`)
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
  return { people: issues.length > 0 ? [] : people, issues: fewest(issues) }
}

/** As many as anybody mends, and how many more there are. */
export function fewest(issues: readonly Issue[]): Issue[] {
  if (issues.length <= MOST_ISSUES) return [...issues]
  return [...issues.slice(0, MOST_ISSUES), { path: 'csv', message: `and ${issues.length - MOST_ISSUES} more` }]
}

/** Throws `CsvError` for what is none. */
function linesOf(text: string): Line[] {
  const said = /^\ufeff?"?sep=([,;\t])"?\n/i.exec(text)
  return parse(text, {
    bom: true,
    delimiter: said?.[1] ?? separatorOf(text),
    from_line: said === null ? 1 : 2,
    trim: true,
    info: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    relax_column_count: true,
    to: MOST_IMPORTED + 2,
  }) as unknown as Line[]
}

/** The one by which the first line names most columns; the others may stand within names. */
function separatorOf(text: string): string {
  const first = /^[\s\ufeff]*([^\n]*)/.exec(text.slice(0, 10_000))?.[1] ?? ''
  const known = (separator: string) => first.split(separator).filter((cell) => columnOf(cell) !== undefined).length
  return [...separators].sort((one, other) => known(other) - known(one))[0] ?? ','
}

const columnOf = (cell: string): Column | undefined =>
  headings[cell.trim().replaceAll(/^"|"$/g, '').trim().toLowerCase().replaceAll('_', ' ')]
