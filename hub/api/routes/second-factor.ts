import { meSchema } from '@fernlab/shared/contracts/api'
import {
  begunSecondFactorSchema,
  recoveryCodesSchema,
  secondFactorCodeSchema,
  secondFactorSchema,
  secondStepSchema,
  withPasswordSchema,
} from '@fernlab/shared/contracts/sign-in'
import { z } from '@hono/zod-openapi'
import { needsSecondFactor } from '../../accounts/sign-in-rules.ts'
import type { Attempts } from '../attempts.ts'
import { type AddRoute, type ApiParts, visitor } from '../context.ts'
import { refusal } from '../problems.ts'

export interface SecondFactorLimits {
  /** By where a call comes from. */
  readonly guesses: Attempts
  /** By person: who has the password may not try codes from everywhere. */
  readonly codes: Attempts
}

/** Setting up, asking for and taking away the second factor. */
export function secondFactorRoutes(
  add: AddRoute,
  { accounts }: ApiParts,
  { guesses, codes }: SecondFactorLimits,
): void {
  const path = '/api/v1/me/second-factor'
  add(
    {
      method: 'post',
      path: '/api/v1/sign-in/second-factor',
      tag: 'Sign-in',
      summary: 'Finish signing in with a code of one’s app, or a recovery code',
      description: 'Goes with the cookie that `POST /api/auth/sign-in/email` set; ten minutes after that it is over.',
      access: 'public',
      errors: ['code-wrong', 'second-step-over', 'account-suspended', 'too-many-attempts'],
      body: secondStepSchema,
      answer: { schema: meSchema, what: 'The person, signed in by a cookie' },
    },
    async ({ c, body }) => {
      const { headers } = c.req.raw
      const personId = await accounts.signIn.waiting(headers)
      if (personId === undefined) {
        throw refusal(
          'second-step-over',
          'no sign-in waits for a code, or it waited for too long',
          'This took too long. Sign in again with your password.',
        )
      }
      const work = () => accounts.signIn.second(headers, body, visitor(c))
      const cookies = await guesses.guess(c.get('address'), () => codes.guess(personId, work))
      for (const cookie of cookies) c.header('set-cookie', cookie, { append: true })
      return c.json(await accounts.person(personId))
    },
  )
  add(
    {
      method: 'get',
      path,
      tag: 'Account',
      summary: 'Whether one has a second factor',
      access: 'account.secure',
      answer: { schema: secondFactorSchema, what: 'How it stands' },
    },
    async ({ c, caller }) => {
      const required = needsSecondFactor(await accounts.rules.now(), caller.role)
      return c.json({ ...(await accounts.secondFactor.state(caller.personId)), required })
    },
  )
  add(
    {
      method: 'post',
      path,
      tag: 'Account',
      summary: 'Begin to set up a second factor: a secret for an authenticator app',
      access: 'account.secure',
      errors: ['wrong-credentials', 'second-factor-on', 'too-many-attempts'],
      body: withPasswordSchema,
      idempotency: 'secret',
      answer: { status: 201, schema: begunSecondFactorSchema, what: 'The secret, which holds once a code confirms it' },
    },
    async ({ c, body, caller }) => {
      const begun = await guesses.guess(c.get('address'), () => accounts.secondFactor.begin(caller, body.password))
      return c.json(begun, 201)
    },
  )
  add(
    {
      method: 'post',
      path: `${path}/confirm`,
      tag: 'Account',
      summary: 'Turn the second factor on with a first code of the app',
      access: 'account.secure',
      errors: ['code-wrong', 'second-factor-not-begun', 'too-many-attempts'],
      body: secondFactorCodeSchema,
      idempotency: 'secret',
      answer: { schema: recoveryCodesSchema, what: 'Recovery codes, shown once' },
    },
    async ({ c, body, caller }) =>
      c.json(await guesses.guess(c.get('address'), () => accounts.secondFactor.confirm(caller, body.code))),
  )
  add(
    {
      method: 'post',
      path: `${path}/recovery-codes`,
      tag: 'Account',
      summary: 'Other recovery codes instead of all earlier ones',
      access: 'account.secure',
      errors: ['wrong-credentials', 'second-factor-off', 'too-many-attempts'],
      body: withPasswordSchema,
      idempotency: 'secret',
      answer: { schema: recoveryCodesSchema, what: 'Recovery codes, shown once' },
    },
    async ({ c, body, caller }) =>
      c.json(
        await guesses.guess(c.get('address'), () => accounts.secondFactor.renewRecoveryCodes(caller, body.password)),
      ),
  )
  add(
    {
      method: 'post',
      path: `${path}/remove`,
      tag: 'Account',
      summary: 'Turn one’s second factor off',
      access: 'account.secure',
      errors: ['wrong-credentials', 'second-factor-off', 'too-many-attempts'],
      body: withPasswordSchema,
      answer: { status: 204, what: 'It is off' },
    },
    async ({ c, body, caller }) => {
      await guesses.guess(c.get('address'), () => accounts.secondFactor.remove(caller, body.password))
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/users/{id}/second-factor',
      tag: 'People',
      summary: 'Take a person’s second factor away, who has lost it: app, recovery codes and passkeys',
      access: 'people.manage',
      params: z.object({ id: z.string().max(63) }),
      answer: { status: 204, what: 'The person signs in by password alone' },
    },
    async ({ c, params, caller }) => {
      await accounts.secondFactor.reset(caller, params.id)
      return c.body(null, 204)
    },
  )
}
