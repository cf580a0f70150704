/**
 * Links by which people make accounts of their own.
 *
 * INVARIANTS: only the hash of a link's secret is stored; nobody joins by one to whose role its
 * maker may not invite now; the place that a person takes and the person's rows are one atomic write, so of any
 * number who come at once no more join than may, and nobody takes two; nobody comes into a group by one whose maker may
 * not change it now.
 */
import type { Invitation, invitedSchema } from '@fernlab/shared/contracts/api'
import { mayInvite } from '@fernlab/shared/contracts/people'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type * as z from 'zod'
import type { Groups } from '../groups/groups.ts'
import { joinGroup } from '../groups/members.ts'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import type { Caller, Person, Role } from './caller.ts'
import type { Identity } from './identity.ts'
import { newPerson } from './new-person.ts'
import { hashSecret, newSecret } from './secret-text.ts'

const dayMs = 86_400_000

export interface NewInvitation {
  readonly role: Role
  readonly group?: string | undefined
  readonly register: boolean
  readonly note?: string | undefined
  readonly most: number
  readonly expiresInDays: number
}

export interface Invitations {
  /** Throws `forbidden` for a role to which the caller may not invite. */
  create(caller: Caller, input: NewInvitation): Promise<Invitation & { link: string }>
  /** The caller's own, an admin's: everybody's; newest first, before the one with the id `before`. */
  list(caller: Caller, page: { limit: number; before?: string }): Promise<{ items: Invitation[]; more: boolean }>
  /** Nobody joins by it any more; throws `invitation-unknown`, also for one that the caller does not see. */
  revoke(caller: Caller, id: string): Promise<void>
  /** Who invites, and to what; throws as `join` would for this secret. */
  look(secret: string): Promise<z.infer<typeof invitedSchema>>
  /** Makes the account; throws `invitation-over`, `address-taken`. */
  join(input: { token: string; name: string; email: string; password: string }): Promise<Person>
  /** Puts somebody who has an account into the invitation's group; who is in takes no place. Throws as `join`. */
  accept(caller: Caller, secret: string): Promise<{ group: string }>
}

export interface InvitationsOptions {
  readonly store: Store
  readonly identity: Identity
  readonly groups: Groups
  readonly publicUrl: () => string
  readonly clock: Clock
  readonly log: Log
}

/** Keeps invitations in the store. */
export function createInvitations({ store, identity, groups, publicUrl, clock, log }: InvitationsOptions): Invitations {
  const { db } = store
  const rows = () =>
    db
      .selectFrom('invitation')
      .leftJoin('user', 'user.id', 'invitation.created_by')
      .selectAll('invitation')
      .leftJoin('person', 'person.id', 'invitation.created_by')
      .leftJoin('people_group', 'people_group.id', 'invitation.group_id')
      .select([
        'user.name',
        'person.role as maker_role',
        'person.suspended_at as maker_suspended',
        'people_group.name as group_name',
      ])
  type Row = Awaited<ReturnType<ReturnType<typeof rows>['execute']>>[number]

  const audit = auditEntries(store, clock)

  /** The invitation of the secret, while people may still join by it. */
  const open = async (secret: string): Promise<Row> => {
    const row = await rows().where('token_hash', '=', hashSecret(secret)).executeTakeFirst()
    if (row === undefined)
      throw over('this invitation does not exist', 'The link is not complete. Open it again as it was sent.')
    if (row.revoked_at !== null) throw over('this invitation was taken back')
    if (row.expires_at <= clock.now()) throw over('this invitation is too old')
    if (row.used >= row.most) throw over('this invitation is used up')
    // It may have been made while its maker's role was taken.
    const mayStill = row.maker_role !== null && row.maker_suspended === null
    if (!mayStill || row.maker_role === null || !mayInvite({ role: row.maker_role }, row.role))
      throw over('whoever made this invitation may not invite any more')
    if (row.group_id !== null && !(await groups.manages({ id: row.created_by, role: row.maker_role }, row.group_id)))
      throw over('whoever made this invitation may not change its group any more')
    return row
  }

  const takePlace = (id: string) =>
    db
      .updateTable('invitation')
      .set(({ eb }) => ({ used: eb('used', '+', 1) }))
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', clock.now())
      .whereRef('used', '<', 'most')

  return {
    create: async (caller, { role, group, register, note, most, expiresInDays }) => {
      if (!mayInvite(caller, role)) {
        const message = `you may not invite to the role ${role}`
        throw new LabError({
          code: 'forbidden',
          kind: 'caller',
          message,
          issues: [{ path: 'role', message }],
          studentMessage: 'Instructors invite students and guests, admins anybody. Ask an admin for this invitation.',
        })
      }
      if (group === undefined && !register) throw refused('group', 'people who have an account need a group to join')
      if (group !== undefined) {
        const { manages } = await groups.get(caller, group)
        if (!manages) throw refused('group', `${group} is changed by its instructors and by admins`)
      }
      const secret = newSecret()
      const now = clock.now()
      const row = {
        id: newId(now),
        token_hash: hashSecret(secret),
        role,
        group_id: group ?? null,
        may_register: register ? 1 : 0,
        note: note ?? null,
        most,
        used: 0,
        created_by: caller.personId,
        created_at: now,
        expires_at: now + expiresInDays * dayMs,
        revoked_at: null,
      }
      await store.write([
        db.insertInto('invitation').values(row),
        audit(caller.personId, 'invitation.created', row.id, { role, group, register, most, expiresInDays }),
      ])
      const link = new URL(`/join#token=${secret}`, publicUrl()).href
      return { ...describe({ ...row, name: caller.name }), link }
    },
    list: async (caller, { limit, before }) => {
      const found = await rows()
        .$if(caller.role !== 'admin', (query) => query.where('created_by', '=', caller.personId))
        .$if(before !== undefined, (query) => query.where('invitation.id', '<', before ?? ''))
        .orderBy('invitation.id', 'desc')
        .limit(limit + 1)
        .execute()
      return { items: found.slice(0, limit).map(describe), more: found.length > limit }
    },
    revoke: async (caller, id) => {
      const found = await db.selectFrom('invitation').select('created_by').where('id', '=', id).executeTakeFirst()
      if (found === undefined || (caller.role !== 'admin' && found.created_by !== caller.personId)) {
        throw new LabError({ code: 'invitation-unknown', kind: 'caller', message: `there is no invitation ${id}` })
      }
      await store.write([
        db
          .updateTable('invitation')
          .set({ revoked_at: clock.now() })
          .where('id', '=', id)
          .where('revoked_at', 'is', null),
        audit(caller.personId, 'invitation.revoked', id),
      ])
    },
    look: async (secret) => {
      const { role, name, group_id, group_name, may_register } = await open(secret)
      return {
        role,
        by: name ?? '',
        ...(group_id === null ? {} : { group: { id: group_id, name: group_name ?? group_id } }),
        register: may_register === 1,
      }
    },
    join: async ({ token, name, email, password }) => {
      const { id, role, group_id, may_register } = await open(token)
      if (may_register === 0) throw over('this invitation is for people who have an account', forMembers)
      const passwordHash = await identity.hashPassword(password)
      const { inserts, person } = newPerson({ store, clock, name, email, role, passwordHash })
      const into =
        group_id === null ? [] : [joinGroup(db, { groupId: group_id, personId: person.id, nowMs: clock.now() })]
      try {
        await store.write([
          { query: takePlace(id), expect: 1 },
          ...inserts,
          ...into,
          audit(person.id, 'person.joined', person.id, { invitation: id, role, group: group_id ?? undefined }),
        ])
      } catch (error) {
        const { code } = asLabError(error)
        // Somebody was quicker, or it was taken back meanwhile.
        if (code === 'precondition-failed') throw over('this invitation is used up or was taken back')
        if (code === 'constraint-failed') throw addressTaken(person.email)
        throw error
      }
      log.info({ person: person.id, role }, 'a person joined by an invitation')
      return person
    },
    accept: async ({ personId }, secret) => {
      const { id, group_id } = await open(secret)
      if (group_id === null) throw over('this invitation is for people who have no account', forStrangers)
      const isMember = async () => {
        const rows = db.selectFrom('group_member').select('role').where('group_id', '=', group_id)
        return (await rows.where('person_id', '=', personId).executeTakeFirst()) !== undefined
      }
      if (await isMember()) return { group: group_id }
      try {
        await store.write([
          { query: takePlace(id), expect: 1 },
          { query: joinGroup(db, { groupId: group_id, personId, nowMs: clock.now() }), expect: 1 },
          audit(personId, 'group.joined', group_id, { invitation: id }),
        ])
      } catch (error) {
        if (asLabError(error).code !== 'precondition-failed') throw error
        // Who accepts twice at once is in by the other.
        if (await isMember()) return { group: group_id }
        throw over('this invitation is used up or was taken back')
      }
      groups.changed(personId)
      return { group: group_id }
    },
  }
}

const forMembers = 'This invitation is for people who have an account here. Sign in and open the link again.'
const forStrangers = 'This invitation is for people who have no account here. You have one.'

function refused(path: string, message: string): LabError {
  return new LabError({ code: 'invitation-invalid', kind: 'caller', message, issues: [{ path, message }] })
}

function describe(row: {
  id: string
  role: Role
  group_id: string | null
  may_register: number
  note: string | null
  most: number
  used: number
  created_at: number
  expires_at: number
  revoked_at: number | null
  name: string | null
}): Invitation {
  const time = (ms: number) => new Date(ms).toISOString()
  return {
    id: row.id,
    role: row.role,
    ...(row.group_id === null ? {} : { group: row.group_id }),
    register: row.may_register === 1,
    ...(row.note === null ? {} : { note: row.note }),
    most: row.most,
    used: row.used,
    createdBy: row.name ?? '',
    createdAt: time(row.created_at),
    expiresAt: time(row.expires_at),
    ...(row.revoked_at === null ? {} : { revokedAt: time(row.revoked_at) }),
  }
}

function over(message: string, studentMessage = 'This invitation no longer works. Ask whoever sent it for a new one.') {
  return new LabError({ code: 'invitation-over', kind: 'caller', message, studentMessage })
}

/** What whoever wants an address reads that somebody has. */
export function addressTaken(email: string): LabError {
  return new LabError({
    code: 'address-taken',
    kind: 'caller',
    message: `${email} has an account here`,
    issues: [{ path: 'email', message: 'has an account here' }],
    studentMessage: 'There is an account with this mail address. Sign in, or reset its password.',
  })
}
