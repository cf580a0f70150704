import { invitedSchema, siteSchema } from '@fernlab/shared/contracts/api'
import { confirmedAddressSchema, registeringSchema } from '@fernlab/shared/contracts/sign-in'
import type { Command } from 'commander'
import { z } from 'zod'
import { answerTo, newPasswordFor } from '../../asked.ts'
import { readSettings } from '../../client-settings.ts'
import { type Context, type HubOptions, openHub, withHub } from '../../context.ts'
import { accessTo, hubAddress, tidyUrl } from '../../hub-address.ts'
import { HubClient } from '../../hub-client.ts'
import { mistake } from '../../problem.ts'
import { cookieOf, exchangeSignIn, keepToken } from '../../sign-in.ts'

interface Newcomer {
  readonly name?: string
  readonly email?: string
}
interface Opened {
  readonly client: HubClient
  readonly token: string
  readonly options: HubOptions & Newcomer
}

/** `account link`, `register`, `forgot-password`: ways in for whoever is not in yet. */
export function addLink(account: Command, context: Context): void {
  const { terminal } = context

  withHub(
    account
      .command('link')
      .description('use a one-time link: an invitation, a registration, another address or password, the set-up'),
  )
    .option('--name <name>', 'of a new account; asked for')
    .option('--email <email>', 'of a new account; asked for')
    .addHelpText(
      'after',
      `
The link is asked for, or the first line of standard input; a password comes after it.
Who makes an account is logged in with it; a guest, who has no tokens, signs in on the page.`,
    )
    .action(async (options: HubOptions & Newcomer) => {
      const shown = 'The link: '
      const text = await answerTo(terminal, { verb: 'link', what: 'the link', shown, hidden: true })
      const { origin, path, token } = linkIn(text)
      const use = uses[path]
      if (use === undefined) throw notALink()
      const url = options.hub === undefined ? origin : tidyUrl(options.hub)
      const client = new HubClient(await accessTo(terminal.env, url))
      await use(context, { client, token, options })
    })

  withHub(account.command('register').description('ask for an account of your own, where the site lets people'))
    .option('--name <name>', 'yours; asked for')
    .option('--email <email>', 'yours; asked for')
    .action(async (options: HubOptions & Newcomer) => {
      const client = await openHub(context, options)
      const { registration, title } = await client.call(siteSchema, '/api/v1/site')
      const { open, domains } = registration
      if (!open)
        throw mistake('registration-closed', `${title} lets nobody make an account`, 'Ask its staff for an invitation.')
      if (domains.length > 0 && !options.json) terminal.err(`Your address has to be at ${domains.join(' or ')}.`)
      const body = await newcomer(context, 'register', options)
      await client.fetch('/api/v1/register', { method: 'POST', body })
      terminal.out(options.json ? JSON.stringify({ ...body, sent: true }) : `a letter is on its way to ${body.email}`)
      if (!options.json) terminal.err('Open the link in it, or give it to "fernlab account link".')
    })

  withHub(
    account.command('forgot-password <email>').description('ask for a letter with a link to choose a new password'),
  ).action(async (email: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const path = '/api/v1/password/forgot'
    const said = await client.call(z.object({ message: z.string() }), path, { method: 'POST', body: { email } })
    terminal.out(options.json ? JSON.stringify(said) : said.message)
  })
}

type Use = (context: Context, opened: Opened) => Promise<void>

/** What each link is for, by the path of its page. */
const uses: Readonly<Record<string, Use>> = {
  '/setup': async (context, opened) => {
    await opened.client.fetch('/api/v1/setup/check', { method: 'POST', body: { token: opened.token } })
    await enter(context, opened, '/api/v1/setup', await newcomer(context, 'link', opened.options))
  },
  '/join': async (context, opened) => {
    const { client, token, options } = opened
    const { terminal } = context
    const invited = await client.call(invitedSchema, '/api/v1/join/check', { method: 'POST', body: { token } })
    if (options.json !== true)
      terminal.err(
        `${invited.by} invites you as ${invited.role}${invited.group === undefined ? '' : ` to ${invited.group.name}`}.`,
      )
    const own = await ownToken(context, client.url, options)
    if (own === undefined && !invited.register)
      throw mistake(
        'account-needed',
        'this invitation is for people who have an account',
        'Log in with "fernlab login" first.',
      )
    if (own === undefined) return await enter(context, opened, '/api/v1/join', await newcomer(context, 'link', options))
    const member = client.as({ token: own })
    const { group } = await member.call(z.object({ group: z.string() }), '/api/v1/join/accept', {
      method: 'POST',
      body: { token },
    })
    terminal.out(options.json ? JSON.stringify({ group }) : `you are in ${group} now`)
  },
  '/register': async (context, opened) => {
    const { client, token, options } = opened
    const about = await client.call(registeringSchema, '/api/v1/register/check', { method: 'POST', body: { token } })
    if (options.json !== true) context.terminal.err(`An account for ${about.name} <${about.email}>.`)
    await enter(context, opened, '/api/v1/register/confirm', { name: options.name ?? about.name })
  },
  '/confirm-address': async ({ terminal }, { client, token, options }) => {
    const path = '/api/v1/address/confirm'
    const { email } = await client.call(confirmedAddressSchema, path, { method: 'POST', body: { token } })
    terminal.out(options.json ? JSON.stringify({ email }) : `${email} is your address now`)
  },
  '/reset': async ({ terminal }, { client, token, options }) => {
    const password = await newPasswordFor(terminal, 'link')
    await client.fetch('/api/v1/password/reset', { method: 'POST', body: { token, password } })
    terminal.out(
      options.json ? JSON.stringify({ changed: true }) : 'the password is changed; log in with "fernlab login"',
    )
  },
}

/** Makes the account, signs in and keeps a token, as `login` does; of a guest it only says where they sign in. */
async function enter({ terminal }: Context, { client, token: secret, options }: Opened, path: string, about: object) {
  const verb = 'link'
  const password = await newPasswordFor(terminal, verb)
  const made = await client.fetch(path, { method: 'POST', body: { ...about, token: secret, password } })
  const { url } = client
  const signedIn = client.as({ cookie: cookieOf(made) })
  try {
    const { me, token } = await exchangeSignIn(terminal, signedIn, { verb, password, json: options.json })
    if (token !== undefined) await keepToken(terminal, client, token)
    terminal.out(options.json ? JSON.stringify({ hub: url, ...me }, null, 2) : `${me.name} at ${url}, ${me.role}`)
    if (token === undefined)
      terminal.err(`Your account is there. A guest has no command line: sign in on the page, ${url}/sign-in`)
  } catch (error) {
    terminal.err(`Your account is there all the same: "fernlab login --hub ${url}" goes on with it.`)
    throw error
  }
}

async function newcomer(
  { terminal }: Context,
  verb: string,
  given: Newcomer,
): Promise<{ name: string; email: string }> {
  const name = given.name ?? (await answerTo(terminal, { verb, what: 'your name', shown: 'Name: ' }))
  const email = given.email ?? (await answerTo(terminal, { verb, what: 'your mail address', shown: 'E-mail: ' }))
  return { name, email }
}

/** One's token for the hub of a link. Whoever wrote the link may have named any hub: no other's token goes there. */
async function ownToken({ terminal }: Context, url: string, options: HubOptions): Promise<string | undefined> {
  if (options.token !== undefined) return options.token
  if ((await hubAddress(terminal.env, options)) === url && terminal.env.FERNLAB_TOKEN !== undefined)
    return terminal.env.FERNLAB_TOKEN
  return (await readSettings(terminal.env)).tokens[url]
}

function linkIn(text: string): { origin: string; path: string; token: string } {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  const token = new URLSearchParams(url?.hash.slice(1)).get('token')
  if (url === undefined || token === null) throw notALink()
  return { origin: tidyUrl(url.origin), path: url.pathname, token }
}

const notALink = () =>
  mistake(
    'link',
    'that is no link of a hub',
    'Such as https://lab.example.edu/join#token=…, whole, with what stands behind the #.',
  )
