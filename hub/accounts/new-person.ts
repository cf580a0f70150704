import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import type { Store } from '../store/store.ts'
import type { Person, Role } from './caller.ts'

/** The rows of a new person as inserts for one atomic write; without a password hash the person can't sign in. */
export function newPerson(options: {
  store: Store
  clock: Clock
  name: string
  email: string
  role: Role
  passwordHash?: string
  /** The address was confirmed. */
  proven?: boolean
}) {
  const { store, clock, name, role, passwordHash, proven = false } = options
  const email = options.email.toLowerCase()
  const id = newId(clock.now())
  const now = new Date(clock.now()).toISOString()
  const person: Person = { id, name, email, role }
  const user = { id, name, email, emailVerified: proven ? 1 : 0, image: null, createdAt: now, updatedAt: now }
  const inserts = [
    store.db.insertInto('user').values(user),
    store.db.insertInto('person').values({ id, role, language: null }),
    ...(passwordHash === undefined ? [] : [store.db.insertInto('account').values(credential(clock, id, passwordHash))]),
  ]
  return { person, inserts }
}

/** A row of better-auth's for signing in with a password. */
export function credential(clock: Clock, personId: string, passwordHash: string) {
  const now = new Date(clock.now()).toISOString()
  const nothing = {
    accessToken: null,
    refreshToken: null,
    idToken: null,
    accessTokenExpiresAt: null,
    refreshTokenExpiresAt: null,
    scope: null,
  }
  return {
    id: newId(clock.now()),
    accountId: personId,
    providerId: 'credential',
    userId: personId,
    password: passwordHash,
    createdAt: now,
    updatedAt: now,
    ...nothing,
  }
}
