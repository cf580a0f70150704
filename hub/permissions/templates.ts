/**
 * Templates: terms by name, to begin permissions with, and giving them to many at once.
 *
 * INVARIANTS: what a template gives to many is given in one write, all of it or nothing, each with its entry in the audit
 * log; the same is not given twice.
 */
import type {
  AppliedTemplate,
  ApplyTemplate,
  Permission,
  PermissionTemplate,
  Terms,
} from '@fernlab/shared/contracts/permissions'
import { usualTerms } from '@fernlab/shared/contracts/terms'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Caller } from '../accounts/caller.ts'
import { type auditEntries, wasAndIs } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import { columnsOf } from './rows.ts'

export interface Templates {
  templates(): Promise<PermissionTemplate[]>
  saveTemplate(by: Caller, template: PermissionTemplate): Promise<void>
  /** Throws `template-unknown`. */
  removeTemplate(by: Caller, id: string): Promise<void>
  /** Gives the template's terms to many in many labs; throws `template-unknown` and what `create` throws. */
  applyTemplate(by: Caller, id: string, input: ApplyTemplate): Promise<AppliedTemplate>
}

export interface CreateTemplatesOptions {
  readonly store: Store
  readonly audit: ReturnType<typeof auditEntries>
  /** With its subject by id; throws `permission-invalid`. */
  readonly checked: (permission: Omit<Permission, 'id'>) => Promise<Omit<Permission, 'id'>>
  readonly named: (ids: readonly string[]) => Promise<Permission[]>
  /** Called after permissions were given. */
  readonly changed: () => void
  readonly clock: Clock
}

/** Keeps templates in the store. */
export function createTemplates({ store, audit, checked, named, changed, clock }: CreateTemplatesOptions): Templates {
  const { db } = store
  return {
    templates: async () => {
      const found = await db.selectFrom('permission_template').selectAll().orderBy('id').execute()
      return found.map(({ gives, ...row }) => ({ ...row, gives: JSON.parse(gives) as Terms }))
    },
    saveTemplate: async (by, { id, title, gives }) => {
      const row = { title, gives: JSON.stringify(gives) }
      const before = await templateOf(store, id)
      await store.write([
        db
          .insertInto('permission_template')
          .values({ id, ...row })
          .onConflict((conflict) => conflict.column('id').doUpdateSet(row)),
        audit(by.personId, 'permission-template.saved', id, wasAndIs(before, { title, gives })),
      ])
    },
    removeTemplate: async (by, id) => {
      const query = db.deleteFrom('permission_template').where('id', '=', id)
      const was = await templateOf(store, id)
      if (was === undefined) throw templateUnknown(id)
      try {
        await store.write([{ query, expect: 1 }, audit(by.personId, 'permission-template.removed', id, { was })])
      } catch (error) {
        if (asLabError(error).code !== 'precondition-failed') throw error
        throw templateUnknown(id)
      }
    },
    applyTemplate: async (by, id, { subjects, labs = [null], preview = false, from, until, note }) => {
      const template = await templateOf(store, id)
      if (template === undefined) throw templateUnknown(id)
      const rest = {
        ...(from === undefined ? {} : { from }),
        ...(until === undefined ? {} : { until }),
        ...(note === undefined ? {} : { note }),
      }
      const wanted = new Map<string, Omit<Permission, 'id'>>()
      for (const [at, subject] of subjects.entries()) {
        for (const lab of labs) {
          const permission = await checked({ subject, lab, protocols: null, gives: template.gives, ...rest }).catch(
            (error: unknown) => {
              throw atSubject(error, at)
            },
          )
          wanted.set(keyOf(columnsOf(permission)), permission)
        }
      }
      const there = new Set((await db.selectFrom('permission').selectAll().execute()).map(keyOf))
      const fresh = [...wanted].filter(([key]) => !there.has(key)).map(([, permission]) => permission)
      const already = wanted.size - fresh.length
      if (preview || fresh.length === 0) return { items: fresh, already }
      const now = clock.now()
      const rows = fresh.map((permission) => ({ id: newId(now), ...columnsOf(permission), created_at: now }))
      await store.write(
        rows.flatMap((row, at) => [
          db.insertInto('permission').values(row),
          audit(by.personId, 'permission.created', row.id, { template: id, is: fresh[at] }),
        ]),
      )
      changed()
      return { items: await named(rows.map((row) => row.id)), already }
    },
  }
}

/** The terms of the template, the usual ones without one; throws `permission-invalid` for one that is not there. */
export async function templateTerms(store: Store, id: string | undefined): Promise<Terms> {
  if (id === undefined) return usualTerms
  const template = await templateOf(store, id)
  if (template !== undefined) return template.gives
  const message = `there is no template ${id}`
  throw new LabError({ code: 'permission-invalid', kind: 'caller', message, issues: [{ path: 'template', message }] })
}

async function templateOf({ db }: Store, id: string): Promise<{ title: string; gives: Terms } | undefined> {
  const query = db.selectFrom('permission_template').select(['title', 'gives']).where('id', '=', id)
  const row = await query.executeTakeFirst()
  return row && { title: row.title, gives: JSON.parse(row.gives) as Terms }
}

type Columns = ReturnType<typeof columnsOf>

/** Alike where the same is given to the same; what it is for does not matter. */
const keyOf = ({ subject_kind, subject, lab, protocols, starts_at, ends_at, gives }: Columns): string =>
  JSON.stringify([subject_kind, subject, lab, protocols, starts_at, ends_at, sorted(JSON.parse(gives) as Terms)])

const sorted = (terms: Terms) => Object.entries(terms).sort(([a], [b]) => (a < b ? -1 : 1))

/** The refusal with its paths as the caller wrote them. */
function atSubject(error: unknown, at: number): LabError {
  const refused = asLabError(error)
  if (refused.code !== 'permission-invalid') return refused
  const issues = refused.issues?.map(({ path, message }) => ({
    path: path === 'lab' ? 'labs' : path.replace(/^subject/, `subjects[${at}]`),
    message,
  }))
  return new LabError({ code: refused.code, kind: 'caller', message: refused.message, ...(issues && { issues }) })
}

function templateUnknown(id: string): LabError {
  return new LabError({ code: 'template-unknown', kind: 'caller', message: `there is no template ${id}` })
}
