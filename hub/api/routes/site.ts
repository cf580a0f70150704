import {
  acceptInvitationSchema,
  forgotPasswordSchema,
  invitedSchema,
  meSchema,
  resetPasswordSchema,
  setupLinkSchema,
  setupSchema,
  siteSchema,
} from '@fernlab/shared/contracts/api'
import { letterAskedSchema } from '@fernlab/shared/contracts/sign-in'
import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import { z } from '@hono/zod-openapi'
import type { Attempts } from '../attempts.ts'
import { type AddRoute, type ApiParts, visitor } from '../context.ts'

/** What the sign-in page needs, set-up, invitations and lost passwords. */
export function siteRoutes(
  add: AddRoute,
  { accounts, config }: ApiParts,
  { guesses, letters }: { guesses: Attempts; letters: Attempts },
): void {
  add(
    {
      method: 'get',
      path: '/api/v1/site',
      tag: 'Site',
      summary: 'What the sign-in page needs',
      access: 'public',
      answer: { schema: siteSchema, what: 'The site' },
    },
    async ({ c }) => {
      const { site, title, version, mail } = config
      const { open, domains } = (await accounts.rules.now()).registration
      const registration = { open, domains: open ? domains : [] }
      const address = accounts.passkeys.address()
      const passkeys = address === undefined ? {} : { passkeysAt: address }
      return c.json({
        site,
        title,
        version,
        timeZone: ownTimeZone(),
        setupNeeded: await accounts.setupNeeded(),
        mail,
        registration,
        ...passkeys,
      })
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/setup',
      tag: 'Site',
      summary: 'Create the first admin with the one-time set-up link, and sign in',
      access: 'public',
      errors: ['link-used-or-expired', 'already-set-up', 'too-many-attempts'],
      body: setupSchema,
      answer: { status: 201, schema: meSchema, what: 'The admin, signed in by a cookie' },
    },
    async ({ c, body }) => {
      const { person, cookies } = await guesses.guess(c.get('address'), () => accounts.setup(body, visitor(c)))
      for (const cookie of cookies) c.header('set-cookie', cookie, { append: true })
      return c.json(person, 201)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/setup/check',
      tag: 'Site',
      summary: 'Ask whether the one-time set-up link still works; it is not used up',
      access: 'public',
      errors: ['link-used-or-expired', 'already-set-up', 'too-many-attempts'],
      body: setupLinkSchema,
      answer: { status: 204, what: 'It works' },
    },
    async ({ c, body }) => {
      await guesses.guess(c.get('address'), () => accounts.checkSetupLink(body.token))
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/join',
      tag: 'Site',
      summary: 'Make an account of one’s own by an invitation, and sign in',
      access: 'public',
      errors: ['link-used-or-expired', 'invitation-over', 'address-taken', 'too-many-attempts'],
      body: setupSchema,
      answer: { status: 201, schema: meSchema, what: 'The person, signed in by a cookie' },
    },
    async ({ c, body }) => {
      const { person, cookies } = await guesses.guess(c.get('address'), () => accounts.join(body, visitor(c)))
      for (const cookie of cookies) c.header('set-cookie', cookie, { append: true })
      return c.json(person, 201)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/join/check',
      tag: 'Site',
      summary: 'Who invites, and to what; the invitation is not used up',
      access: 'public',
      errors: ['link-used-or-expired', 'invitation-over', 'too-many-attempts'],
      body: setupLinkSchema,
      answer: { schema: invitedSchema, what: 'The invitation' },
    },
    async ({ c, body }) => c.json(await guesses.guess(c.get('address'), () => accounts.invitations.look(body.token))),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/join/accept',
      tag: 'Site',
      summary: 'Join the group of an invitation with the account that one has',
      access: 'account.manage',
      errors: ['link-used-or-expired', 'invitation-over', 'too-many-attempts'],
      body: acceptInvitationSchema,
      answer: { schema: z.object({ group: z.string() }), what: 'The group in which one is now' },
    },
    async ({ c, body, caller }) =>
      c.json(await guesses.guess(c.get('address'), () => accounts.invitations.accept(caller, body.token))),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/password/forgot',
      tag: 'Site',
      summary: 'Ask for a link to choose a new password',
      description: 'The answer is the same whether the address is known or not.',
      access: 'public',
      errors: ['too-many-attempts'],
      body: forgotPasswordSchema,
      answer: { status: 202, schema: letterAskedSchema, what: 'A letter is on its way if the address is known' },
    },
    async ({ c, body }) => {
      letters.use(c.get('address'))
      if (config.mail) {
        await accounts.forgotPassword(body.email)
        return c.json({ message: 'If the address is known here, a letter with a link is on its way.' }, 202)
      }
      return c.json({ message: 'This site sends no mail. Ask its admin for a link to choose a new password.' }, 202)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/password/reset',
      tag: 'Site',
      summary: 'Choose a new password with a one-time link',
      access: 'public',
      errors: ['link-used-or-expired', 'too-many-attempts'],
      body: resetPasswordSchema,
      answer: { status: 204, what: 'The password is set; every session of the person has ended' },
    },
    async ({ c, body }) => {
      await guesses.guess(c.get('address'), () => accounts.resetPassword(body.token, body.password))
      return c.body(null, 204)
    },
  )
}
