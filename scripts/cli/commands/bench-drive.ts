import { type Bench, benchSchema, exchangedSchema, leaseSchema } from '@fernlab/shared/contracts/api'
import { LONGEST_LEASE_S } from '@fernlab/shared/contracts/longest'
import type { Command } from 'commander'
import * as z from 'zod'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { controlColumns, controlRows, controlsOf, readableOf, settingsOf } from '../controls.ts'
import type { HubClient } from '../hub-client.ts'
import { misspelt, mistake } from '../problem.ts'
import { valueText } from '../session-text.ts'
import { secondsIn } from '../session-verbs.ts'
import { spokenTime } from '../shown-time.ts'
import { printList } from '../table.ts'

interface LeaseOptions extends HubOptions {
  readonly seconds: string
  readonly renew?: true
  readonly reason?: string
}

interface ExchangeOptions extends HubOptions {
  readonly lease?: string
  readonly read?: readonly string[]
  readonly raw?: true
}

const path = (bench: string, more = '') => `/api/v1/benches/${encodeURIComponent(bench)}${more}`

/** Who drives it and what for, as far as the caller may know. */
const driverOf = ({ mine, leasedBy, leaseReason }: Bench): string => {
  const who = mine ? 'you drive it' : `${leasedBy?.name ?? 'somebody'} drives it directly`
  return leaseReason === undefined ? who : `${who} (${leaseReason})`
}

const benchOf = (client: HubClient, id: string) => client.call(benchSchema, path(id))

/** `bench show`, `lease`, `exchange`, `release`: a bench's signals, and direct use by staff. */
export function addBenchDrive(bench: Command, context: Context): void {
  const { terminal } = context

  withHub(bench.command('show <bench>').description('its state, and what can be read, set and called on it')).action(
    async (id: string, options: HubOptions) => {
      const found = await benchOf(await openHub(context, options), id)
      if (options.json) return terminal.out(JSON.stringify(found, null, 2))
      const reason = found.reason === undefined ? '' : `: ${found.reason}`
      const who = found.leased ? `; ${driverOf(found)}` : ''
      terminal.out(`${id} is ${found.state}${reason}${found.run === undefined ? '' : `, run ${found.run}`}${who}`)
      const rows = controlRows(controlsOf(found.parts))
      printList(terminal, rows, { columns: controlColumns, empty: 'Its node has told of no signals.' })
    },
  )

  withHub(
    bench.command('lease <bench>').description('take a free bench for direct use, and print the lease; staff may'),
  )
    .option('--seconds <number>', `for how long, 5 to ${LONGEST_LEASE_S}; then the bench goes to its safe state`, '60')
    .option('--renew', 'make the lease that you have there last so long from now')
    .option(
      '--reason <text>',
      'what for: those who may see people are told; with --renew instead of what was said before',
    )
    .addHelpText(
      'after',
      `
  lease=$(fernlab bench lease demo.rc-1 --seconds 300)
  fernlab bench exchange demo.rc-1 --lease "$lease" psu.voltage=2 psu.output=on --read dmm.voltage
  fernlab bench release demo.rc-1`,
    )
    .action(async (id: string, options: LeaseOptions) => {
      const ttlS = secondsIn(options.seconds, '--seconds')
      if (ttlS < 5 || ttlS > LONGEST_LEASE_S) {
        const message = `--seconds is ${ttlS}: a node grants a lease for 5 to ${LONGEST_LEASE_S} s`
        throw misspelt(
          'option-wrong',
          message,
          ttlS < 5 ? 'Ask for more.' : 'Ask for less, and make it last on with --renew.',
        )
      }
      const client = await openHub(context, options)
      if (options.renew && (await benchOf(client, id)).mine !== true)
        throw mistake('lease-unknown', `you have no lease on ${id}`, `Take it with "fernlab bench lease ${id}".`)
      const body = {
        ttlS,
        ...(options.renew ? { resume: true } : {}),
        ...(options.reason === undefined ? {} : { reason: options.reason }),
      }
      const lease = await client.call(leaseSchema, path(id, '/lease'), { method: 'POST', body })
      if (options.json) return terminal.out(JSON.stringify(lease, null, 2))
      terminal.out(lease.lease)
      terminal.err(`Until ${spokenTime(lease.expiresAt)}. Give it back with: fernlab bench release ${id}`)
    })

  withHub(
    bench
      .command('exchange <bench> [part.signal=value...]')
      .description('set signals under a lease, read others, in one go; reading alone needs no lease'),
  )
    .option('--lease <lease>', 'as "fernlab bench lease" prints it')
    .option('--read <signals...>', 'what is read afterwards; without it and without values, all that there is')
    .option('--raw', 'also what the instruments said, before their calibrations')
    .action(async (id: string, pairs: string[], options: ExchangeOptions) => {
      if (pairs.length > 0 && options.lease === undefined)
        throw mistake('lease-needed', 'to set something needs a lease', `"fernlab bench lease ${id}" prints one.`)
      const client = await openHub(context, options)
      const controls = controlsOf((await benchOf(client, id)).parts)
      const readsAll = pairs.length === 0 && options.read === undefined
      const body = {
        ...(options.lease === undefined ? {} : { lease: options.lease }),
        ...(pairs.length === 0 ? {} : { set: settingsOf(controls, pairs) }),
        ...(readsAll || options.read !== undefined ? { read: readableOf(controls, options.read ?? []) } : {}),
        ...(options.raw ? { raw: true } : {}),
      }
      const answer = await client.call(exchangedSchema, path(id, '/exchange'), { method: 'POST', body })
      if (options.json) return terminal.out(JSON.stringify(answer, null, 2))
      for (const [key, { value, unit, raw }] of Object.entries(answer.readings)) {
        const before = raw === undefined ? '' : `  (raw: ${valueText(raw, unit)})`
        terminal.out(`${key}  ${valueText(value, unit)}${before}`)
      }
    })

  withHub(bench.command('release <bench>').description('give a bench back; it goes to its safe state'))
    .option('--lease <lease>', 'this lease; yours unless given')
    .action(async (id: string, options: HubOptions & { lease?: string }) => {
      const client = await openHub(context, options)
      const query = options.lease === undefined ? '' : `?${new URLSearchParams({ lease: options.lease })}`
      const given = await client.call(z.object({ safe: z.boolean() }), path(id, `/lease${query}`), { method: 'DELETE' })
      if (options.json) terminal.out(JSON.stringify({ bench: id, ...given }))
      else if (given.safe) terminal.out(`${id} is given back, and safe`)
      if (given.safe) return
      throw mistake('not-safe', `${id} is given back, but did not reach its safe state`, 'Look at the bench itself.')
    })
}
