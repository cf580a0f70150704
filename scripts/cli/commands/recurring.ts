import {
  type ChangeRecurring,
  type CreateRecurring,
  type DueTime,
  missedRules,
  nextTimesSchema,
  overlapRules,
  type Recurring,
  recurringSchema,
} from '@fernlab/shared/contracts/recurring'
import { type Command, Option } from 'commander'
import { allPages } from '../all-pages.ts'
import { timeText } from '../booking-text.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { parseParameters } from '../parameters.ts'
import { misspelt } from '../problem.ts'
import { cellTime, spokenTime } from '../shown-time.ts'
import { printList } from '../table.ts'
import { timeIn } from '../time-in.ts'
import { wholeNumber } from '../whole-number.ts'

interface WhenOptions extends HubOptions {
  readonly cron?: string
  readonly timeZone?: string
  readonly from?: string
  readonly until?: string
}

interface WhatOptions extends WhenOptions {
  readonly parameter: readonly string[]
  readonly bench?: string
  readonly priority?: string
  readonly overlap?: CreateRecurring['overlap']
  readonly missed?: CreateRecurring['missed']
}

const path = (id: string, more = '') => `/api/v1/recurring/${encodeURIComponent(id)}${more}`

/** `recurring list`, `show`, `create`, `change`, `pause`, `resume`, `run`, `remove`, `times`: runs by a calendar. */
export function addRecurring(program: Command, context: Context): void {
  const { terminal } = context
  const recurring = program
    .command('recurring')
    .description('runs that are made anew by a calendar, such as a calibration every night')

  withHub(recurring.command('list').description('the recurring runs that you may see'))
    .option('--lab <lab>', 'only of this lab')
    .action(async (options: HubOptions & { lab?: string }) => {
      const query = new URLSearchParams(options.lab === undefined ? {} : { lab: options.lab })
      const client = await openHub(context, options)
      printList(terminal, await allPages(client, recurringSchema, '/api/v1/recurring', { query }), {
        ...options,
        columns: {
          id: (item) => item.id,
          name: (item) => item.name,
          state: (item) => item.state,
          lab: (item) => item.lab,
          protocol: (item) => item.protocol,
          cron: (item) => `${item.cron} (${item.timeZone})`,
          next: (item) => cellTime(item.next[0]),
          last: (item) => (item.last[0] === undefined ? '' : outcomeOf(item.last[0])),
          owner: (item) => item.person.name,
        },
        empty: 'No run recurs. Make one with "fernlab recurring create".',
      })
    })

  withHub(recurring.command('show <id>').description('its next times, and what came of the last')).action(
    async (id: string, options: HubOptions) => {
      const client = await openHub(context, options)
      show(context, await client.call(recurringSchema, path(id)), options)
    },
  )

  withHub(
    recurring.command('times <cron>').description('the next five times of an expression, such as "30 2 * * MON-FRI"'),
  )
    .option('--time-zone <zone>', 'by whose clocks, such as Europe/Madrid; those of the hub unless given')
    .action(async (cron: string, options: HubOptions & { timeZone?: string }) => {
      const query = new URLSearchParams({
        cron,
        ...(options.timeZone === undefined ? {} : { timeZone: options.timeZone }),
      })
      const client = await openHub(context, options)
      const { next, timeZone } = await client.call(nextTimesSchema, `/api/v1/recurring-times?${query}`)
      terminal.out(
        options.json
          ? JSON.stringify({ next, timeZone }, null, 2)
          : next.map((at) => `${timeText(at, timeZone)} (${timeZone})`).join('\n'),
      )
    })

  what(withHub(recurring.command('create <lab> <protocol> <name>').description('let a run be made by a calendar')))
    .requiredOption('--cron <times>', 'minute, hour, day of the month, month, day of the week: "30 2 * * *"')
    .action(async (lab: string, protocol: string, name: string, options: WhatOptions & { cron: string }) => {
      const body: CreateRecurring = {
        ...given(options),
        lab,
        protocol,
        name,
        cron: options.cron,
        ...(options.bench === undefined ? {} : { bench: options.bench }),
        ...(options.from === undefined ? {} : { from: timeIn('--from', options.from) }),
        ...(options.until === undefined ? {} : { until: timeIn('--until', options.until) }),
      }
      const client = await openHub(context, options)
      const made = await client.call(recurringSchema, '/api/v1/recurring', { method: 'POST', body })
      show(context, made, options)
    })

  what(
    withHub(
      recurring.command('change <id>').description('change what you name; "none" takes --bench, --from, --until away'),
    ),
  )
    .option('--cron <times>', 'when')
    .option('--name <name>', 'another name')
    .option('--protocol <protocol>', 'another protocol of the lab')
    .action(async (id: string, options: WhatOptions & { name?: string; protocol?: string }) => {
      const { cron, name, protocol, bench, from, until } = options
      const body: ChangeRecurring = {
        ...given(options),
        ...(cron === undefined ? {} : { cron }),
        ...(name === undefined ? {} : { name }),
        ...(protocol === undefined ? {} : { protocol }),
        ...(bench === undefined ? {} : { bench: bench === 'none' ? null : bench }),
        ...(from === undefined ? {} : { from: from === 'none' ? null : timeIn('--from', from) }),
        ...(until === undefined ? {} : { until: until === 'none' ? null : timeIn('--until', until) }),
      }
      if (Object.keys(body).length === 0) throw misspelt('change', 'say what to change, such as --cron')
      const client = await openHub(context, options)
      show(context, await client.call(recurringSchema, path(id), { method: 'PUT', body }), options)
    })

  for (const [verb, description] of [
    ['pause', 'let its times pass without a run'],
    ['resume', 'go on with its next time'],
    ['run', 'make its run now as well; its times stay'],
  ] as const) {
    withHub(recurring.command(`${verb} <id>`).description(description)).action(
      async (id: string, options: HubOptions) => {
        const client = await openHub(context, options)
        show(context, await client.call(recurringSchema, path(id, `/${verb}`), { method: 'POST' }), options)
      },
    )
  }

  withHub(recurring.command('remove <id>').description('remove it; the runs that it made stay')).action(
    async (id: string, options: HubOptions) => {
      await (await openHub(context, options)).fetch(path(id), { method: 'DELETE' })
      terminal.out(options.json ? JSON.stringify({ removed: id }) : `${id} is removed; its runs stay`)
    },
  )
}

/** The options that `create` and `change` share. */
function what(command: Command): Command {
  const collect = (pair: string, pairs: readonly string[]) => [...pairs, pair]
  return command
    .option('-p, --parameter <name=value>', 'a parameter, as of "fernlab run"; may be repeated', collect, [])
    .option('--bench <bench>', 'only on this bench')
    .option('--priority <number>', 'lower is sooner, as far as you may')
    .option('--time-zone <zone>', 'by whose clocks, such as Europe/Madrid; those of the hub unless given')
    .option('--from <time>', 'not before, such as 2027-02-01')
    .option('--until <time>', 'not after')
    .addOption(new Option('--overlap <rule>', 'while the run before is not over').choices([...overlapRules]))
    .addOption(new Option('--missed <rule>', 'what passed while the hub was down').choices([...missedRules]))
}

function given({ parameter, priority, timeZone, overlap, missed }: WhatOptions) {
  return {
    ...(parameter.length === 0 ? {} : { parameters: parseParameters(parameter) }),
    ...(priority === undefined ? {} : { priority: wholeNumber('--priority', priority) }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(missed === undefined ? {} : { missed }),
  }
}

const outcomeOf = ({ outcome, run }: DueTime): string => (run === undefined ? outcome : run.state)

function show({ terminal }: Context, item: Recurring, options: HubOptions): void {
  if (options.json) {
    terminal.out(JSON.stringify(item, null, 2))
    return
  }
  const why = item.pausedFor === undefined ? '' : ` (${item.pausedFor})`
  terminal.out(`${item.id}  ${item.name}: ${item.state}${why}`)
  terminal.out(`${item.lab} ${item.protocol}, ${item.cron} by the clocks of ${item.timeZone}`)
  for (const time of item.next) terminal.out(`next  ${spokenTime(time)}`)
  for (const time of item.last) {
    const more = time.error === undefined ? (time.run?.id ?? '') : time.error.message
    terminal.out(`last  ${spokenTime(time.due)}  ${outcomeOf(time)}  ${more}`.trimEnd())
  }
}
