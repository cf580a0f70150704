import { pipeline } from 'node:stream/promises'
import { type Run, runSchema } from '@fernlab/shared/contracts/api'
import { type Command, Option } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { LONGEST_DOWNLOAD_MS, saveAnswer } from '../download.ts'
import type { HubClient } from '../hub-client.ts'
import { whileSaving } from '../interrupt.ts'
import { mistake } from '../problem.ts'

const forms = { csv: 'data.csv', json: 'data.json', parquet: 'data.parquet', hdf5: 'data.h5', documents: 'documents' }
type Form = keyof typeof forms

interface DownloadOptions extends HubOptions {
  readonly form: Form
  readonly to: string
  readonly stream?: string
  readonly attempt?: string
  readonly time?: string
  readonly overwrite?: true
}

/** `download`: what a run or a session recorded, as files. */
export function addRunData(program: Command, context: Context): void {
  const { terminal } = context

  withHub(program.command('download <run>').description('save what a run or a session recorded, a file for each table'))
    .addOption(new Option('--form <form>', 'the kind of file').choices(Object.keys(forms)).default('csv'))
    .option('--stream <table>', 'only this table')
    .option('--to <folder>', 'where to; made if it is not there; - for standard output', '.')
    .option('--attempt <number>', 'of this attempt; the last unless given')
    .addOption(new Option('--time <kind>', 'times in CSV').choices(['relative', 'epoch', 'iso']))
    .option('--overwrite', 'replace files that are there; otherwise they are refused')
    .addHelpText(
      'after',
      `
A file is there whole or not at all. documents is everything, as JSON lines, in the event model of laboratories.

  fernlab download RUN
  fernlab download RUN --form parquet --to results
  fernlab download RUN --stream primary --to - | head`,
    )
    .action(async (id: string, options: DownloadOptions) => {
      const client = await openHub(context, options)
      const run = await client.call(runSchema, `/api/v1/runs/${encodeURIComponent(id)}`)
      if (options.to === '-') return await toStandardOutput(client, run, options)
      const saved: string[] = []
      const name = `${run.lab}-${run.protocol}-${run.id.slice(-8)}.jsonl`
      const where = { folder: options.to, name, overwrite: options.overwrite === true }
      await whileSaving(context, async (signal) => {
        for (const stream of streamsOf(run, options)) {
          const answer = await answerFor(client, run, stream, { ...options, signal })
          saved.push(await saveAnswer(answer, { ...where, signal }))
          if (!options.json) terminal.out(saved.at(-1) ?? '')
        }
      })
      if (options.json) terminal.out(JSON.stringify({ run: run.id, files: saved }, null, 2))
    })
}

/** The tables to save; undefined stands for everything. */
function streamsOf(run: Run, { form, stream }: DownloadOptions): readonly (string | undefined)[] {
  if (form === 'documents') return [undefined]
  const streams = Object.keys(run.rows)
  if (stream !== undefined) {
    if (streams.includes(stream)) return [stream]
    throw mistake('stream-unknown', `run ${run.id} has no table ${stream}`, `It has ${streams.join(', ') || 'none'}.`)
  }
  if (streams.length > 0) return streams
  const why = run.dataRemovedAt === undefined ? 'has recorded nothing' : 'has no samples any more: they were too old'
  throw mistake('no-data', `run ${run.id} ${why}`, '"--form documents" saves what there is.')
}

async function toStandardOutput(client: HubClient, run: Run, options: DownloadOptions): Promise<void> {
  const streams = streamsOf(run, options)
  if (streams.length > 1) {
    throw mistake(
      'one-table',
      `run ${run.id} has ${streams.length} tables`,
      `Name one with --stream: ${streams.join(', ')}`,
    )
  }
  const answer = await answerFor(client, run, streams[0], options)
  await pipeline(answer.body as never, process.stdout, { end: false })
}

function answerFor(
  client: HubClient,
  run: Run,
  stream: string | undefined,
  { form, attempt, time, signal }: DownloadOptions & { readonly signal?: AbortSignal },
): Promise<Response> {
  const query = new URLSearchParams({
    ...(stream === undefined ? {} : { stream }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(form === 'csv' && time !== undefined ? { time } : {}),
  })
  const path = `/api/v1/runs/${encodeURIComponent(run.id)}/${forms[form]}?${query}`
  return client.fetch(path, { timeoutMs: LONGEST_DOWNLOAD_MS, ...(signal === undefined ? {} : { signal }) })
}
