import { meSchema } from '@fernlab/shared/contracts/api'
import { secondFactorSchema } from '@fernlab/shared/contracts/sign-in'
import type { Command } from 'commander'
import { newPasswordFor, passwordFor } from '../../asked.ts'
import { type Context, type HubOptions, openHub, withHub } from '../../context.ts'
import { secondFactorPath } from '../../second-factor.ts'
import { signIn, whileSignedIn } from '../../sign-in.ts'

const path = '/api/v1/me'

/** `account show`, `rename`, `address`, `password`. */
export function addPerson(account: Command, context: Context): void {
  const { terminal } = context

  withHub(account.command('show').description('who you are here, and how your account stands')).action(
    async (options: HubOptions) => {
      const client = await openHub(context, options)
      const me = await client.call(meSchema, path)
      const secondFactor = await client.call(secondFactorSchema, secondFactorPath)
      if (options.json) return terminal.out(JSON.stringify({ hub: client.url, ...me, secondFactor }, null, 2))
      const { on, recoveryCodes, required } = secondFactor
      const factor = on ? `on, ${recoveryCodes} recovery codes left` : required ? 'off, and this site wants it' : 'off'
      terminal.out(`name: ${me.name}`)
      terminal.out(`mail address: ${me.email}`)
      terminal.out(`role: ${me.role}`)
      terminal.out(`second factor: ${factor}`)
      if (me.language !== undefined) terminal.out(`language: ${me.language}`)
      if (me.timeZone !== undefined) terminal.out(`time zone: ${me.timeZone}`)
      terminal.out(`hub: ${client.url}`)
    },
  )

  withHub(account.command('rename <name>').description('give yourself another name, for everybody to see')).action(
    async (name: string, options: HubOptions) => {
      const client = await openHub(context, options)
      const me = await client.call(meSchema, path, { method: 'PUT', body: { name } })
      terminal.out(options.json ? JSON.stringify(me, null, 2) : `you are ${me.name} now`)
    },
  )

  withHub(
    account
      .command('address <email>')
      .description('ask for a letter that makes another mail address yours, or confirms the present one'),
  ).action(async (email: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const password = await passwordFor(terminal, 'address')
    await client.fetch(`${path}/address`, { method: 'POST', body: { email, password } })
    terminal.out(options.json ? JSON.stringify({ email, sent: true }) : `a letter is on its way to ${email}`)
    if (!options.json)
      terminal.err('Open the link in it, or give it to "fernlab account link": then the address holds.')
  })

  withHub(account.command('password').description('choose another password; it ends your sign-ins in browsers'))
    .option('--code <code>', 'of your authenticator app; asked for where it is needed')
    .action(async (options: HubOptions & { code?: string }) => {
      const verb = 'password'
      const hub = await openHub(context, options)
      const { email } = await hub.call(meSchema, path)
      const currentPassword = await passwordFor(terminal, verb)
      const newPassword = await newPasswordFor(terminal, verb)
      const client = await signIn(terminal, hub, { verb, email, password: currentPassword, code: options.code })
      await whileSignedIn(client, async () => {
        // The answer would carry another cookie if it ended the others; they end below, this one with them.
        const body = { currentPassword, newPassword, revokeOtherSessions: false }
        await client.fetch('/api/auth/change-password', { method: 'POST', body })
        await client.fetch(`${path}/sign-ins/end-others`, { method: 'POST' })
      })
      terminal.out(options.json ? JSON.stringify({ changed: true }) : 'the password is changed; your tokens stay')
    })
}
