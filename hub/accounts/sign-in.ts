/**
 * Signing in, in one step or in two: a password, and a code or a passkey where the person has a second factor; or a
 * passkey alone, which is both.
 *
 * INVARIANTS: where a second step is asked for, no session outlives the answer to the password; the second step's secret
 * opens nothing but the second step.
 */
import type { ShownPasskey } from '@fernlab/shared/contracts/passkeys'
import { parseCookies } from 'better-auth/cookies'
import type { Identity, Visitor } from './identity.ts'
import type { Passkeys } from './passkeys.ts'
import { type SecondFactor, secondStepMs, trustMs } from './second-factor.ts'
import { cookiePrefix } from './session-cookies.ts'
import { accountSuspended, type Suspension } from './suspension.ts'

export interface SignIn {
  /** Answers the allow-listed calls below `/api/auth/`; undefined for all others. Throws `account-suspended` after the right password. */
  handle(request: Request, from: Visitor): Promise<Response | undefined>
  /** Whose second step the cookies carry; undefined when there is none or it is over. */
  waiting(headers: Headers): Promise<string | undefined>
  /** Ends the second step of these cookies and signs in; throws `code-wrong`, `second-step-over`, `account-suspended`. */
  second(headers: Headers, input: { code: string; trustBrowser: boolean }, from: Visitor): Promise<readonly string[]>
  /** Signs in whose passkey was shown; throws as `Passkeys.check`, and `account-suspended`. */
  passkey(shown: ShownPasskey, from: Visitor): Promise<{ personId: string; cookies: readonly string[] }>
}

export interface SignInOptions {
  readonly identity: Identity
  readonly secondFactor: SecondFactor
  readonly passkeys: Pick<Passkeys, 'check'>
  readonly suspension: Pick<Suspension, 'isSuspended'>
  /** Whether cookies are for HTTPS alone. */
  readonly secure: boolean
}

/** Puts the steps together. */
export function createSignIn({ identity, secondFactor, passkeys, suspension, secure }: SignInOptions): SignIn {
  const prefix = cookiePrefix(secure)
  const stepCookie = `${prefix}fernlab.second_step`
  const trustCookie = `${prefix}fernlab.trusted_browser`
  const read = (headers: Headers, name: string) => parseCookies(headers.get('cookie') ?? '').get(name)
  const cookie = (name: string, value: string, lastsMs: number) =>
    `${name}=${value}; Path=/; Max-Age=${lastsMs / 1000}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`

  /** After the proof of who it is: strangers are not told. */
  const mustBeIn = (personId: string) => {
    if (suspension.isSuspended(personId)) throw accountSuspended(personId)
  }

  return {
    handle: async (request, from) => {
      const answer = await identity.handle(request, from)
      if (answer?.ok !== true || !new URL(request.url).pathname.endsWith('/sign-in/email')) return answer
      const { token, user } = (await answer.clone().json()) as { token: string; user: { id: string } }
      if (suspension.isSuspended(user.id)) {
        await identity.undo(token)
        throw accountSuspended(user.id)
      }
      const step = await secondFactor.challenge(user.id, read(request.headers, trustCookie))
      if (step === undefined) return answer
      await identity.undo(token)
      const { by, secret } = step
      const headers = secret === undefined ? {} : { 'set-cookie': cookie(stepCookie, secret, secondStepMs) }
      return Response.json({ secondFactor: true, by }, { headers })
    },
    waiting: async (headers) => {
      const secret = read(headers, stepCookie)
      return secret === undefined ? undefined : secondFactor.pending(secret)
    },
    second: async (headers, { code, trustBrowser }, from) => {
      const personId = await secondFactor.answer(read(headers, stepCookie) ?? '', code)
      mustBeIn(personId)
      const cookies = [...(await identity.start(personId, from)), cookie(stepCookie, '', 0)]
      if (!trustBrowser) return cookies
      return [...cookies, cookie(trustCookie, await secondFactor.trust(personId), trustMs)]
    },
    passkey: async (shown, from) => {
      const personId = await passkeys.check(shown)
      mustBeIn(personId)
      return { personId, cookies: [...(await identity.start(personId, from)), cookie(stepCookie, '', 0)] }
    },
  }
}
