import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Store } from './store.ts'

/**
 * Makes entries of the audit log: who (null for the site itself) did what, to what. Each is a query that belongs into the
 * same write as what it tells of; `detail` never holds a secret.
 */
export function auditEntries({ db }: Pick<Store, 'db'>, clock: Clock) {
  return (by: string | null, action: string, subject: string, detail: object = {}) =>
    db.insertInto('audit').values({ at: clock.now(), person_id: by, action, subject, detail: JSON.stringify(detail) })
}
