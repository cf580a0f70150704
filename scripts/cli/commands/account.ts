import { signInSchema } from '@fernlab/shared/contracts/sign-ins'
import type { Command } from 'commander'
import { z } from 'zod'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { mistake } from '../problem.ts'
import { printList } from '../table.ts'

/** `account sign-ins`, `account sign-out`. */
export function addAccount(program: Command, context: Context): void {
  const { terminal } = context
  const account = program.command('account').description('your own account: where you are signed in')

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
}
