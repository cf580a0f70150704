/** Lost passwords: a one-time link by mail, or from the command line on the hub's machine. */
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import type { CredentialsOptions } from './credentials.ts'
import { credential } from './new-person.ts'
import { claimOneTime, makeOneTime, oneTimeError } from './one-time.ts'
import { hashSecret } from './secret-text.ts'

const linkMs = 60 * 60 * 1000

export interface Passwords {
  /** Resolves before it is known whether the address is; the letter follows. */
  forgot(email: string): Promise<void>
  reset(token: string, password: string): Promise<void>
}

/** Handles lost passwords. */
export function createPasswords(options: CredentialsOptions): Passwords {
  const { store, identity, mail, errands, publicUrl, site, clock, log } = options

  const sendLink = async (email: string) => {
    const person = await findPerson(store, email)
    if (person === undefined || person.suspended_at !== null) return
    const link = await resetLink({ store, clock, personId: person.id, publicUrl: publicUrl() })
    await mail.send({
      to: person.email,
      subject: `${site}: choose a new password`,
      text: `Hello ${person.name},\n\nsomebody asked for a new password for this address. If it was you, open this link within an hour:\n\n${link}\n\nIf it was not, there is nothing to do.\n`,
    })
    log.info({ person: person.id }, 'a link to choose a new password was sent')
  }

  return {
    forgot: async (email) => {
      errands.begin('a link to choose a new password', () => sendLink(email))
    },
    reset: async (token, password) => {
      const claimed = await store.db
        .selectFrom('one_time')
        .select('subject')
        .where('token_hash', '=', hashSecret(token))
        .where('purpose', '=', 'password-reset')
        .executeTakeFirst()
      const personId = claimed?.subject
      if (personId === undefined || personId === null) throw oneTimeError('password-reset')
      const hash = await identity.hashPassword(password)
      // The account may have been closed while the link was on its way.
      const claim = claimOneTime(store, clock, 'password-reset', token).where(({ exists, selectFrom }) =>
        exists(selectFrom('person').select('person.id').where('person.id', '=', personId)),
      )
      try {
        await store.write([
          { query: claim, expect: 1 },
          store.db.deleteFrom('account').where('userId', '=', personId).where('providerId', '=', 'credential'),
          store.db.insertInto('account').values(credential(clock, personId, hash)),
          store.db.deleteFrom('session').where('userId', '=', personId),
          auditEntries(store, clock)(personId, 'password.reset', personId),
        ])
      } catch (error) {
        if (asLabError(error).code === 'precondition-failed') throw oneTimeError('password-reset')
        throw error
      }
      identity.forget(personId)
    },
  }
}

/** Makes a one-time link for the person with this address; for the command line, which already has the data folder. */
export async function resetPassword(options: {
  store: Store
  email: string
  publicUrl: string
  clock?: Clock
}): Promise<string> {
  const { store, email, publicUrl, clock = systemClock } = options
  const person = await personAt(store, email)
  return resetLink({ store, clock, personId: person.id, publicUrl })
}

/** The person with this address; throws `person-unknown`. */
export async function personAt(store: Store, email: string) {
  const person = await findPerson(store, email)
  if (person !== undefined) return person
  throw new LabError({ code: 'person-unknown', kind: 'caller', message: `nobody here has the address ${email}` })
}

async function findPerson(store: Store, email: string) {
  return store.db
    .selectFrom('user')
    .innerJoin('person', 'person.id', 'user.id')
    .select(['user.id', 'user.name', 'user.email', 'person.suspended_at'])
    .where('user.email', '=', email.toLowerCase())
    .executeTakeFirst()
}

async function resetLink(options: { store: Store; clock: Clock; personId: string; publicUrl: string }) {
  const { store, clock, personId, publicUrl } = options
  const secret = await makeOneTime({ store, clock, purpose: 'password-reset', subject: personId, ttlMs: linkMs })
  return new URL(`/reset#token=${secret}`, publicUrl).href
}
