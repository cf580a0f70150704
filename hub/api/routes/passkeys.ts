import { meSchema } from '@fernlab/shared/contracts/api'
import {
  addPasskeySchema,
  passkeyCreationSchema,
  passkeyRequestSchema,
  passkeySchema,
  passkeySignInSchema,
  renamePasskeySchema,
} from '@fernlab/shared/contracts/passkeys'
import { withPasswordSchema } from '@fernlab/shared/contracts/sign-in'
import { z } from '@hono/zod-openapi'
import type { Attempts } from '../attempts.ts'
import { type AddRoute, type ApiParts, visitor } from '../context.ts'

export interface PasskeyLimits {
  /** By where a call comes from. */
  readonly guesses: Attempts
  /** As `guesses`: how often somebody may be asked to show a passkey. Generous, since a class shares an address. */
  readonly questions: Attempts
}

const path = '/api/v1/me/passkeys'
const params = z.object({ id: z.string().max(1400) })

/** Signing in with a passkey, and one's own passkeys. */
export function passkeyRoutes(add: AddRoute, { accounts }: ApiParts, { guesses, questions }: PasskeyLimits): void {
  add(
    {
      method: 'post',
      path: '/api/v1/sign-in/passkey/begin',
      tag: 'Sign-in',
      summary: 'Ask what a browser is to sign with a passkey',
      access: 'public',
      errors: ['passkeys-need-address', 'too-many-attempts'],
      answer: {
        schema: passkeyRequestSchema,
        what: 'The options for navigator.credentials.get, good for five minutes',
      },
    },
    async ({ c }) => {
      questions.use(c.get('address'))
      return c.json(await accounts.passkeys.beginSignIn())
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/sign-in/passkey',
      tag: 'Sign-in',
      summary: 'Sign in with a passkey, which is password and second factor at once',
      access: 'public',
      errors: [
        'passkey-refused',
        'passkey-removed',
        'passkey-too-late',
        'passkeys-need-address',
        'account-suspended',
        'too-many-attempts',
      ],
      body: passkeySignInSchema,
      answer: { schema: meSchema, what: 'The person, signed in by a cookie' },
    },
    async ({ c, body }) => {
      const work = () => accounts.signIn.passkey(body.credential, visitor(c))
      const { personId, cookies } = await guesses.guess(c.get('address'), work)
      for (const cookie of cookies) c.header('set-cookie', cookie, { append: true })
      return c.json(await accounts.person(personId))
    },
  )
  add(
    {
      method: 'get',
      path,
      tag: 'Account',
      summary: 'One’s own passkeys',
      access: 'account.secure',
      answer: { schema: z.object({ items: z.array(passkeySchema) }), what: 'The passkeys, oldest first' },
    },
    async ({ c, caller }) => c.json({ items: await accounts.passkeys.list(caller.personId) }),
  )
  add(
    {
      method: 'post',
      path: `${path}/begin`,
      tag: 'Account',
      summary: 'Begin to make a passkey',
      access: 'account.secure',
      errors: ['wrong-credentials', 'passkeys-need-address', 'passkeys-too-many', 'too-many-attempts'],
      body: withPasswordSchema,
      idempotency: 'secret',
      answer: {
        schema: passkeyCreationSchema,
        what: 'The options for navigator.credentials.create, good for five minutes',
      },
    },
    async ({ c, body, caller }) =>
      c.json(await guesses.guess(c.get('address'), () => accounts.passkeys.begin(caller, body.password))),
  )
  add(
    {
      method: 'post',
      path,
      tag: 'Account',
      summary: 'Keep the passkey that a browser has made',
      access: 'account.secure',
      errors: [
        'passkey-refused',
        'passkey-too-late',
        'passkeys-need-address',
        'passkeys-too-many',
        'too-many-attempts',
      ],
      body: addPasskeySchema,
      answer: { status: 201, schema: passkeySchema, what: 'The passkey; its person is told by mail' },
    },
    async ({ c, body, caller }) =>
      c.json(await guesses.guess(c.get('address'), () => accounts.passkeys.add(caller, body)), 201),
  )
  add(
    {
      method: 'put',
      path: `${path}/{id}`,
      tag: 'Account',
      summary: 'Give a passkey another name',
      access: 'account.secure',
      params,
      body: renamePasskeySchema,
      answer: { schema: passkeySchema, what: 'The passkey' },
    },
    async ({ c, params, body, caller }) =>
      c.json(await accounts.passkeys.rename(caller.personId, params.id, body.name)),
  )
  add(
    {
      method: 'post',
      path: `${path}/{id}/remove`,
      tag: 'Account',
      summary: 'Remove a passkey',
      access: 'account.secure',
      errors: ['wrong-credentials', 'too-many-attempts'],
      params,
      body: withPasswordSchema,
      answer: { status: 204, what: 'It signs in no more; its person is told by mail' },
    },
    async ({ c, params, body, caller }) => {
      await guesses.guess(c.get('address'), () => accounts.passkeys.remove(caller, params.id, body.password))
      return c.body(null, 204)
    },
  )
}
