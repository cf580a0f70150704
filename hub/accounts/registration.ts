/**
 * People who make accounts without an invitation, where the site lets them.
 *
 * INVARIANTS: nothing is made before the address is proven, and the password is chosen by whoever reads its letters; what
 * is answered, and when, is the same whether the address has an account or not.
 */
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { auditEntries } from '../store/audit-entries.ts'
import { addressLinkOver, claimAddressLink, findAddressLink, makeAddressLink } from './address-links.ts'
import type { Person } from './caller.ts'
import type { CredentialsOptions } from './credentials.ts'
import { addressTaken } from './invitations.ts'
import { newPerson } from './new-person.ts'
import type { SignInRules, SignInRulesBook } from './sign-in-rules.ts'

export interface Registration {
  /** Sends a link; throws `registration-closed`, `domain-not-permitted`. Resolves before it is known whether the address is. */
  ask(input: { name: string; email: string }): Promise<void>
  /** For whom the link is; throws as `confirm` would for this secret. */
  look(token: string): Promise<{ name: string; email: string }>
  /** Makes the account; throws `link-used-or-expired`, `address-taken` and as `ask`. */
  confirm(input: { token: string; name: string; password: string }): Promise<Person>
}

export interface RegistrationOptions extends CredentialsOptions {
  readonly rules: SignInRulesBook
}

/** Registers people in the store. */
export function createRegistration(options: RegistrationOptions): Registration {
  const { store, identity, rules, mail, errands, publicUrl, site, clock, log } = options

  const permit = async (email: string): Promise<SignInRules['registration']> => {
    const { registration } = await rules.now()
    if (!registration.open) throw closed()
    const { domains } = registration
    if (domains.length > 0 && !domains.includes(email.slice(email.lastIndexOf('@') + 1))) throw notPermitted(domains)
    return registration
  }

  const write = async (name: string, email: string) => {
    const known = await store.db.selectFrom('user').select('name').where('email', '=', email).executeTakeFirst()
    if (known !== undefined) {
      const { href } = new URL('/sign-in', publicUrl())
      await mail.send({
        to: email,
        subject: `${site}: you have an account`,
        text: `Hello ${known.name},\n\nsomebody asked for a new account with this address, and you have one already. Sign in, or choose a new password, at\n\n${href}\n\nIf it was not you, there is nothing to do.\n`,
      })
      return
    }
    const secret = await makeAddressLink(store, clock, email, { name })
    const { href } = new URL(`/register#token=${secret}`, publicUrl())
    await mail.send({
      to: email,
      subject: `${site}: confirm your address`,
      text: `Hello ${name},\n\nsomebody asked for an account at ${site} with this address. If it was you, open this link within a day and choose a password:\n\n${href}\n\nIf it was not, there is nothing to do: nothing was made.\n`,
    })
  }

  const open = async (token: string) => {
    const link = await findAddressLink(store, clock, token)
    if (link?.name == null) throw over()
    return { name: link.name, email: link.email, ...(await permit(link.email)) }
  }

  return {
    ask: async ({ name, email: given }) => {
      const email = given.toLowerCase()
      await permit(email)
      errands.begin('a letter about a registration', () => write(name, email))
    },
    look: async (token) => {
      const { name, email } = await open(token)
      return { name, email }
    },
    confirm: async ({ token, name, password }) => {
      const { email, role } = await open(token)
      const passwordHash = await identity.hashPassword(password)
      const { person, inserts } = newPerson({ store, clock, name, email, role, passwordHash, proven: true })
      try {
        await store.write([
          { query: claimAddressLink(store, clock, token), expect: 1 },
          ...inserts,
          auditEntries(store, clock)(person.id, 'person.registered', person.id, { role }),
        ])
      } catch (error) {
        const { code } = asLabError(error)
        if (code === 'precondition-failed') throw over()
        if (code === 'constraint-failed') throw addressTaken(email)
        throw error
      }
      log.info({ person: person.id, role }, 'a person registered')
      return person
    },
  }
}

const over = () => addressLinkOver('Register again for a new one, or sign in if you have an account.')

function closed(): LabError {
  return new LabError({
    code: 'registration-closed',
    kind: 'caller',
    message: 'people do not register themselves at this site',
    studentMessage: 'Accounts are made by invitation here. Ask the staff for one.',
  })
}

function notPermitted(domains: readonly string[]): LabError {
  const message = `must be an address at ${domains.join(' or ')}`
  return new LabError({
    code: 'domain-not-permitted',
    kind: 'caller',
    message: `the address ${message}`,
    issues: [{ path: 'email', message }],
    studentMessage: `Use your address at ${domains.join(' or ')}, or ask the staff for an invitation.`,
  })
}
