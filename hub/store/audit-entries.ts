import type { Clock } from '@fernlab/shared/primitives/clock'
import { callersAddress } from './calling-from.ts'
import type { Store } from './store.ts'

/**
 * Makes entries of the audit log: who (null for the site itself) did what, to what, and from where. Each is a query that
 * belongs into the same write as what it tells of; `detail` never holds a secret. What the site does by itself was done from
 * nowhere, unless `from` says otherwise.
 */
export function auditEntries({ db }: Pick<Store, 'db'>, clock: Clock) {
  return (by: string | null, action: string, subject: string, detail: object = {}, from = placeOf(by)) =>
    db.insertInto('audit').values({
      at: clock.now(),
      person_id: by,
      action,
      subject,
      detail: JSON.stringify(detail),
      address: from ?? null,
    })
}

/** From where somebody does what they are doing now. */
const placeOf = (by: string | null): string | undefined => (by === null ? undefined : callersAddress())

/** For the detail of an entry: the fields that a change names, as they were and as they are; null where there was none. */
export function wasAndIs(before: object | undefined, change: object): { was: object; is: object } {
  const known = new Map<string, unknown>(Object.entries(before ?? {}))
  const was = Object.fromEntries(Object.keys(change).map((field) => [field, known.get(field) ?? null]))
  return { was, is: change }
}
