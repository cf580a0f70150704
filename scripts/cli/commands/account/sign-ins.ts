import { signInSchema } from '@fernlab/shared/contracts/sign-ins'
import type { Command } from 'commander'
import { z } from 'zod'
import { type Context, type HubOptions, openHub, withHub } from '../../context.ts'
import { misspelt } from '../../problem.ts'
import { cellTime } from '../../shown-time.ts'
import { printList } from '../../table.ts'

const path = '/api/v1/me/sign-ins'

/** `account sign-ins`, `sign-out`. */
export function addSignIns(account: Command, context: Context): void {
  const { terminal } = context

  withHub(
    account.command('sign-ins').description('the browsers in which you are signed in, the last seen first'),
  ).action(async (options: HubOptions) => {
    const client = await openHub(context, options)
    const { items } = await client.call(z.object({ items: z.array(signInSchema) }), path)
    printList(terminal, items, {
      ...options,
      columns: {
        'sign-in': (item) => item.id,
        browser: (item) => [item.browser, item.system].filter((word) => word !== undefined).join(', ') || 'unknown',
        address: (item) => item.address ?? '',
        since: (item) => cellTime(item.since),
        'last seen': (item) => cellTime(item.lastSeenAt),
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
      throw misspelt('sign-in', 'name one sign-in, or give --all', 'See "fernlab account sign-ins".')
    const client = await openHub(context, options)
    if (id === undefined) await client.fetch(`${path}/end-others`, { method: 'POST' })
    else await client.fetch(`${path}/${encodeURIComponent(id)}`, { method: 'DELETE' })
    const ended = id ?? 'all'
    terminal.out(options.json ? JSON.stringify({ ended }) : id === undefined ? 'all have ended' : `${id} has ended`)
    if (id === undefined && !options.json) terminal.err('Tokens stay; "fernlab token revoke --all" ends them.')
  })
}
