/**
 * Another mail address for a person, or the proof that the present one is theirs.
 *
 * INVARIANTS: it becomes theirs when its letter's link is opened, not before; an old address is told; links to choose a
 * password that went to the old one stop working in the same write.
 */
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { auditEntries } from '../store/audit-entries.ts'
import { addressLinkOver, claimAddressLink, findAddressLink, makeAddressLink } from './address-links.ts'
import type { Caller } from './caller.ts'
import type { CredentialsOptions } from './credentials.ts'
import { addressTaken } from './invitations.ts'
import type { Tokens } from './tokens.ts'
import { wrongPassword } from './wrong-password.ts'

export interface OwnAddress {
  /**
   * Sends a link to the new address, or to the present one that is not confirmed yet; resolves before it is known whether
   * that has an account. Throws `mail-not-configured`, `wrong-credentials`, `address-unchanged`.
   */
  ask(caller: Caller, input: { email: string; password: string }): Promise<void>
  /** Makes the address the person's; throws `link-used-or-expired`, `address-taken`. */
  confirm(token: string): Promise<{ email: string }>
}

export interface OwnAddressOptions extends CredentialsOptions {
  readonly tokens: Tokens
}

/** Changes addresses in the store. */
export function createOwnAddress(options: OwnAddressOptions): OwnAddress {
  const { store, identity, tokens, mail, errands, publicUrl, site, clock, log } = options
  const { db } = store

  const write = async (caller: Caller, email: string) => {
    const taken = await db.selectFrom('user').select('id').where('email', '=', email).executeTakeFirst()
    if (taken !== undefined && taken.id !== caller.personId) {
      await mail.send({
        to: email,
        subject: `${site}: this address has an account`,
        text: `Hello,\n\nsomebody wanted this address for another account at ${site}. It has an account of its own, so nothing was changed.\n`,
      })
      return
    }
    const secret = await makeAddressLink(store, clock, email, { personId: caller.personId })
    const { href } = new URL(`/confirm-address#token=${secret}`, publicUrl())
    await mail.send({
      to: email,
      subject: `${site}: confirm your ${email === caller.email ? '' : 'new '}address`,
      text: `Hello ${caller.name},\n\nopen this link within a day to ${email === caller.email ? `confirm that you read letters of ${site} at this address` : `sign in at ${site} with this address from then on`}:\n\n${href}\n\nIf you did not ask for this, there is nothing to do.\n`,
    })
  }

  const isConfirmed = async (personId: string): Promise<boolean> =>
    (await db.selectFrom('user').select('emailVerified').where('id', '=', personId).executeTakeFirst())
      ?.emailVerified === 1

  const tellOld = (name: string, before: string) =>
    mail.send({
      to: before,
      subject: `${site}: your address was changed`,
      text: `Hello ${name},\n\nyour account at ${site} has another mail address now; this one no longer opens it. If you did not do this, write to the staff at once.\n`,
    })

  return {
    ask: async (caller, { email: given, password }) => {
      if (!mail.configured) throw noMail()
      if (!(await identity.verifyPassword(caller.personId, password))) throw wrongPassword()
      const email = given.toLowerCase()
      if (email === caller.email && (await isConfirmed(caller.personId))) throw unchanged()
      errands.begin('a letter about a new address', () => write(caller, email))
    },
    confirm: async (token) => {
      const again = 'Ask for a new one under Account.'
      const link = await findAddressLink(store, clock, token)
      if (link?.personId == null) throw addressLinkOver(again)
      const { email, personId } = link
      const person = await db
        .selectFrom('user')
        .innerJoin('person', 'person.id', 'user.id')
        .select(['user.name', 'user.email'])
        .where('user.id', '=', personId)
        .executeTakeFirst()
      if (person === undefined) throw addressLinkOver(again)
      const updatedAt = new Date(clock.now()).toISOString()
      try {
        await store.write([
          { query: claimAddressLink(store, clock, token), expect: 1 },
          {
            query: db
              .updateTable('user')
              .set({ email, emailVerified: 1, updatedAt })
              .where('id', '=', personId)
              .where('email', '=', person.email),
            expect: 1,
          },
          db.deleteFrom('one_time').where('purpose', '=', 'password-reset').where('subject', '=', personId),
          auditEntries(store, clock)(personId, 'person.address', personId),
        ])
      } catch (error) {
        const { code } = asLabError(error)
        if (code === 'precondition-failed') throw addressLinkOver(again)
        if (code === 'constraint-failed') throw addressTaken(email)
        throw error
      }
      tokens.forget()
      identity.forget(personId)
      if (email !== person.email) {
        errands.begin('the letter to an old address', () => tellOld(person.name, person.email))
        log.info({ person: personId }, 'a person changed their address')
      }
      return { email }
    },
  }
}

function noMail(): LabError {
  return new LabError({
    code: 'mail-not-configured',
    kind: 'caller',
    message: 'a new address is confirmed by mail, and this site has no mail server',
    studentMessage: 'A new address is confirmed by mail, and this site sends none. Ask its staff.',
  })
}

function unchanged(): LabError {
  const message = 'is your address already'
  return new LabError({
    code: 'address-unchanged',
    kind: 'caller',
    message: `that ${message}`,
    issues: [{ path: 'email', message }],
    studentMessage: 'That is your address already.',
  })
}
