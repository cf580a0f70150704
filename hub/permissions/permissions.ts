/**
 * Permissions in the store: reading, making, changing, copying, many at once; their templates are in templates.ts.
 *
 * INVARIANTS: every change is in the audit log in the same write, with what was and what is.
 */
import type {
  BulkDone,
  ChangePermission,
  CreatePermission,
  Permission,
  Subject,
} from '@fernlab/shared/contracts/permissions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Caller } from '../accounts/caller.ts'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store, StoreQuery } from '../store/store.ts'
import { columnsOf, type PermissionRow, viewOf } from './rows.ts'
import { createTemplates, type Templates, templateTerms } from './templates.ts'

export interface PermissionFilter {
  /** Those that count in this lab: its own and those for every lab. */
  readonly lab?: string | undefined
  readonly kind?: Subject['kind'] | undefined
  readonly subject?: string | undefined
}

export interface Permissions extends Templates {
  list(
    filter: PermissionFilter,
    page: { limit: number; after?: string },
  ): Promise<{ items: Permission[]; more: boolean }>
  /** Throws `permission-unknown`. */
  get(id: string): Promise<Permission>
  named(ids: readonly string[]): Promise<Permission[]>
  /** Throws `permission-invalid` for a subject, lab or template that is not there, and for an end before the start. */
  create(by: Caller, input: CreatePermission): Promise<Permission>
  change(by: Caller, id: string, input: ChangePermission): Promise<Permission>
  remove(by: Caller, id: string): Promise<void>
  copy(by: Caller, id: string, input: ChangePermission): Promise<Permission>
  /** One change to many, or their removal; all or nothing. With `preview` it says what would be. */
  bulk(
    by: Caller,
    input: { ids: readonly string[]; change?: ChangePermission | undefined; remove: boolean; preview: boolean },
  ): Promise<BulkDone>
  onChange(listener: () => void): void
}

export interface CreatePermissionsOptions {
  readonly store: Store
  readonly hasLab: (id: string) => Promise<boolean>
  readonly clock: Clock
}

/** Keeps permissions in the store. */
export function createPermissions({ store, hasLab, clock }: CreatePermissionsOptions): Permissions {
  const { db } = store
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const audit = auditEntries(store, clock)

  const rows = () =>
    db
      .selectFrom('permission')
      .leftJoin('user', (join) =>
        join.onRef('user.id', '=', 'permission.subject').on('permission.subject_kind', '=', 'person'),
      )
      .leftJoin('people_group', (join) =>
        join.onRef('people_group.id', '=', 'permission.subject').on('permission.subject_kind', '=', 'group'),
      )
      .selectAll('permission')
      .select(['user.name as person_name', 'people_group.name as group_name'])
  type Row = PermissionRow & { person_name: string | null; group_name: string | null }
  const view = (row: Row) => viewOf(row, row.person_name ?? row.group_name ?? undefined)

  const named = async (ids: readonly string[]): Promise<Permission[]> =>
    ids.length === 0
      ? []
      : (await rows().where('permission.id', 'in', ids).orderBy('permission.id').execute()).map(view)
  const get = async (id: string): Promise<Permission> => {
    const [found] = await named([id])
    if (found === undefined) throw permissionUnknown(id)
    return found
  }

  /** The subject by its id, a person also by mail address; throws where it is nobody. */
  const resolved = async (subject: Subject): Promise<Subject> => {
    if (subject.kind === 'group') {
      const group = await db.selectFrom('people_group').select('id').where('id', '=', subject.id).executeTakeFirst()
      if (group === undefined) throw invalid('subject.id', `there is no group ${subject.id}`)
    }
    if (subject.kind !== 'person') return subject
    const person = await db
      .selectFrom('user')
      .innerJoin('person', 'person.id', 'user.id')
      .select('user.id')
      .where((eb) => eb.or([eb('user.id', '=', subject.id), eb('user.email', '=', subject.id.toLowerCase())]))
      .executeTakeFirst()
    if (person === undefined) throw invalid('subject.id', `${subject.id} is nobody with an account here`)
    return { kind: 'person', id: person.id }
  }

  const checked = async (permission: Omit<Permission, 'id'>): Promise<Omit<Permission, 'id'>> => {
    const { subject, lab, from, until } = permission
    if (lab !== null && !(await hasLab(lab))) throw invalid('lab', `there is no lab ${lab}`)
    if (from !== undefined && until !== undefined && Date.parse(from) >= Date.parse(until))
      throw invalid('until', 'the end is not after the start')
    return { ...permission, subject: await resolved(subject) }
  }

  const insert = async (by: Caller, input: Omit<Permission, 'id'>, how: object): Promise<Permission> => {
    const permission = await checked(input)
    const now = clock.now()
    const id = newId(now)
    const row = { id, ...columnsOf(permission), created_at: now }
    await store.write([
      db.insertInto('permission').values(row),
      audit(by.personId, 'permission.created', id, { ...how, is: permission }),
    ])
    changed()
    return get(id)
  }

  const replace = (by: Caller, before: Permission, after: Omit<Permission, 'id'>): StoreQuery[] => [
    { query: db.updateTable('permission').set(columnsOf(after)).where('id', '=', before.id), expect: 1 },
    audit(by.personId, 'permission.changed', before.id, { was: said(before), is: said({ ...after, id: before.id }) }),
  ]
  const drop = (by: Caller, before: Permission): StoreQuery[] => [
    { query: db.deleteFrom('permission').where('id', '=', before.id), expect: 1 },
    audit(by.personId, 'permission.removed', before.id, { was: said(before) }),
  ]
  const write = async (queries: readonly StoreQuery[], ids: readonly string[]) => {
    try {
      await store.write(queries)
    } catch (error) {
      if (asLabError(error).code !== 'precondition-failed') throw error
      throw permissionUnknown(ids.join(', '))
    }
    changed()
  }

  return {
    list: async ({ lab, kind, subject }, { limit, after = '' }) => {
      const found = await rows()
        .where('permission.id', '>', after)
        .$if(lab !== undefined, (query) =>
          query.where((eb) => eb.or([eb('permission.lab', 'is', null), eb('permission.lab', '=', lab ?? '')])),
        )
        .$if(kind !== undefined, (query) => query.where('subject_kind', '=', kind ?? 'everyone'))
        .$if(subject !== undefined, (query) => query.where('subject', '=', subject ?? ''))
        .orderBy('permission.id')
        .limit(limit + 1)
        .execute()
      return { items: found.slice(0, limit).map(view), more: found.length > limit }
    },
    get,
    named,
    create: async (by, { template, gives = {}, lab = null, protocols = null, ...rest }) => {
      const terms = { ...(await templateTerms(store, template)), ...defined(gives) }
      return insert(by, { ...defined(rest), subject: rest.subject, lab, protocols, gives: terms }, { template })
    },
    change: async (by, id, input) => {
      const before = await get(id)
      const after = await checked(merge(before, input))
      await write(replace(by, before, after), [id])
      return get(id)
    },
    remove: async (by, id) => write(drop(by, await get(id)), [id]),
    copy: async (by, id, input) => insert(by, merge(await get(id), input), { copyOf: id }),
    bulk: async (by, { ids, change, remove, preview }) => {
      const unique = [...new Set(ids)]
      const before = await named(unique)
      const missing = unique.filter((id) => !before.some((one) => one.id === id))
      if (missing.length > 0) {
        const issues = missing.map((id) => ({
          path: `ids[${ids.indexOf(id)}]`,
          message: `there is no permission ${id}`,
        }))
        throw new LabError({
          code: 'permission-invalid',
          kind: 'caller',
          message: 'some are not there; nothing was changed',
          issues,
        })
      }
      const items: { before: Permission; after: Permission | null }[] = []
      for (const one of before) {
        const after = remove || change === undefined ? null : { ...(await checked(merge(one, change))), id: one.id }
        items.push({ before: one, after })
      }
      if (preview) return { items }
      const queries = items.flatMap(({ before: was, after }) =>
        after === null ? drop(by, was) : replace(by, was, after),
      )
      await write(queries, unique)
      const now = new Map((await named(unique)).map((one) => [one.id, one]))
      return { items: before.map((one) => ({ before: one, after: now.get(one.id) ?? null })) }
    },
    ...createTemplates({ store, audit, checked, named, changed, clock }),
    onChange: (listener) => void listeners.add(listener),
  }
}

/** Without what is undefined. */
const defined = <T extends object>(values: T) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]: Exclude<T[Name], undefined>
  }

const said = ({ id: _id, subjectName: _name, ...rest }: Permission) => rest

function merge(before: Permission, { gives, from, until, note, ...rest }: ChangePermission): Omit<Permission, 'id'> {
  const { id: _id, subjectName: _name, from: oldFrom, until: oldUntil, note: oldNote, ...kept } = before
  const pick = <T>(next: T | null | undefined, old: T | undefined) => (next === undefined ? old : (next ?? undefined))
  return {
    ...kept,
    ...defined(rest),
    ...defined({ from: pick(from, oldFrom), until: pick(until, oldUntil), note: pick(note, oldNote) }),
    gives: { ...before.gives, ...defined(gives ?? {}) },
  }
}

function invalid(path: string, message: string): LabError {
  return new LabError({ code: 'permission-invalid', kind: 'caller', message, issues: [{ path, message }] })
}

function permissionUnknown(id: string): LabError {
  return new LabError({ code: 'permission-unknown', kind: 'caller', message: `there is no permission ${id}` })
}
