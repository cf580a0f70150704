import { signInSchema } from '@fernlab/shared/contracts/api'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { z } from '@hono/zod-openapi'
import { allowed } from '../../accounts/identity.ts'
import type { Attempts } from '../attempts.ts'
import { type AddRoute, type ApiParts, visitor } from '../context.ts'
import { refusal } from '../problems.ts'

const known: Readonly<Record<string, { readonly summary: string; readonly body?: z.ZodType }>> = {
  '/sign-in/email': {
    summary:
      'Sign in with a password; the answer sets the session cookie, or is {"secondFactor": true, "by": […]} where a code or a passkey comes next',
    body: signInSchema,
  },
  '/sign-out': { summary: 'Sign out' },
  '/get-session': { summary: 'Whose session the cookie is' },
  '/change-password': {
    summary: 'Choose another password',
    body: z.object({
      currentPassword: z.string().max(200),
      newPassword: z.string().min(10).max(200),
      revokeOtherSessions: z.boolean().optional(),
    }),
  },
}

/** Sign-in and sign-out: the allow-listed calls, each in our own words when it fails. */
export function authRoutes(add: AddRoute, { accounts }: ApiParts, guesses: Attempts): void {
  for (const [path, method] of Object.entries(allowed)) {
    const { summary = path, body } = known[path] ?? {}
    add(
      {
        method: method === 'GET' ? 'get' : 'post',
        path: `/api/auth${path}`,
        tag: 'Sign-in',
        summary,
        access: 'public',
        ...(body === undefined ? {} : { body }),
        answer: { what: 'Done', type: 'application/json' },
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
        const guess = path === '/sign-in/email' || path === '/change-password'
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
