import { benchSchema } from '@fernlab/shared/contracts/api'
import { type Outage, outageSchema, type PlanOutage, type Weekday } from '@fernlab/shared/contracts/bench-care'
import type { Command } from 'commander'
import * as z from 'zod'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import type { HubClient } from '../hub-client.ts'
import { misspelt, mistake } from '../problem.ts'
import { cellTime, spokenTime } from '../shown-time.ts'
import { printList } from '../table.ts'
import { timeIn } from '../time-in.ts'
import { weekdaysIn } from '../weekdays-in.ts'
import { addBenchDrive } from './bench-drive.ts'
import { addBenchHealth } from './bench-health.ts'
import { addRemove } from './remove.ts'

interface CloseOptions extends HubOptions {
  readonly reason: string
  readonly from?: string
  readonly until?: string
  readonly weekly?: string
  readonly timeZone?: string
  readonly atOnce?: boolean
}

/** `bench outages`, `bench close`, `bench open`: when a bench is not for runs; `bench remove`. */
export function addBench(program: Command, context: Context): void {
  const { terminal } = context
  const bench = program
    .command('bench')
    .description('a bench: its signals, direct use, health, times out of use, and its removal')
  addRemove(bench, { kind: 'bench', context })
  addBenchHealth(bench, context)
  addBenchDrive(bench, context)

  withHub(bench.command('outages <bench>').description('when the bench is not for runs, now and to come')).action(
    async (id: string, options: HubOptions) => {
      printList(terminal, await outagesOf(await openHub(context, options), id), {
        ...options,
        columns: {
          outage: (item) => item.id,
          state: (item) => (item.inForce ? 'now' : 'planned'),
          from: (item) => cellTime(item.from),
          until: (item) => cellTime(item.until) ?? 'it is put back',
          weekly: (item) => weeklyWords(item),
          reason: (item) => item.reason,
          by: (item) => item.createdBy,
        },
        empty: `Nothing is planned: ${id} takes runs at all hours.`,
      })
    },
  )

  withHub(
    bench
      .command('put-back <bench>')
      .description('give a bench that was not cleaned up, or that a check keeps out, to runs again'),
  ).action(async (id: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const back = await client.call(benchSchema, `/api/v1/benches/${encodeURIComponent(id)}/put-back`, {
      method: 'POST',
    })
    terminal.out(options.json ? JSON.stringify(back, null, 2) : `${id} is in use again: ${back.state}`)
  })

  withHub(
    bench
      .command('reset-interlock <bench> [interlock]')
      .description('reset the interlocks of a bench that have tripped and are over, when somebody has looked at it'),
  ).action(async (id: string, interlock: string | undefined, options: HubOptions) => {
    const client = await openHub(context, options)
    const found = await client.call(benchSchema, `/api/v1/benches/${encodeURIComponent(id)}/reset-interlock`, {
      method: 'POST',
      body: interlock === undefined ? {} : { interlock },
    })
    if (options.json) return terminal.out(JSON.stringify(found, null, 2))
    printList(terminal, found.interlocks ?? [], {
      columns: {
        interlock: (item) => item.name,
        title: (item) => item.title ?? '',
        state: (item) => item.state,
        when: (item) => item.when,
        reason: (item) => item.reason ?? '',
      },
      empty: `${id} has no interlocks: its node.yaml may give it some.`,
    })
  })

  withHub(
    bench
      .command('close <benches...>')
      .description('keep runs from a bench, or from several: now, at a time to come, or every week'),
  )
    .requiredOption('--reason <words>', 'why, for everybody who waits')
    .option('--from <time>', 'when it begins, such as 2026-03-02T08:00 by the clock of this machine; now unless given')
    .option('--until <time>', 'when it ends; until "fernlab bench open" unless given')
    .option('--weekly <days and hours>', 'the same hours of every week, such as "mon-fri 18:00-08:00"')
    .option('--time-zone <zone>', 'whose hours --weekly means, such as Europe/Madrid; those of the hub unless given')
    .option('--at-once', 'end the run that is on the bench when it begins; otherwise it finishes first')
    .action(async (benches: readonly string[], options: CloseOptions) => {
      const client = await openHub(context, options)
      const items = await closeAll(client, benches, planOf(options))
      if (options.json) return terminal.out(JSON.stringify(items.length === 1 ? items[0] : items, null, 2))
      for (const { bench: id, inForce, from, until, id: outage } of items) {
        const when = inForce ? 'is closed now' : `will be closed from ${spokenTime(from)}`
        terminal.out(`${id} ${when}, ${until === undefined ? 'until it is opened' : `until ${spokenTime(until)}`}`)
        terminal.err(`Take it back with: fernlab bench open ${id} ${outage}`)
      }
    })

  withHub(
    bench.command('open <bench> [outage]').description('take an outage back; without its id, the maintenance of now'),
  ).action(async (id: string, outage: string | undefined, options: HubOptions) => {
    const client = await openHub(context, options)
    const ends = outage === undefined ? await maintenanceOf(client, id) : [outage]
    for (const one of ends) {
      await client.fetch(`/api/v1/benches/${encodeURIComponent(id)}/outages/${encodeURIComponent(one)}`, {
        method: 'DELETE',
      })
    }
    terminal.out(options.json ? JSON.stringify({ bench: id, takenBack: ends }) : `${id}: ${ends.length} taken back`)
  })
}

const outagesSchema = z.object({ items: z.array(outageSchema) })

async function outagesOf(client: HubClient, bench: string): Promise<Outage[]> {
  const path = `/api/v1/benches/${encodeURIComponent(bench)}/outages`
  return (await client.call(outagesSchema, path)).items
}

async function closeAll(client: HubClient, benches: readonly string[], plan: PlanOutage): Promise<Outage[]> {
  const [bench, ...others] = benches
  if (bench !== undefined && others.length === 0) {
    const path = `/api/v1/benches/${encodeURIComponent(bench)}/outages`
    return [await client.call(outageSchema, path, { method: 'POST', body: plan })]
  }
  const body = { benches, ...plan }
  return (await client.call(outagesSchema, '/api/v1/outages', { method: 'POST', body })).items
}

async function maintenanceOf(client: HubClient, bench: string): Promise<string[]> {
  const now = (await outagesOf(client, bench)).filter(({ inForce, weekly }) => inForce && weekly === undefined)
  if (now.length > 0) return now.map(({ id }) => id)
  throw mistake('bench', `${bench} is not in maintenance now`, `See "fernlab bench outages ${bench}".`)
}

const weeklyWords = ({ weekly }: Outage): string =>
  weekly === undefined ? '' : `${weekly.days.join(',')} ${weekly.from}-${weekly.until} ${weekly.timeZone}`

/** What the options of `bench close` ask the hub for. */
export function planOf({ reason, from, until, weekly, timeZone, atOnce }: CloseOptions): PlanOutage {
  if (timeZone !== undefined && weekly === undefined) {
    throw misspelt(
      'time-zone',
      '--time-zone goes with --weekly',
      'Write it into --from and --until: 2026-03-02T08:00+01:00.',
    )
  }
  return {
    reason,
    ...(from === undefined ? {} : { from: timeIn('--from', from) }),
    ...(until === undefined ? {} : { until: timeIn('--until', until) }),
    ...(weekly === undefined
      ? {}
      : { weekly: { ...readWeekly(weekly), ...(timeZone === undefined ? {} : { timeZone }) } }),
    ...(atOnce === true ? { atOnce } : {}),
  }
}

function readWeekly(text: string): { days: Weekday[]; from: string; until: string } {
  const found = /^([a-z,-]+) (\d\d:\d\d)-(\d\d:\d\d)$/.exec(text.trim().toLowerCase())
  if (found === null) {
    throw misspelt(
      'weekly',
      `--weekly "${text}" is not days and hours`,
      'Such as "mon-fri 18:00-08:00" or "sat,sun 00:00-24:00".',
    )
  }
  return { days: weekdaysIn('weekly', found[1] ?? ''), from: found[2] ?? '', until: found[3] ?? '' }
}
