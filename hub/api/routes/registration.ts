import { meSchema } from '@fernlab/shared/contracts/api'
import {
  changeAddressSchema,
  confirmedAddressSchema,
  confirmRegistrationSchema,
  letterAskedSchema,
  letterLinkSchema,
  registeringSchema,
  registerSchema,
  signInRulesSchema,
} from '@fernlab/shared/contracts/sign-in'
import type { Attempts } from '../attempts.ts'
import { registrationErrors } from '../call-errors.ts'
import { type AddRoute, type ApiParts, visitor } from '../context.ts'

export interface RegistrationLimits {
  /** By where a call comes from. */
  readonly guesses: Attempts
  readonly letters: Attempts
  /** By where a letter goes, so that nobody can have one address flooded. */
  readonly lettersTo: Attempts
}

/** Accounts that people make of their own accord, the addresses behind accounts, and the rules for both. */
export function registrationRoutes(
  add: AddRoute,
  { accounts }: ApiParts,
  { guesses, letters, lettersTo }: RegistrationLimits,
): void {
  add(
    {
      method: 'get',
      path: '/api/v1/settings/sign-in',
      tag: 'Site',
      summary: 'Who may make an account, and how people sign in',
      access: 'settings.change',
      answer: { schema: signInRulesSchema, what: 'The rules' },
    },
    async ({ c }) => c.json(await accounts.rules.now()),
  )
  add(
    {
      method: 'put',
      path: '/api/v1/settings/sign-in',
      tag: 'Site',
      summary: 'Choose who may make an account, and how people sign in',
      access: 'settings.change',
      errors: ['mail-not-configured', 'second-factor-missing'],
      body: signInRulesSchema,
      answer: { schema: signInRulesSchema, what: 'The rules' },
    },
    async ({ c, body, caller }) => {
      await accounts.rules.change(body, caller.personId)
      return c.json(await accounts.rules.now())
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/register',
      tag: 'Site',
      summary: 'Ask for an account of one’s own, where the site lets people',
      description:
        'A letter with a link goes to the address. The answer is the same whether the address has an account or not.',
      access: 'public',
      errors: ['registration-closed', 'domain-not-permitted', 'mail-failed', 'too-many-attempts'],
      body: registerSchema,
      answer: { status: 202, schema: letterAskedSchema, what: 'A letter is on its way' },
    },
    async ({ c, body }) => {
      letters.use(c.get('address'))
      lettersTo.use(body.email.toLowerCase())
      await accounts.registration.ask(body)
      return c.json({ message: 'A letter with a link is on its way.' }, 202)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/register/check',
      tag: 'Site',
      summary: 'For whom the link of a registration is; it is not used up',
      access: 'public',
      errors: registrationErrors,
      body: letterLinkSchema,
      answer: { schema: registeringSchema, what: 'Who registers' },
    },
    async ({ c, body }) => c.json(await guesses.guess(c.get('address'), () => accounts.registration.look(body.token))),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/register/confirm',
      tag: 'Site',
      summary: 'Make the account by the link of a registration, and sign in',
      access: 'public',
      errors: registrationErrors,
      body: confirmRegistrationSchema,
      answer: { status: 201, schema: meSchema, what: 'The person, signed in by a cookie' },
    },
    async ({ c, body }) => {
      const { person, cookies } = await guesses.guess(c.get('address'), () => accounts.register(body, visitor(c)))
      for (const cookie of cookies) c.header('set-cookie', cookie, { append: true })
      return c.json(person, 201)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/me/address',
      tag: 'Account',
      summary: 'Ask for a link that makes another mail address one’s own, or confirms the present one',
      description: 'The letter goes to the new address; the old one is told when the link was opened.',
      access: 'account.manage',
      errors: ['mail-not-configured', 'mail-failed', 'wrong-credentials', 'address-unchanged', 'too-many-attempts'],
      body: changeAddressSchema,
      answer: { status: 202, schema: letterAskedSchema, what: 'A letter is on its way' },
    },
    async ({ c, body, caller }) => {
      letters.use(c.get('address'))
      lettersTo.use(body.email.toLowerCase())
      await guesses.guess(c.get('address'), () => accounts.address.ask(caller, body))
      return c.json({ message: 'A letter with a link is on its way.' }, 202)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/address/confirm',
      tag: 'Site',
      summary: 'Make an address one’s own by the link that was sent to it',
      access: 'public',
      errors: ['link-used-or-expired', 'address-taken', 'too-many-attempts'],
      body: letterLinkSchema,
      answer: { schema: confirmedAddressSchema, what: 'The address that holds now' },
    },
    async ({ c, body }) => c.json(await guesses.guess(c.get('address'), () => accounts.address.confirm(body.token))),
  )
}
