import { page } from '@fernlab/shared/contracts/api'
import { type AuditEntry, type AuditFilter, auditEntrySchema, auditFilterSchema } from '@fernlab/shared/contracts/audit'
import { readAudit } from '../../accounts/audit-log.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { csvAnswer } from '../csv-answer.ts'
import { cursorAfter, cursorId, pageQuery } from '../paging.ts'

const AT_ONCE = 500

/** The audit log, as pages and as a file. */
export function auditRoutes(add: AddRoute, { store }: ApiParts): void {
  add(
    {
      method: 'get',
      path: '/api/v1/audit',
      tag: 'People',
      summary: 'Who changed what, newest first',
      access: 'audit.read',
      query: pageQuery.extend(auditFilterSchema.shape),
      answer: { schema: page(auditEntrySchema), what: 'Entries' },
    },
    async ({ c, query: { limit, cursor, ...filter } }) => {
      const after = cursorId(cursor)
      const { items, more } = await readAudit(store, filter, { limit, ...(after ? { before: Number(after) } : {}) })
      const last = items.at(-1)
      return c.json({ items, ...(more && last !== undefined ? { cursor: cursorAfter(last.id) } : {}) })
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/audit.csv',
      tag: 'People',
      summary: 'Who changed what, newest first, as a table',
      access: 'audit.read',
      query: auditFilterSchema,
      answer: { what: 'CSV with a header', type: 'text/csv' },
    },
    ({ c, query }) => csvAnswer(c, 'fernlab-audit.csv', () => linesOf(query)),
  )

  async function* linesOf(filter: AuditFilter): AsyncGenerator<string[]> {
    yield ['time', 'person', 'name', 'action', 'subject', 'subject_name', 'detail', 'address']
    let before: number | undefined
    let more = true
    while (more) {
      const found = await readAudit(store, filter, { limit: AT_ONCE, before })
      yield* found.items.map(cellsOf)
      before = Number(found.items.at(-1)?.id)
      more = found.more
    }
  }
}

const cellsOf = ({
  at,
  person = '',
  personName = '',
  action,
  subject,
  subjectName = '',
  detail,
  address = '',
}: AuditEntry) => [at, person, personName, action, subject, subjectName, JSON.stringify(detail), address]
