import { createdTokenSchema, type Me, meSchema } from '@fernlab/shared/contracts/api'
import { secondStepNeededSchema } from '@fernlab/shared/contracts/sign-in'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { answerTo } from './asked.ts'
import { readSettings, writeSettings } from './client-settings.ts'
import type { HubClient } from './hub-client.ts'
import { mistake } from './problem.ts'
import { recoveryLines, setUpSecondFactor } from './second-factor.ts'
import type { Terminal } from './terminal.ts'

/** Who signs in; the verb is named where something is to be asked. */
export interface SignInOptions {
  readonly verb: string
  readonly email: string
  readonly password: string
  readonly code?: string | undefined
}

/** Signs in as a browser does; the client goes on with the cookie until `whileSignedIn` ends it. */
export async function signIn(
  terminal: Terminal,
  hub: HubClient,
  { verb, email, password, code }: SignInOptions,
): Promise<HubClient> {
  const client = hub.as({})
  const { origin } = new URL(client.url)
  const signedIn = await client
    .fetch('/api/auth/sign-in/email', { method: 'POST', body: { email, password }, headers: { origin } })
    .catch((error: unknown) => {
      if (asLabError(error).code !== 'wrong-credentials') throw error
      throw mistake('wrong-password', 'mail address and password do not match')
    })
  const answer = secondStepNeededSchema.safeParse(await signedIn.json())
  if (!answer.success) return client.as({ cookie: cookieOf(signedIn) })
  if (!answer.data.by.includes('code')) {
    const message = 'this account signs in with a passkey, which a command line has not'
    const next = 'Sign in on the page, make a token under Account, and give it with --token.'
    throw mistake('passkey-needed', message, next)
  }
  const typed =
    code ??
    (await answerTo(terminal, {
      verb,
      what: 'a code of your app, or a recovery code',
      shown: 'Code of your app, or a recovery code: ',
      instead: 'A code of the app can be given with --code.',
    }))
  const waiting = client.as({ cookie: cookieOf(signedIn) })
  const entered = await waiting.fetch('/api/v1/sign-in/second-factor', { method: 'POST', body: { code: typed } })
  return client.as({ cookie: cookieOf(entered) })
}

/** Does something by a client that is signed in, and signs it out, whatever came of it. */
export async function whileSignedIn<Result>(client: HubClient, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } finally {
    await client.fetch('/api/auth/sign-out', { method: 'POST', body: {} })
  }
}

export interface ExchangeOptions {
  /** Where something is to be asked. */
  readonly verb: string
  readonly password: string
  readonly json?: boolean | undefined
}

/** Who it was that signed in, and their token; a guest has none. */
export interface Exchanged {
  readonly me: Me
  readonly token?: string
}

/**
 * Makes a token with what its person may do here, by a client that is signed in, and signs it out; what the site wants
 * to be set up before is set up.
 */
export const exchangeSignIn = (
  terminal: Terminal,
  client: HubClient,
  { verb, password, json = false }: ExchangeOptions,
): Promise<Exchanged> =>
  whileSignedIn(client, async () => {
    const me = await client.call(meSchema, '/api/v1/me')
    const { role, mustSetUp } = me
    if (role === 'guest') return { me }
    if (mustSetUp !== undefined) {
      terminal.err(`This site wants a second factor, a code of an app, of every ${role}. Set it up now.`)
      const recoveryCodes = await setUpSecondFactor(terminal, client, { verb, password, json })
      if (json) terminal.out(JSON.stringify({ recoveryCodes }))
      else for (const line of recoveryLines(recoveryCodes)) terminal.err(line)
    }
    return { me, token: await newToken(terminal, client, role) }
  })

async function newToken(terminal: Terminal, client: HubClient, role: Me['role']): Promise<string> {
  const wider = role === 'student' ? [] : ['builder', 'admin']
  const created = await client.call(createdTokenSchema, '/api/v1/tokens', {
    method: 'POST',
    body: {
      name: `fernlab on ${terminal.env.HOSTNAME ?? 'a command line'}`,
      scopes: ['read', 'run', 'account', ...wider],
      expiresInDays: 90,
    },
  })
  return created.token
}

/** Keeps a token for its hub, which is the one that later verbs use; resolves with its person. */
export async function keepToken(terminal: Terminal, hub: HubClient, token: string): Promise<Me> {
  const { url } = hub
  const me = await hub.as({ token }).call(meSchema, '/api/v1/me')
  const settings = await readSettings(terminal.env)
  await writeSettings(terminal.env, { hub: url, tokens: { ...settings.tokens, [url]: token } })
  return me
}

/** Forgets the token of a hub; resolves with whether there was one. */
export async function forgetToken(terminal: Terminal, url: string): Promise<boolean> {
  const settings = await readSettings(terminal.env)
  const { [url]: forgotten, ...kept } = settings.tokens
  await writeSettings(terminal.env, { tokens: kept })
  return forgotten !== undefined
}

/** The `Cookie` header that an answer's `Set-Cookie` lines make. */
export const cookieOf = ({ headers }: Response): string =>
  headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
