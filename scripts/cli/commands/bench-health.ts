import { type Bench, benchSchema } from '@fernlab/shared/contracts/api'
import {
  type BenchChange,
  benchHistorySchema,
  benchLettersSchema,
  type ShownCheck,
  type ShownUptime,
} from '@fernlab/shared/contracts/bench-checks'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { Command } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import type { HubClient } from '../hub-client.ts'
import { misspelt } from '../problem.ts'
import { cellTime } from '../shown-time.ts'
import { printList } from '../table.ts'

interface HistoryOptions extends HubOptions {
  readonly days: string
  readonly csv?: boolean
}

/** `bench check`, `bench history`: whether a bench is sound, and what became of it. */
export function addBenchHealth(bench: Command, context: Context): void {
  const { terminal } = context

  withHub(
    bench
      .command('check <bench>')
      .description(
        'do its health checks now, and show how they went; a check that is a run waits until the bench is free',
      ),
  ).action(async (id: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const path = `/api/v1/benches/${encodeURIComponent(id)}/checks`
    const found = await whenChecked(context, client, id, await client.call(benchSchema, path, { method: 'POST' }))
    if (options.json) return terminal.out(JSON.stringify(found, null, 2))
    printList(terminal, found.checks ?? [], {
      columns: {
        check: (item) => item.title,
        kind: (item) => item.kind ?? '',
        result: resultOf,
        checked: (item) => cellTime(item.checkedAt) ?? '',
        reason: (item) => item.reason ?? '',
        run: (item) => item.run,
      },
      empty: `${id} has no checks: its node.yaml may give it some.`,
    })
    for (const { title, issues = [] } of found.checks ?? []) {
      if (issues.length > 0) terminal.err(`${title} can not be done: what node.yaml says of it makes no sense.`)
      for (const { path: place, message } of issues) terminal.err(`  ${place}: ${message}`)
    }
    terminal.err(`${id} is ${found.state}${found.reason === undefined ? '' : `: ${found.reason}`}`)
  })

  withHub(bench.command('history <bench>').description('what became of the bench, and how much of the time it was up'))
    .option('--days <number>', 'how far back', '30')
    .option('--csv', 'as a table for a spreadsheet')
    .action(async (id: string, options: HistoryOptions) => {
      const client = await openHub(context, options)
      const from = new Date(Date.now() - daysOf(options.days) * 86_400_000).toISOString()
      const path = `/api/v1/benches/${encodeURIComponent(id)}/history`
      const query = `?from=${encodeURIComponent(from)}`
      if (options.csv) {
        const table = await (await client.fetch(`${path}.csv${query}`)).text()
        return terminal.out(table.trimEnd())
      }
      const history = await client.call(benchHistorySchema, `${path}${query}`)
      if (options.json) return terminal.out(JSON.stringify(history, null, 2))
      printList<BenchChange>(terminal, history.changes, {
        columns: {
          from: (item) => cellTime(item.at),
          until: (item) => cellTime(item.until) ?? 'now',
          state: (item) => item.state,
          cause: (item) => item.cause,
          by: (item) => item.by ?? '',
          reason: (item) => item.reason ?? '',
          run: (item) => item.run,
        },
        empty: `Nothing is known of ${id} yet.`,
      })
      for (const uptime of history.uptime) terminal.err(uptimeWords(uptime))
    })

  withHub(
    bench
      .command('letters [on-or-off]')
      .description('whether you get mail when a bench goes out of use and when it is back; on and off change it'),
  ).action(async (wanted: string | undefined, options: HubOptions) => {
    if (wanted !== undefined && wanted !== 'on' && wanted !== 'off')
      throw misspelt('on-or-off', `"${wanted}" is neither on nor off`, 'Such as "fernlab bench letters off".')
    const client = await openHub(context, options)
    const path = '/api/v1/me/bench-letters'
    const letters =
      wanted === undefined
        ? await client.call(benchLettersSchema, path)
        : await client.call(benchLettersSchema, path, { method: 'PUT', body: { wanted: wanted === 'on' } })
    if (options.json) return terminal.out(JSON.stringify(letters, null, 2))
    terminal.out(`letters about benches: ${letters.wanted ? 'on' : 'off'}`)
    if (!letters.possible) terminal.err('The site has no mail server: none are sent.')
  })
}

const LOOK_MS = 500

/** Waits until every check that is a run has its verdict, and says meanwhile what it waits for. */
async function whenChecked({ terminal, signal }: Context, client: HubClient, id: string, first: Bench): Promise<Bench> {
  let told = ''
  for (let bench = first; ; bench = await client.call(benchSchema, `/api/v1/benches/${encodeURIComponent(id)}`)) {
    const open = bench.checks?.find(({ asked, issues }) => asked === true && issues === undefined)
    if (open === undefined) {
      terminal.status('')
      return bench
    }
    const { title, underWay } = open
    const percent = Math.round((underWay?.fraction ?? 0) * 100)
    terminal.status(underWay === undefined ? `${title} waits …` : `${title}: ${percent} %`)
    const news =
      underWay === undefined ? `${title} waits until nobody uses ${id}` : `${title} is under way: run ${underWay.run}`
    if (news !== told) terminal.err(news)
    told = news
    await systemClock.sleep(LOOK_MS, signal)
  }
}

const resultOf = ({ passed, failing, issues }: ShownCheck): string => {
  if (issues !== undefined) return 'can not be done'
  if (passed === undefined) return 'not done yet'
  return `${passed ? 'passed' : 'failed'}${failing ? ', keeps the bench from runs' : ''}`
}

/** `99.2 % of the last 7 days`. */
export function uptimeWords({ days, share, plannedS }: ShownUptime): string {
  const time = days === 1 ? 'the last 24 h' : `the last ${days} days`
  const planned = plannedS === 0 ? '' : `; closed or in maintenance for ${Math.round(plannedS / 60)} min`
  if (share === null) return `Up: not known for ${time}${planned}`
  // Rounded down: what was not up all the time is never shown as if it was.
  return `Up: ${(Math.floor(share * 1000) / 10).toFixed(1)} % of ${time}${planned}`
}

function daysOf(text: string): number {
  const days = Number(text)
  if (days > 0 && days <= 400) return days
  throw misspelt('days', `--days "${text}" is no number of days`, 'From 1 to 400.')
}
