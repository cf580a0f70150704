import { benchSchema, type LabSummary, labSummarySchema, nodeSchema, runSchema } from '@fernlab/shared/contracts/api'
import { textIn } from '@fernlab/shared/contracts/common'
import { runStateSchema } from '@fernlab/shared/contracts/run-state'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { misspelt } from '../problem.ts'
import { formatSeconds } from '../run-view.ts'
import { cellTime } from '../shown-time.ts'
import { printList } from '../table.ts'
import { wholeNumber } from '../whole-number.ts'

/** How long a run sent now would wait, or why it cannot be sent. */
export function waitOf(lab: Pick<LabSummary, 'benches' | 'estimatedWaitS' | 'notServedBy'>): string {
  if (lab.benches.length > 0) return lab.estimatedWaitS === null ? 'no bench is up' : formatSeconds(lab.estimatedWaitS)
  const why = (lab.notServedBy ?? []).map(({ reason }) => reason)
  return ['no bench serves this lab', ...why].join('; ')
}

/** `labs`, `benches`, `nodes`, `runs`. */
export function addListings(program: Command, context: Context): void {
  const { terminal } = context
  const language = (terminal.env.LANGUAGE ?? terminal.env.LANG ?? 'en').replace(/[_.:].*$/, '')

  withHub(program.command('labs').description('the labs in the catalogue')).action(async (options: HubOptions) => {
    const labs = await allPages(await openHub(context, options), labSummarySchema, '/api/v1/labs')
    printList(terminal, labs, {
      ...options,
      columns: {
        lab: (lab) => lab.id,
        title: (lab) => textIn(lab.title, language),
        protocols: (lab) => lab.protocols.map((protocol) => protocol.name).join(', '),
        benches: (lab) => `${lab.benches.filter((bench) => bench.state === 'free').length}/${lab.benches.length} free`,
        waiting: (lab) => lab.queueLength,
        wait: waitOf,
      },
      empty: 'No labs yet. Push one with "fernlab lab push DIR".',
    })
  })

  withHub(program.command('benches').description('the benches and their states')).action(
    async (options: HubOptions) => {
      const benches = await allPages(await openHub(context, options), benchSchema, '/api/v1/benches')
      printList(terminal, benches, {
        ...options,
        columns: {
          bench: (bench) => bench.id,
          state: (bench) => bench.state,
          labs: (bench) => bench.labs.join(', '),
          run: (bench) => bench.run,
          reason: (bench) => bench.reason,
        },
        empty: 'No benches yet. Enrol a node with "fernlab node enroll NODE".',
      })
    },
  )

  withHub(program.command('nodes').description('the nodes and their states')).action(async (options: HubOptions) => {
    const nodes = await allPages(await openHub(context, options), nodeSchema, '/api/v1/nodes')
    printList(terminal, nodes, {
      ...options,
      columns: {
        node: (node) => node.id,
        state: (node) => node.state,
        benches: (node) => node.benches.length,
        version: (node) => node.version,
        'last seen': (node) => cellTime(node.lastSeen),
      },
      empty: 'No nodes yet. Enrol one with "fernlab node enroll NODE".',
    })
  })

  withHub(program.command('runs').description('your runs, for staff everybody’s, newest first'))
    .option('--lab <lab>', 'only of this lab')
    .option('--state <state>', 'only in this state')
    .option('--checks <bench>', 'those of the checks of this bench')
    .option('-n, --limit <count>', 'at most so many', '20')
    .action(async (options: HubOptions & { lab?: string; state?: string; checks?: string; limit: string }) => {
      const limit = wholeNumber('--limit', options.limit, { least: 1 })
      if (options.state !== undefined && !runStateSchema.safeParse(options.state).success) {
        throw misspelt('state', `"${options.state}" is not a state`, `States: ${runStateSchema.options.join(', ')}`)
      }
      const query = new URLSearchParams()
      if (options.lab !== undefined) query.set('lab', options.lab)
      if (options.state !== undefined) query.set('state', options.state)
      if (options.checks !== undefined) query.set('checks', options.checks)
      const runs = await allPages(await openHub(context, options), runSchema, '/api/v1/runs', { query, limit })
      printList(terminal, runs, {
        ...options,
        columns: {
          run: (run) => run.id,
          state: (run) => run.state,
          lab: (run) => run.lab,
          protocol: (run) => run.protocol,
          person: (run) => run.person.name,
          bench: (run) => run.bench ?? '',
          submitted: (run) => cellTime(run.createdAt),
        },
        empty: 'No runs yet. Start one with "fernlab run LAB PROTOCOL".',
      })
    })
}
