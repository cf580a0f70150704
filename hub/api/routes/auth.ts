import { signInSchema } from '@fernlab/shared/contracts/api'
import {
  passwordChangedSchema,
  secondStepNeededSchema,
  signedInSchema,
  signedOutSchema,
  signInOfCookieSchema,
} from '@fernlab/shared/contracts/sign-in'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { z } from '@hono/zod-openapi'
import { allowed } from '../../accounts/identity.ts'
import type { Attempts } from '../attempts.ts'
import { type AddRoute, type ApiParts, visitor } from '../context.ts'
import { refusal } from '../problems.ts'

interface Known {
  readonly summary: string
  readonly body?: z.ZodType
  readonly answer: z.ZodType
}

const known: Readonly<Record<keyof typeof allowed, Known>> = {
  '/sign-in/email': {
    summary:
      'Sign in with a password; the answer sets the session cookie, or is {"secondFactor": true, "by": […]} where a code or a passkey comes next',
    body: signInSchema,
    answer: z.union([signedInSchema, secondStepNeededSchema]),
  },
  '/sign-out': { summary: 'Sign out', answer: signedOutSchema },
  '/get-session': { summary: 'Whose session the cookie is; null for a stranger', answer: signInOfCookieSchema },
  '/change-password': {
    summary: 'Choose another password',
    body: z.object({
      currentPassword: z.string().max(200),
      newPassword: z.string().min(10).max(200),
      revokeOtherSessions: z.boolean().optional(),
    }),
    answer: passwordChangedSchema,
  },
}

/** Sign-in and sign-out: the allow-listed calls, each in our own words when it fails. */
export function authRoutes(add: AddRoute, { accounts }: ApiParts, guesses: Attempts): void {
  for (const path of Object.keys(known) as (keyof typeof known)[]) {
    const method = allowed[path]
    const { summary, body, answer: schema } = known[path]
    const guess = path === '/sign-in/email' || path === '/change-password'
    add(
      {
        method: method === 'GET' ? 'get' : 'post',
        path: `/api/auth${path}`,
        tag: 'Sign-in',
        summary,
        access: 'public',
        ...(path === '/change-password' ? {} : { often: true as const }),
        errors: [
          'sign-in-failed',
          ...(path === '/sign-in/email' ? (['account-suspended'] as const) : []),
          ...(guess ? (['wrong-credentials', 'too-many-attempts'] as const) : []),
        ],
        ...(body === undefined ? {} : { body }),
        answer: { schema, what: 'Done' },
      },
      async ({ c }) => {
        const text = method === 'POST' ? await c.req.text() : undefined
        const call = async () => {
          const answer = await accounts.signIn.handle(
            new Request(c.req.url, {
              method,
              headers: c.req.raw.headers,
              ...(text === undefined ? {} : { body: text === '' ? '{}' : text }),
            }),
            visitor(c),
          )
          if (answer === undefined) throw refusal('not-found', `${c.req.path} does not exist`)
          if (!answer.ok) throw await describe(answer)
          return answer
        }
        return guess ? guesses.guess(c.get('address'), call) : call()
      },
    )
  }
}

async function describe(answer: Response) {
  const { code = '', message = '' } = (await answer.json().catch(() => ({}))) as { code?: string; message?: string }
  if (answer.status === 401 || /INVALID_EMAIL_OR_PASSWORD|INVALID_PASSWORD|CREDENTIAL/.test(code)) {
    return refusal('wrong-credentials', 'the address or the password is wrong', 'The address or the password is wrong.')
  }
  if (answer.status >= 500) {
    return new LabError({
      code: 'sign-in-failed',
      kind: 'bug',
      message: `sign-in answered ${answer.status} ${message}`,
    })
  }
  return refusal('request-invalid', message === '' ? `sign-in answered ${answer.status}` : message)
}
