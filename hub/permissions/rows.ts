/** Permissions between the table, the API and decisions. */
import type { Permission, Subject, Terms } from '@fernlab/shared/contracts/permissions'
import type { Selectable } from 'kysely'
import type { HeldPermission } from './effective.ts'
import type { PermissionTable } from './tables.ts'

export type PermissionRow = Selectable<PermissionTable>

const iso = (ms: number) => new Date(ms).toISOString()

/** As the API shows it. */
export function viewOf(row: PermissionRow, subjectName: string | undefined): Permission {
  return {
    id: row.id,
    subject: (row.subject_kind === 'everyone'
      ? { kind: 'everyone' }
      : { kind: row.subject_kind, id: row.subject }) as Subject,
    ...(subjectName === undefined ? {} : { subjectName }),
    lab: row.lab,
    protocols: protocolsOf(row),
    ...(row.starts_at === null ? {} : { from: iso(row.starts_at) }),
    ...(row.ends_at === null ? {} : { until: iso(row.ends_at) }),
    ...(row.note === null ? {} : { note: row.note }),
    gives: JSON.parse(row.gives) as Terms,
  }
}

/** As decisions see it. */
export function heldOf(row: PermissionRow): HeldPermission {
  return {
    id: row.id,
    kind: row.subject_kind,
    subject: row.subject,
    lab: row.lab,
    protocols: protocolsOf(row),
    fromMs: row.starts_at,
    untilMs: row.ends_at,
    gives: JSON.parse(row.gives) as Terms,
  }
}

/** What a view says, as columns. */
export function columnsOf({
  subject,
  lab,
  protocols,
  from,
  until,
  note,
  gives,
}: Omit<Permission, 'id' | 'subjectName'>) {
  return {
    subject_kind: subject.kind,
    subject: 'id' in subject ? subject.id : '',
    lab,
    protocols: protocols === null ? null : JSON.stringify([...new Set(protocols)].sort()),
    starts_at: from === undefined ? null : Date.parse(from),
    ends_at: until === undefined ? null : Date.parse(until),
    note: note ?? null,
    gives: JSON.stringify(gives),
  }
}

const protocolsOf = ({ protocols }: PermissionRow) => (protocols === null ? null : (JSON.parse(protocols) as string[]))
