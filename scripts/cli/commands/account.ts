import { type Passkey, passkeySchema } from '@fernlab/shared/contracts/passkeys'
import { signInSchema } from '@fernlab/shared/contracts/sign-ins'
import type { Command } from 'commander'
import { z } from 'zod'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import type { HubClient } from '../hub-client.ts'
import { mistake } from '../problem.ts'
import { printList } from '../table.ts'

/** `account sign-ins`, `account sign-out`, `account passkeys`, `account remove-passkey`. */
export function addAccount(program: Command, context: Context): void {
  const { terminal } = context
  const account = program.command('account').description('your own account: where you are signed in, and your passkeys')

  withHub(
    account.command('sign-ins').description('the browsers in which you are signed in, the last seen first'),
  ).action(async (options: HubOptions) => {
    const client = await openHub(context, options)
    const { items } = await client.call(z.object({ items: z.array(signInSchema) }), '/api/v1/me/sign-ins')
    printList(terminal, items, {
      ...options,
      columns: {
        'sign-in': (item) => item.id,
        browser: (item) => [item.browser, item.system].filter((word) => word !== undefined).join(', ') || 'unknown',
        address: (item) => item.address ?? '',
        since: (item) => item.since,
        'last seen': (item) => item.lastSeenAt,
      },
      empty: 'You are signed in nowhere.',
    })
  })

  withHub(
    account
      .command('sign-out [sign-in]')
      .description('end one of them, at once; tokens stay')
      .option('--all', 'end all of them'),
  ).action(async (id: string | undefined, options: HubOptions & { all?: boolean }) => {
    if ((id === undefined) === (options.all !== true))
      throw mistake('sign-in', 'name one sign-in, or give --all', 'See "fernlab account sign-ins".')
    const client = await openHub(context, options)
    if (id === undefined) await client.fetch('/api/v1/me/sign-ins/end-others', { method: 'POST' })
    else await client.fetch(`/api/v1/me/sign-ins/${encodeURIComponent(id)}`, { method: 'DELETE' })
    const ended = id ?? 'all'
    terminal.out(options.json ? JSON.stringify({ ended }) : id === undefined ? 'all have ended' : `${id} has ended`)
  })
  withHub(account.command('passkeys').description('your passkeys, the oldest first')).action(
    async (options: HubOptions) => {
      const client = await openHub(context, options)
      printList(terminal, await passkeysOf(client), {
        ...options,
        columns: {
          name: (item) => item.name,
          added: (item) => item.createdAt,
          'last used': (item) => item.lastUsedAt ?? 'never',
          passkey: (item) => item.id,
        },
        empty: 'No passkeys yet. Add one in a browser, under Account.',
      })
    },
  )

  withHub(
    account
      .command('remove-passkey <passkey>')
      .description('remove a passkey, by its name or id; asks for your password'),
  ).action(async (which: string, options: HubOptions) => {
    if (options.json || !terminal.asks) {
      const message = 'remove-passkey asks for your password, which needs a terminal and no --json'
      throw mistake('no-terminal', message, 'Or remove it in a browser, under Account.')
    }
    const client = await openHub(context, options)
    const { id, name } = chosen(await passkeysOf(client), which)
    const password = await terminal.ask('Password: ', { hidden: true })
    await client.fetch(`${passkeys}/${encodeURIComponent(id)}/remove`, { method: 'POST', body: { password } })
    terminal.out(`${name} is removed; delete it on your device too`)
  })
}

const passkeys = '/api/v1/me/passkeys'

async function passkeysOf(client: HubClient): Promise<Passkey[]> {
  return (await client.call(z.object({ items: z.array(passkeySchema) }), passkeys)).items
}

function chosen(items: readonly Passkey[], which: string): Passkey {
  const fitting = items.filter(({ id, name }) => id === which || name === which)
  const [passkey] = fitting
  if (passkey === undefined)
    throw mistake('passkey', `you have no passkey "${which}"`, 'See "fernlab account passkeys".')
  if (fitting.length > 1)
    throw mistake(
      'passkey',
      `${fitting.length} passkeys are called "${which}"`,
      'Give its id, from "fernlab account passkeys".',
    )
  return passkey
}
