/** Reads the audit log. Each part of the hub writes its entries in the write that does what they tell. */
import type { AuditEntry, AuditFilter } from '@fernlab/shared/contracts/audit'
import type { Migration } from '@fernlab/shared/storage/database'
import type { Store } from '../store/store.ts'

export const auditMigration: Migration = {
  name: '011-audit',
  sql: `
CREATE INDEX audit_of_person ON audit (person_id, id);
CREATE INDEX audit_of_subject ON audit (subject, id);
CREATE INDEX audit_at ON audit (at);
`,
}

export const auditAddressMigration: Migration = {
  name: '026-audit-address',
  sql: `
ALTER TABLE audit ADD COLUMN address TEXT;
CREATE INDEX audit_with_address ON audit (at) WHERE address IS NOT NULL;
`,
}

/** Newest first, before the entry with the number `before`. */
export async function readAudit(
  { db }: Store,
  { person, action, subject, from, to }: AuditFilter,
  { limit, before = Number.MAX_SAFE_INTEGER }: { limit: number; before?: number | undefined },
): Promise<{ items: AuditEntry[]; more: boolean }> {
  const idOf = async (given: string): Promise<string> => {
    if (!given.includes('@')) return given
    const row = await db.selectFrom('user').select('id').where('email', '=', given.toLowerCase()).executeTakeFirst()
    return row?.id ?? given
  }
  let query = db
    .selectFrom('audit')
    .leftJoin('user as doer', 'doer.id', 'audit.person_id')
    .leftJoin('user as target', 'target.id', 'audit.subject')
    .selectAll('audit')
    .select(['doer.name as personName', 'target.name as subjectName'])
    .where('audit.id', '<', before)
  if (person !== undefined) query = query.where('audit.person_id', '=', await idOf(person))
  if (subject !== undefined) query = query.where('audit.subject', '=', await idOf(subject))
  if (action !== undefined) {
    // `/` comes next after `.`: this is "begins with".
    query = query.where(({ or, and, eb }) =>
      or([
        eb('audit.action', '=', action),
        and([eb('audit.action', '>=', `${action}.`), eb('audit.action', '<', `${action}/`)]),
      ]),
    )
  }
  if (from !== undefined) query = query.where('audit.at', '>=', Date.parse(from))
  if (to !== undefined) query = query.where('audit.at', '<', Date.parse(to))
  const rows = await query
    .orderBy('audit.id', 'desc')
    .limit(limit + 1)
    .execute()
  const items = rows.slice(0, limit).map((row) => ({
    id: String(row.id),
    at: new Date(row.at).toISOString(),
    ...(row.person_id === null ? {} : { person: row.person_id }),
    ...(row.personName === null ? {} : { personName: row.personName }),
    action: row.action,
    subject: row.subject,
    ...(row.subjectName === null ? {} : { subjectName: row.subjectName }),
    ...(row.address === null ? {} : { address: row.address }),
    detail: JSON.parse(row.detail) as Record<string, unknown>,
  }))
  return { items, more: rows.length > limit }
}
