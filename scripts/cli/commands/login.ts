import { createdTokenSchema, meSchema } from '@fernlab/shared/contracts/api'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Command } from 'commander'
import { readSettings, writeSettings } from '../client-settings.ts'
import { type Context, type HubOptions, withHub } from '../context.ts'
import { findHub, hubAddress } from '../hub-address.ts'
import { HubClient } from '../hub-client.ts'
import { mistake } from '../problem.ts'

/** `login`, `logout`, `whoami`. */
export function addLogin(program: Command, context: Context): void {
  const { terminal } = context

  withHub(program.command('login').description('keep a token for a hub, from your password or given with --token'))
    .option('--email <email>', 'whose')
    .action(async (options: HubOptions & { email?: string }) => {
      const url = await hubAddress(terminal.env, options)
      const token = options.token ?? (await tokenByPassword(context, url, options))
      const me = await new HubClient({ url, token }).call(meSchema, '/api/v1/me')
      const settings = await readSettings(terminal.env)
      await writeSettings(terminal.env, { hub: url, tokens: { ...settings.tokens, [url]: token } })
      terminal.out(options.json ? JSON.stringify({ hub: url, ...me }, null, 2) : `${me.name} at ${url}, ${me.role}`)
    })

  withHub(program.command('logout').description('forget the token for a hub')).action(async (options: HubOptions) => {
    const url = await hubAddress(terminal.env, options)
    const { tokens } = await readSettings(terminal.env)
    const { [url]: forgotten, ...kept } = tokens
    await writeSettings(terminal.env, { tokens: kept })
    if (forgotten === undefined) throw mistake('not-logged-in', `no token was kept for ${url}`)
    terminal.out(options.json ? JSON.stringify({ hub: url }) : `the token for ${url} is forgotten`)
  })

  withHub(program.command('whoami').description('who the hub takes you for')).action(async (options: HubOptions) => {
    const client = new HubClient(await findHub(terminal.env, options))
    const me = await client.call(meSchema, '/api/v1/me')
    terminal.out(
      options.json ? JSON.stringify({ hub: client.url, ...me }, null, 2) : `${me.name} <${me.email}>, ${me.role}`,
    )
  })
}

async function tokenByPassword(
  context: Context,
  url: string,
  options: { readonly email?: string; readonly json?: boolean },
): Promise<string> {
  const { terminal } = context
  if (options.json || !terminal.asks) {
    const message = 'login asks for a password, which needs a terminal and no --json'
    throw mistake('no-terminal', message, 'Give --token instead.')
  }
  const email = options.email ?? (await terminal.ask('E-mail: '))
  const password = await terminal.ask('Password: ', { hidden: true })
  const client = new HubClient({ url })
  const signedIn = await client
    .fetch('/api/auth/sign-in/email', { method: 'POST', body: { email, password }, headers: { origin: url } })
    .catch((error: unknown) => {
      if (asLabError(error).code !== 'not-signed-in') throw error
      throw mistake('wrong-password', 'mail address and password do not match')
    })
  const cookie = signedIn.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const created = await client.call(createdTokenSchema, '/api/v1/tokens', {
    method: 'POST',
    headers: { cookie, origin: url },
    body: {
      name: `fernlab on ${terminal.env.HOSTNAME ?? 'a command line'}`,
      scopes: ['read', 'run', 'builder', 'admin'],
      expiresInDays: 90,
    },
  })
  return created.token
}
