import { type Passkey, passkeySchema } from '@fernlab/shared/contracts/passkeys'
import type { Command } from 'commander'
import { z } from 'zod'
import { passwordFor } from '../../asked.ts'
import { type Context, type HubOptions, openHub, withHub } from '../../context.ts'
import type { HubClient } from '../../hub-client.ts'
import { mistake } from '../../problem.ts'
import { cellTime } from '../../shown-time.ts'
import { printList } from '../../table.ts'

/** `account passkeys`, `rename-passkey`, `remove-passkey`; a browser makes them. */
export function addPasskeys(account: Command, context: Context): void {
  const { terminal } = context

  withHub(account.command('passkeys').description('your passkeys, the oldest first')).action(
    async (options: HubOptions) => {
      const client = await openHub(context, options)
      printList(terminal, await passkeysOf(client), {
        ...options,
        columns: {
          name: (item) => item.name,
          added: (item) => cellTime(item.createdAt),
          'last used': (item) => cellTime(item.lastUsedAt) ?? 'never',
          passkey: (item) => item.id,
        },
        empty: 'No passkeys yet. Add one in a browser, under Account.',
      })
    },
  )

  withHub(account.command('rename-passkey <passkey> <name>').description('give a passkey another name')).action(
    async (which: string, name: string, options: HubOptions) => {
      const client = await openHub(context, options)
      const passkey = chosen(await passkeysOf(client), which)
      const renamed = await client.call(passkeySchema, path(passkey), { method: 'PUT', body: { name } })
      terminal.out(options.json ? JSON.stringify(renamed, null, 2) : `${passkey.name} is ${renamed.name} now`)
    },
  )

  withHub(
    account
      .command('remove-passkey <passkey>')
      .description('remove a passkey, by its name or id; asks for your password'),
  ).action(async (which: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const passkey = chosen(await passkeysOf(client), which)
    const password = await passwordFor(terminal, 'remove-passkey', 'Or remove it in a browser, under Account.')
    await client.fetch(path(passkey, '/remove'), { method: 'POST', body: { password } })
    const { id, name } = passkey
    terminal.out(
      options.json ? JSON.stringify({ id, removed: true }) : `${name} is removed; delete it on your device too`,
    )
  })
}

const passkeys = '/api/v1/me/passkeys'
const path = ({ id }: Passkey, more = '') => `${passkeys}/${encodeURIComponent(id)}${more}`

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
