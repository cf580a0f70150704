import { randomUUID } from 'node:crypto'
import { type Run, runSchema, type SubmitRun } from '@fernlab/shared/contracts/api'
import { isFinal } from '@fernlab/shared/contracts/run-state'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Command } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { followRun } from '../follow-run.ts'
import type { HubClient } from '../hub-client.ts'
import { parseParameters } from '../parameters.ts'
import { openRunView, outputLines } from '../run-view.ts'

interface RunOptions extends HubOptions {
  readonly parameter: readonly string[]
  readonly bench?: string
  readonly note?: string
  readonly wait: boolean
}

/** `run`, `rerun`, `watch`, `cancel`, `give-up`. */
export function addRun(program: Command, context: Context): void {
  const collect = (pair: string, pairs: readonly string[]) => [...pairs, pair]

  withHub(program.command('run <lab> <protocol>').description('submit a run and follow it to its end'))
    .option('-p, --parameter <name=value>', 'a parameter: 3.3, "3.3 V", true, text; may be repeated', collect, [])
    .option('--bench <bench>', 'only on this bench')
    .option('--note <text>', 'a line of your own, shown in lists')
    .option('--wait', 'follow to the end, and exit 0 only when the run succeeded (default)', true)
    .option('--no-wait', 'return as soon as the hub has taken the run')
    .action(async (lab: string, protocol: string, options: RunOptions) => {
      const client = await openHub(context, options)
      const run = await submit(client, {
        lab,
        protocol,
        parameters: parseParameters(options.parameter),
        ...(options.bench === undefined ? {} : { bench: options.bench }),
        ...(options.note === undefined ? {} : { note: options.note }),
      })
      await started(context, client, run, options)
    })

  withHub(program.command('rerun <run>').description('submit a run again, with changes, and follow it to its end'))
    .option('-p, --parameter <name=value>', 'another value of a parameter; may be repeated', collect, [])
    .option('--bench <bench>', 'only on this bench')
    .option('--note <text>', 'a line of your own, shown in lists')
    .option('--no-wait', 'return as soon as the hub has taken the run')
    .addHelpText('after', '\n  fernlab rerun RUN -p "voltage=5 V"')
    .action(async (id: string, options: RunOptions) => {
      const client = await openHub(context, options)
      const body = {
        ...(options.parameter.length === 0 ? {} : { parameters: parseParameters(options.parameter) }),
        ...(options.bench === undefined ? {} : { bench: options.bench }),
        ...(options.note === undefined ? {} : { note: options.note }),
      }
      const run = await client.call(runSchema, `/api/v1/runs/${encodeURIComponent(id)}/rerun`, {
        method: 'POST',
        body,
        headers: { 'idempotency-key': randomUUID() },
      })
      await started(context, client, run, options)
    })

  withHub(program.command('watch <run>').description('follow a run to its end')).action(
    async (id: string, options: HubOptions) => {
      const client = await openHub(context, options)
      const run = await client.call(runSchema, `/api/v1/runs/${encodeURIComponent(id)}`)
      const ended = isFinal(run.state) ? run : await follow(context, client, run.id, options)
      report(context, ended, options)
    },
  )

  withHub(program.command('cancel <run>').description('stop a run; its bench goes to its safe state')).action(
    async (id: string, options: HubOptions) => {
      const client = await openHub(context, options)
      const run = await cancel(client, id)
      context.terminal.out(options.json ? JSON.stringify(run, null, 2) : `${run.id} ${run.state}, asked to stop`)
    },
  )

  withHub(
    program.command('give-up <run>').description('end a run whose node is gone for good, with what has arrived'),
  ).action(async (id: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const path = `/api/v1/runs/${encodeURIComponent(id)}/give-up`
    const run = await client.call(runSchema, path, { method: 'POST' })
    context.terminal.out(options.json ? JSON.stringify(run, null, 2) : `${run.id} ${run.state}`)
  })
}

/** Follows a run that was just taken, unless nobody wants to wait. */
async function started(context: Context, client: HubClient, run: Run, options: RunOptions): Promise<void> {
  if (!options.wait) {
    context.terminal.out(options.json ? JSON.stringify(run, null, 2) : run.id)
    return
  }
  if (!options.json && !options.quiet) context.terminal.out(`run ${run.id}`)
  report(context, await follow(context, client, run.id, { ...options, mayCancel: true }), options)
}

const submit = (client: HubClient, body: SubmitRun): Promise<Run> =>
  client.call(runSchema, '/api/v1/runs', { method: 'POST', body, headers: { 'idempotency-key': randomUUID() } })

const cancel = (client: HubClient, id: string): Promise<Run> =>
  client.call(runSchema, `/api/v1/runs/${encodeURIComponent(id)}/cancel`, { method: 'POST' })

/** Ctrl-C leaves the run alone unless the person, asked on a terminal, wants it stopped; then it waits for the end. */
async function follow(
  context: Context,
  client: HubClient,
  runId: string,
  options: HubOptions & { mayCancel?: boolean },
): Promise<Run> {
  const { terminal } = context
  const view = openRunView(terminal, options.json || options.quiet ? 'quiet' : 'person')
  const stop = new AbortController()
  const mayAsk = options.mayCancel === true && !options.json && terminal.asks
  let asking = false
  const stopWatching = () => stop.abort(leftRunning(runId))
  const ask = async () => {
    asking = true
    const answer = await terminal.ask('Stop the run as well? [y/N] ')
    asking = false
    if (/^y(es)?$/i.test(answer.trim())) await cancel(client, runId)
    else stopWatching()
  }
  const giveBack = context.onInterrupt((signal) => {
    view.close()
    if (signal !== 'SIGINT' || asking || !mayAsk) return stopWatching()
    ask().catch((error: unknown) => {
      if (asLabError(error).code === 'interrupted-by-person') stopWatching()
      else stop.abort(error)
    })
  })
  try {
    return await followRun({ client, runId, signal: stop.signal, onNews: (news) => !asking && view.show(news) })
  } finally {
    giveBack()
    view.close()
  }
}

const leftRunning = (runId: string): LabError =>
  new LabError({
    code: 'interrupted-by-person',
    kind: 'caller',
    message: `stopped watching; the run goes on\n  "fernlab watch ${runId}" follows it again, "fernlab cancel ${runId}" stops it.`,
  })

function report({ terminal }: Context, run: Run, options: HubOptions): void {
  if (options.json) terminal.out(JSON.stringify(run, null, 2))
  else for (const line of outputLines(run)) terminal.out(line)
  if (run.state === 'succeeded') return
  const why = run.error?.message ?? run.reason
  throw new LabError({
    code: `run-${run.state}`,
    kind: 'caller',
    message: `run ${run.id} ended ${run.state}${why === undefined ? '' : `: ${why}`}`,
    issues: run.error?.issues?.map(({ path, message }) => ({ path, message })) ?? [],
  })
}
