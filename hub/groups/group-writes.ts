/**
 * Making, changing and removing groups.
 *
 * INVARIANTS: no group lies within itself, also when two are moved into each other at once: the database refuses the
 * second; what a group's removal takes away goes in the same write.
 */
import type { ChangeGroup, CreateGroup } from '@fernlab/shared/contracts/groups'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { sql } from 'kysely'
import type { Caller } from '../accounts/caller.ts'
import { auditEntries, wasAndIs } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import { checkOuter, checkTimes, groupUnknown } from './group-checks.ts'
import type { GroupSight } from './group-sight.ts'

export interface GroupWrites {
  /** Whoever makes one and is no admin is its instructor. Throws `group-exists`. */
  create(caller: Caller, input: CreateGroup): Promise<void>
  /** Throws `group-cycle` for a group that would lie within itself. */
  change(caller: Caller, id: string, input: ChangeGroup): Promise<void>
  /** What lay in it lies in its outer one then; its people, permissions and open invitations go with it. */
  remove(caller: Caller, id: string): Promise<void>
}

export interface GroupWritesOptions {
  readonly store: Store
  readonly clock: Clock
  readonly sight: GroupSight
}

/** Writes groups to the store, each change with its entry in the audit log. */
export function createGroupWrites({ store, clock, sight }: GroupWritesOptions): GroupWrites {
  const { db } = store
  const audit = auditEntries(store, clock)

  return {
    create: async (caller, { id, name, kind, within, from, until }) => {
      checkTimes({ kind, from, until })
      checkOuter(await sight.seen(caller), within)
      const now = clock.now()
      const row = { id, name, kind, within: within ?? null, starts_at: ms(from), ends_at: ms(until), created_at: now }
      const own = { group_id: id, person_id: caller.personId, role: 'instructor' as const, added_at: now }
      await writing(name, () =>
        store.write([
          db.insertInto('people_group').values(row),
          ...(caller.role === 'admin' ? [] : [db.insertInto('group_member').values(own)]),
          audit(caller.personId, 'group.created', id, { name, kind, ...(within === undefined ? {} : { within }) }),
        ]),
      )
    },
    change: async (caller, id, input) => {
      const found = await sight.managed(caller, id)
      const { row } = found
      const { name, kind, within, starts_at, ends_at } = row
      const before = { name, kind, within, from: iso(starts_at), until: iso(ends_at) }
      const next = {
        name: input.name ?? row.name,
        kind: input.kind ?? row.kind,
        within: input.within === undefined ? row.within : input.within,
        starts_at: input.from === undefined ? row.starts_at : ms(input.from),
        ends_at: input.until === undefined ? row.ends_at : ms(input.until),
      }
      checkTimes({ kind: next.kind, from: iso(next.starts_at), until: iso(next.ends_at) })
      if (next.within !== row.within) checkOuter(found, next.within)
      const update = db.updateTable('people_group').set(next).where('id', '=', id)
      const query = next.within === null ? update : update.where(sql<boolean>`NOT ${liesWithin(next.within, id)}`)
      try {
        await writing(next.name, () =>
          store.write([{ query, expect: 1 }, audit(caller.personId, 'group.changed', id, wasAndIs(before, input))]),
        )
      } catch (error) {
        if (asLabError(error).code !== 'precondition-failed') throw error
        if (!(await sight.readTree()).has(id)) throw groupUnknown(id)
        const message = `${next.within} lies within ${id}`
        throw new LabError({ code: 'group-cycle', kind: 'caller', message, issues: [{ path: 'within', message }] })
      }
    },
    remove: async (caller, id) => {
      const { row } = await sight.managed(caller, id)
      await store.write([
        db.updateTable('people_group').set({ within: row.within }).where('within', '=', id),
        db
          .updateTable('invitation')
          .set({ revoked_at: clock.now() })
          .where('group_id', '=', id)
          .where('revoked_at', 'is', null),
        db.deleteFrom('group_member').where('group_id', '=', id),
        db.deleteFrom('permission').where('subject_kind', '=', 'group').where('subject', '=', id),
        db.deleteFrom('people_group').where('id', '=', id),
        audit(caller.personId, 'group.removed', id, { name: row.name }),
      ])
    },
  }
}

/** True in SQL when the one group is the other or lies within it. */
function liesWithin(id: string, outer: string) {
  return sql<boolean>`EXISTS (
      WITH RECURSIVE way (id) AS (
        SELECT ${id} UNION SELECT g.within FROM people_group g JOIN way ON g.id = way.id WHERE g.within IS NOT NULL
      ) SELECT 1 FROM way WHERE id = ${outer})`
}

async function writing<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (asLabError(error).code !== 'constraint-failed') throw error
    throw new LabError({
      code: 'group-exists',
      kind: 'caller',
      message: `there is a group with this id or the name ${JSON.stringify(name)}`,
      studentMessage: 'There is a group with this id or this name. Choose another.',
    })
  }
}

const iso = (atMs: number | null) => (atMs === null ? undefined : new Date(atMs).toISOString())
const ms = (text: string | null | undefined) => (text == null ? null : Date.parse(text))
