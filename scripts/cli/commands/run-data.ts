import { pipeline } from 'node:stream/promises'
import { dataSchema, type Run, runSchema, runStreamsSchema } from '@fernlab/shared/contracts/api'
import { isPictureStream } from '@fernlab/shared/contracts/pictures'
import { type Command, Option } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { LONGEST_DOWNLOAD_MS, saveAnswer } from '../download.ts'
import type { HubClient } from '../hub-client.ts'
import { whileSaving } from '../interrupt.ts'
import { mistake } from '../problem.ts'

const forms = { csv: 'data.csv', json: 'data.json', parquet: 'data.parquet', hdf5: 'data.h5', documents: 'documents' }
/** What a form other than a table is. */
const PICTURES = 'pictures'
type Form = keyof typeof forms

interface DownloadOptions extends HubOptions {
  readonly form: Form | typeof PICTURES
  readonly to: string
  readonly stream?: string
  readonly attempt?: string
  readonly time?: string
  readonly raw?: true
  readonly overwrite?: true
}

/** `download`: what a run or a session recorded, as files. */
export function addRunData(program: Command, context: Context): void {
  const { terminal } = context

  withHub(program.command('download <run>').description('save what a run or a session recorded, a file for each table'))
    .addOption(
      new Option('--form <form>', 'the kind of file').choices([...Object.keys(forms), PICTURES]).default('csv'),
    )
    .option('--stream <table>', 'only this table')
    .option('--to <folder>', 'where to; made if it is not there; - for standard output', '.')
    .option('--attempt <number>', 'of this attempt; the last unless given')
    .addOption(new Option('--time <kind>', 'times in CSV').choices(['relative', 'epoch', 'iso']))
    .option('--raw', 'as the instruments gave the values, before their calibrations')
    .option('--overwrite', 'replace files that are there; otherwise they are refused')
    .addHelpText(
      'after',
      `
A file is there whole or not at all. documents is everything, as JSON lines, in the event model of laboratories;
pictures are those that cameras have taken into the run.

  fernlab download RUN
  fernlab download RUN --form parquet --to results
  fernlab download RUN --stream primary --to - | head`,
    )
    .action(async (id: string, options: DownloadOptions) => {
      if (options.raw && (options.form === 'documents' || options.form === PICTURES)) {
        throw mistake(
          'raw-unclear',
          '--raw goes with tables',
          'documents have the calibrations in their configuration.',
        )
      }
      const client = await openHub(context, options)
      const run = await client.call(runSchema, `/api/v1/runs/${encodeURIComponent(id)}`)
      if (options.to === '-') return await toStandardOutput(client, run, options)
      const saved: string[] = []
      const about = `${run.lab}-${run.protocol}-${run.id.slice(-8)}`
      const where = { folder: options.to, overwrite: options.overwrite === true }
      await whileSaving(context, async (signal) => {
        for (const { path, query, name } of await filesOf(client, run, options)) {
          const answer = await answerFor(client, `${run.id}/${path}`, query, signal)
          saved.push(await saveAnswer(answer, { ...where, name: `${about}${name}`, signal }))
          if (!options.json) terminal.out(saved.at(-1) ?? '')
        }
      })
      if (options.json) terminal.out(JSON.stringify({ run: run.id, files: saved }, null, 2))
    })
}

interface Wanted {
  /** After the run's address. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** What it is called, after what says of which run it is, where the hub does not say. */
  readonly name: string
}

async function filesOf(client: HubClient, run: Run, options: DownloadOptions): Promise<Wanted[]> {
  const { form, attempt, time, raw } = options
  const ofAttempt = attempt === undefined ? {} : { attempt }
  if (form === PICTURES) return await picturesOf(client, run, options)
  if (form === 'documents') return [{ path: forms[form], query: ofAttempt, name: `${inName(run, options)}.jsonl` }]
  const how = { ...(form === 'csv' && time !== undefined ? { time } : {}), ...(raw ? { values: 'raw' } : {}) }
  return (await streamsOf(client, run, options)).map((stream) => {
    return { path: forms[form], query: { stream, ...ofAttempt, ...how }, name: `-${stream}.${form}` }
  })
}

async function picturesOf(client: HubClient, run: Run, options: DownloadOptions): Promise<Wanted[]> {
  const { stream, attempt } = options
  const query = attempt === undefined ? {} : { attempt }
  const wanted: Wanted[] = []
  for (const name of Object.keys(await rowsOf(client, run, options))) {
    if (!isPictureStream(name) || (stream !== undefined && stream !== name)) continue
    const path = `/api/v1/runs/${encodeURIComponent(run.id)}/data.json?${new URLSearchParams({ stream: name, ...query })}`
    const { columns } = await client.call(dataSchema, path)
    for (const file of Object.values(columns).flat()) {
      if (typeof file === 'string')
        wanted.push({ path: `pictures/${file}`, query, name: `${inName(run, options)}-${file}` })
    }
  }
  if (wanted.length > 0) return wanted
  throw mistake(
    'no-data',
    `${attemptOf(run, options)} has no pictures`,
    'Cameras take them by their action take_picture.',
  )
}

/** The tables of the attempt, each with how many rows it has. */
async function rowsOf(
  client: HubClient,
  run: Run,
  { attempt }: DownloadOptions,
): Promise<Readonly<Record<string, number>>> {
  const query = new URLSearchParams(attempt === undefined ? {} : { attempt })
  return (await client.call(runStreamsSchema, `/api/v1/runs/${encodeURIComponent(run.id)}/streams?${query}`)).rows
}

/** The tables to save. */
async function streamsOf(client: HubClient, run: Run, options: DownloadOptions): Promise<readonly string[]> {
  const { stream } = options
  const streams = Object.keys(await rowsOf(client, run, options))
  const which = attemptOf(run, options)
  if (stream !== undefined) {
    if (streams.includes(stream)) return [stream]
    throw mistake('stream-unknown', `${which} has no table ${stream}`, `It has ${streams.join(', ') || 'none'}.`)
  }
  if (streams.length > 0) return streams
  const why = run.dataRemovedAt === undefined ? 'has recorded nothing' : 'has no samples any more: they were too old'
  throw mistake('no-data', `${which} ${why}`, '"--form documents" saves what there is.')
}

const attemptOf = (run: Run, { attempt }: DownloadOptions): string =>
  attempt === undefined ? `run ${run.id}` : `attempt ${attempt} of run ${run.id}`

/** Tells the files of several attempts apart, as the hub does. */
const inName = (run: Run, { attempt }: DownloadOptions): string =>
  attempt === undefined || run.attempt === 1 ? '' : `-attempt-${attempt}`

async function toStandardOutput(client: HubClient, run: Run, options: DownloadOptions): Promise<void> {
  const files = await filesOf(client, run, options)
  const [file, ...others] = files
  if (options.form === PICTURES || file === undefined || others.length > 0) {
    const what = options.form === PICTURES ? 'pictures' : 'tables'
    const how =
      options.form === PICTURES
        ? '--to names a folder for them'
        : `Name one with --stream: ${(await streamsOf(client, run, options)).join(', ')}`
    throw mistake('one-table', `run ${run.id} has ${files.length} ${what}`, how)
  }
  const answer = await answerFor(client, `${run.id}/${file.path}`, file.query)
  await pipeline(answer.body as never, process.stdout, { end: false })
}

function answerFor(
  client: HubClient,
  path: string,
  query: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Response> {
  const asked = `/api/v1/runs/${path}?${new URLSearchParams(query)}`
  return client.fetch(asked, { timeoutMs: LONGEST_DOWNLOAD_MS, ...(signal === undefined ? {} : { signal }) })
}
