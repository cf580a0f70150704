import {
  type askServiceTokenSchema,
  type GivenServiceToken,
  givenServiceTokenSchema,
} from '@fernlab/shared/contracts/directory'
import type { Command } from 'commander'
import type { z } from 'zod'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { spokenTime } from '../shown-time.ts'

/** `token service`: a token with which a node takes calls of its services. */
export function addTokenService(token: Command, { terminal, ...context }: Context): void {
  withHub(
    token
      .command('service <services...>')
      .description('make a token for calling services of one node; it is shown once and lasts an hour at most'),
  )
    .option('--lease <lease>', 'your lease of a bench of that node (bench lease --json), so that its parts can be used')
    .action(async (services: string[], options: HubOptions & { lease?: string }) => {
      const client = await openHub({ terminal, ...context }, options)
      const body = { services, ...(options.lease === undefined ? {} : { lease: options.lease }) }
      const given = await client.call(givenServiceTokenSchema, '/api/v1/directory/tokens', {
        method: 'POST',
        body: body satisfies z.input<typeof askServiceTokenSchema>,
      })
      terminal.out(options.json ? JSON.stringify(given, null, 2) : given.token)
      if (options.json) return
      const where = given.addresses.length === 0 ? 'it is reached by the hub alone' : given.addresses.join(', ')
      terminal.err(`For ${given.node} (${where}), to ${given.rights.join(', ')}, ${lasts(given)}.`)
    })
}

/** With a lease it is over as soon as the bench is held no more. */
function lasts({ expiresAt, heldUntil }: GivenServiceToken): string {
  if (heldUntil === undefined || heldUntil >= expiresAt) return `until ${spokenTime(expiresAt)}`
  return `until the lease ends, at ${spokenTime(heldUntil)} unless it is renewed, and until ${spokenTime(expiresAt)} at most`
}
