/** Objects that belong to somebody, made where a route asks for one. */
import { hashSecret } from '@fernlab/hub/accounts/secret-text'
import { newId, newRunId } from '@fernlab/shared/primitives/ids'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import { storeRun } from '../results/stored-run.ts'
import { storeDirectUse, storeUse } from '../usage/stored-use.ts'
import type { ServedHub } from './served-hub.ts'

export interface Owner {
  readonly id: string
  readonly name: string
  readonly role: string
}

export interface Kind {
  /** Paths of routes on such an object begin so. */
  readonly path: string
  /** Makes one of the owner's; returns its id. */
  make(hub: ServedHub, owner: Owner): Promise<string>
  /** Bodies of routes that look at theirs before they look at the object. */
  readonly bodies?: Readonly<Record<string, object>>
}

let groups = 0

/** A course that staff teach, and in which others are. */
async function course(hub: ServedHub, owner: Owner): Promise<string> {
  const id = `group-${++groups}`
  const times = { starts_at: null, ends_at: null, created_at: 0 }
  const role = owner.role === 'admin' || owner.role === 'instructor' ? ('instructor' as const) : ('member' as const)
  await hub.store.write([
    hub.store.db.insertInto('people_group').values({ id, name: id, kind: 'course', within: null, ...times }),
    hub.store.db.insertInto('group_member').values({ group_id: id, person_id: owner.id, role, added_at: 0 }),
  ])
  return id
}

/** What people own, by the routes that act on it. */
export const kinds: readonly Kind[] = [
  {
    path: '/api/v1/runs/{id}',
    make: async (hub, { id, name }) => (await storeRun(hub.store, { id: newId(Date.now()), person: { id, name } })).id,
  },
  {
    path: '/api/v1/usage/uses/{id}',
    make: async (hub, { id: person }) => storeUse(hub.store, { person, at: Date.now() }).then(({ id }) => id),
  },
  {
    path: '/api/v1/usage/direct/{id}',
    make: async (hub, { id: person }) => storeDirectUse(hub.store, { person, at: Date.now() }).then(({ id }) => id),
  },
  {
    path: '/api/v1/usage/courses/{id}',
    make: (hub, owner) => course(hub, owner),
  },
  {
    path: '/api/v1/sessions/{id}',
    make: async (hub, { id, name }) => {
      const run = { id: newRunId(Date.now()), protocol: SESSION_PROTOCOL, person: { id, name } }
      return (await storeRun(hub.store, run)).id
    },
    bodies: { 'POST /api/v1/sessions/{id}/extend': { seconds: 10 } },
  },
  {
    path: '/api/v1/bookings/notices/{id}',
    make: async (hub, { id: person_id }) => {
      const id = newId(Date.now())
      const detail = JSON.stringify({ lab: 'small', startsAt: 0, endsAt: 1, places: 1 })
      const row = { id, booking_id: newId(0), person_id, group_id: null, detail, letter: 'none' as const }
      const notice = hub.store.db.insertInto('booking_notice').values({ ...row, what: 'missed', at: Date.now() })
      await hub.store.write([notice])
      return id
    },
  },
  {
    path: '/api/v1/bookings/{id}',
    make: async (hub, { id: person_id }) => {
      const id = newId(Date.now())
      const times = { starts_at: Date.now() + 3_600_000, ends_at: Date.now() + 7_200_000, clean_up_ms: 0 }
      const row = { id, person_id, lab: 'small', places: 1, state: 'booked' as const, ...times }
      const made = { created_at: Date.now(), created_by: person_id }
      await hub.store.write([hub.store.db.insertInto('booking').values({ ...row, ...made })])
      return id
    },
  },
  {
    path: '/api/v1/recurring/{id}',
    make: async (hub, { id: person_id }) => {
      const id = newId(Date.now())
      const what = { name: 'Nightly', lab: 'small', protocol: 'nothing', parameters: '{}' }
      const when = { cron: '30 2 * * *', time_zone: 'UTC', due_at: Date.now() + 3_600_000, decided_at: Date.now() }
      const rules = { overlap: 'skip' as const, missed: 'once' as const, created_at: Date.now() }
      await hub.store.write([
        hub.store.db.insertInto('recurring').values({ id, person_id, refusals: 0, ...what, ...when, ...rules }),
      ])
      return id
    },
  },
  {
    path: '/api/v1/me/passkeys/{id}',
    make: async (hub, { id: person_id }) => {
      const id = newId(Date.now())
      const key = { public_key: new Uint8Array([1]), counter: 0, transports: '[]', created_at: 0, last_used_at: null }
      await hub.store.write([hub.store.db.insertInto('passkey').values({ id, person_id, name: 'x', ...key })])
      return id
    },
    bodies: {
      'PUT /api/v1/me/passkeys/{id}': { name: 'Another name' },
      'POST /api/v1/me/passkeys/{id}/remove': { password: 'not-the-password' },
    },
  },
  {
    path: '/api/v1/me/sign-ins/{id}',
    make: async (hub, { id: userId }) => {
      const id = newId(Date.now())
      const at = new Date().toISOString()
      const times = { createdAt: at, updatedAt: at, expiresAt: new Date(Date.now() + 3_600_000).toISOString() }
      const row = { id, token: id, userId, ipAddress: null, userAgent: null, ...times }
      await hub.store.write([hub.store.db.insertInto('session').values(row)])
      return id
    },
  },
  {
    path: '/api/v1/tokens/{id}',
    make: async (hub, { id }) => (await hub.accounts.createToken({ personId: id }, { name: 'x', scopes: ['read'] })).id,
  },
  {
    path: '/api/v1/invitations/{id}',
    make: async (hub, owner) => {
      const id = newId(Date.now())
      const times = { created_at: Date.now(), expires_at: Date.now() + 86_400_000, revoked_at: null }
      const row = { id, token_hash: hashSecret(id), role: 'student' as const, note: null, most: 1, used: 0, ...times }
      const more = { created_by: owner.id, group_id: null, may_register: 1 }
      await hub.store.write([hub.store.db.insertInto('invitation').values({ ...row, ...more })])
      return id
    },
  },
  {
    path: '/api/v1/me/groups/{id}',
    make: (hub, owner) => course(hub, owner),
  },
  {
    path: '/api/v1/groups/{id}',
    make: (hub, owner) => course(hub, owner),
    bodies: {
      'PUT /api/v1/groups/{id}': { name: 'Another name' },
      'POST /api/v1/groups/{id}/members': { remove: ['nobody'] },
    },
  },
]

/** The kind of object on which a route acts, where such objects belong to somebody. */
export const kindOf = (path: string): Kind | undefined =>
  kinds.find((kind) => path === kind.path || path.startsWith(`${kind.path}/`))
