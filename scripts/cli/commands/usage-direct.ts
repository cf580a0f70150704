import {
  type DirectExchange,
  type DirectUse,
  type DirectUseDetail,
  directUseDetailSchema,
  directUseSchema,
} from '@fernlab/shared/contracts/direct-use'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { filterQuery, listNumber } from '../filter-query.ts'
import { cellTime, spokenTime } from '../shown-time.ts'
import { printList, tableLines } from '../table.ts'

interface DirectOptions extends HubOptions {
  readonly course?: string
  readonly person?: string
  readonly bench?: string
  readonly country?: string
  readonly from?: string
  readonly to?: string
  readonly number: string
  readonly csv?: boolean
}

const path = '/api/v1/usage/direct'

/** `usage direct`: which of the staff drove which bench by hand, and what was set and read in one of these uses. */
export function addUsageDirect(usage: Command, context: Context): void {
  const { terminal } = context
  withHub(
    usage
      .command('direct [id]')
      .description('benches that staff drove by hand, newest first; with an id, what was set and read in that use'),
  )
    .option('--course <course>', 'of the people in this group or within it')
    .option('--person <person>', 'of this person, by id or mail address')
    .option('--bench <bench>', 'on this bench')
    .option('--country <country>', 'from there: two capital letters, site or unknown')
    .option('--from <time>', 'begun from this time on, such as 2027-02-01')
    .option('--to <time>', 'begun before this time')
    .option('-n, --number <number>', 'how many', '50')
    .option('--csv', 'all that fit, or all that was exchanged, as CSV')
    .action(async (id: string | undefined, options: DirectOptions) => {
      const query = filterQuery(options, ['course', 'person', 'bench', 'country'])
      const limit = listNumber(options.number)
      const client = await openHub(context, options)
      const one = id === undefined ? undefined : `${path}/${encodeURIComponent(id)}`
      if (options.csv === true) {
        const table = one === undefined ? `${path}.csv?${query}` : `${one}/exchanges.csv`
        return terminal.out((await (await client.fetch(table)).text()).trimEnd())
      }
      if (one !== undefined) {
        const use = await client.call(directUseDetailSchema, one)
        return terminal.out(options.json ? JSON.stringify(use, null, 2) : inWords(use))
      }
      printList(terminal, await allPages(client, directUseSchema, path, { query, limit }), {
        ...options,
        columns: {
          use: (use) => use.id,
          begun: ({ startedAt }) => cellTime(startedAt),
          who: nameOf,
          bench: ({ bench }) => bench,
          'lasted, s': ({ lastsS }) => Math.round(lastsS),
          ended: ({ ended }) => ended ?? 'not yet',
          exchanges: ({ exchanges }) => exchanges,
          from: originOf,
        },
        empty: 'Nobody drove a bench by hand, or nothing fits.',
      })
    })
}

const nameOf = ({ person: { id, name } }: DirectUse) => (name === '' ? id : name)
const originOf = ({ address, country }: DirectUse) => [address, country].filter((part) => part !== undefined).join(' ')

function inWords(use: DirectUseDetail): string {
  const { bench, startedAt, endedAt, ended, lastsS, exchanges, given, moreGiven } = use
  const origin = originOf(use)
  return [
    `${nameOf(use)}: ${bench}${origin === '' ? '' : `, from ${origin}`}`,
    `begun ${spokenTime(startedAt)}, ${endedAt === undefined ? 'not ended yet' : `ended ${spokenTime(endedAt)}, ${ended}`}`,
    `lasted ${Math.round(lastsS)} s, ${exchanges} exchanges`,
    ...tableLines(given, {
      at: ({ at }) => cellTime(at),
      sent: sentOf,
      'came back': answerOf,
      by: ({ way, address = '' }) => `${way === 'mqtt' ? 'MQTT' : 'API'} ${address}`.trim(),
      'took, ms': ({ tookMs }) => Math.round(tookMs),
    }),
    ...(moreGiven ? ['… all of them with --csv'] : []),
  ].join('\n')
}

const sentOf = ({ set, read }: DirectExchange) =>
  [...Object.entries(set).map(([signal, value]) => `${signal}=${value}`), ...read.map((signal) => `${signal}?`)].join(
    ' ',
  )

const answerOf = ({ answer = {}, error }: DirectExchange) =>
  error ??
  (Object.entries(answer)
    .map(([signal, { value, unit }]) => `${signal}=${value} ${unit}`)
    .join(', ') ||
    'done')
