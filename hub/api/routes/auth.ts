import { signInSchema } from '@fernlab/shared/contracts/api'
import { z } from '@hono/zod-openapi'
import { allowed } from '../../accounts/identity.ts'
import type { Attempts } from '../attempts.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { problemResponse, refusal } from '../problems.ts'

const known: Readonly<Record<string, { readonly summary: string; readonly body?: z.ZodType }>> = {
  '/sign-in/email': { summary: 'Sign in with a password; the answer sets the session cookie', body: signInSchema },
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
        const address = c.get('address')
        const guess = path === '/sign-in/email' || path === '/change-password'
        if (guess) guesses.check(address)
        const text = method === 'POST' ? await c.req.text() : undefined
        const answer = await accounts.handle(
          new Request(c.req.url, {
            method,
            headers: c.req.raw.headers,
            ...(text === undefined ? {} : { body: text === '' ? '{}' : text }),
          }),
        )
        if (answer === undefined) throw refusal('not-found', `${c.req.path} does not exist`)
        if (answer.ok) return answer
        if (guess && answer.status < 500) guesses.count(address)
        return problemResponse(await describe(answer))
      },
    )
  }
}

async function describe(answer: Response) {
  const { code = '', message = '' } = (await answer.json().catch(() => ({}))) as { code?: string; message?: string }
  if (answer.status === 401 || /INVALID_EMAIL_OR_PASSWORD|INVALID_PASSWORD|CREDENTIAL/.test(code)) {
    return refusal('wrong-credentials', 'the address or the password is wrong', 'The address or the password is wrong.')
  }
  return refusal('request-invalid', message === '' ? `sign-in answered ${answer.status}` : message)
}
