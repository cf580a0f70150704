import { meSchema } from '@fernlab/shared/contracts/api'
import type { Command } from 'commander'
import { answerTo, passwordFor } from '../asked.ts'
import { type Context, type HubOptions, withHub } from '../context.ts'
import { accessTo, findHub, hubAddress } from '../hub-address.ts'
import { HubClient } from '../hub-client.ts'
import { mistake } from '../problem.ts'
import { exchangeSignIn, forgetToken, keepToken, signIn } from '../sign-in.ts'

/** `login`, `logout`, `whoami`. */
export function addLogin(program: Command, context: Context): void {
  const { terminal } = context

  withHub(program.command('login').description('keep a token for a hub, from your password or given with --token'))
    .option('--email <email>', 'whose')
    .option('--code <code>', 'of your authenticator app; asked for where it is needed')
    .action(async (options: HubOptions & { email?: string; code?: string }) => {
      const url = await hubAddress(terminal.env, options)
      const hub = new HubClient(await accessTo(terminal.env, url))
      const token = options.token ?? (await tokenByPassword(context, hub, options))
      const me = await keepToken(terminal, hub, token)
      terminal.out(options.json ? JSON.stringify({ hub: url, ...me }, null, 2) : `${me.name} at ${url}, ${me.role}`)
    })

  withHub(program.command('logout').description('forget the token for a hub')).action(async (options: HubOptions) => {
    const url = await hubAddress(terminal.env, options)
    if (!(await forgetToken(terminal, url))) throw mistake('not-logged-in', `no token was kept for ${url}`)
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
  { terminal }: Context,
  hub: HubClient,
  { email: given, code, json }: { readonly email?: string; readonly code?: string; readonly json?: boolean },
): Promise<string> {
  const [verb, instead] = ['login', 'Or give --token.']
  const email = given ?? (await answerTo(terminal, { verb, what: 'your mail address', shown: 'E-mail: ', instead }))
  const password = await passwordFor(terminal, verb, instead)
  const client = await signIn(terminal, hub, { verb, email, password, code })
  const { token } = await exchangeSignIn(terminal, client, { verb, password, json })
  if (token !== undefined) return token
  const next = 'As a guest, look at the labs on the page.'
  throw mistake('guest', 'the account of a guest has no tokens, and so no command line', next)
}
