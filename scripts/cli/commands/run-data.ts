import { pipeline } from 'node:stream/promises'
import { dataSchema, type Run, runSchema, runStreamsSchema } from '@fernlab/shared/contracts/api'
import { isPictureStream } from '@fernlab/shared/contracts/pictures'
import { recordingSchema } from '@fernlab/shared/contracts/recordings'
import { type Command, Option } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { LONGEST_DOWNLOAD_MS, saveAnswer } from '../download.ts'
import type { HubClient } from '../hub-client.ts'
import { whileSaving } from '../interrupt.ts'
import { misspelt, mistake } from '../problem.ts'
import type { Terminal } from '../terminal.ts'

const forms = { csv: 'data.csv', json: 'data.json', parquet: 'data.parquet', hdf5: 'data.h5', documents: 'documents' }
const tables = { csv: true, json: true, parquet: true, hdf5: true }
/** What a form other than a table is. */
const PICTURES = 'pictures'
const FILM = 'film'
type Form = keyof typeof forms

interface DownloadOptions extends HubOptions {
  readonly form: Form | typeof PICTURES | typeof FILM
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
      new Option('--form <form>', 'the kind of file').choices([...Object.keys(forms), PICTURES, FILM]).default('csv'),
    )
    .option('--stream <table>', 'only this table; of films, only that of this camera')
    .option('--to <folder>', 'where to; made if it is not there; - for standard output', '.')
    .option('--attempt <number>', 'of this attempt; the last unless given')
    .addOption(new Option('--time <kind>', 'times in CSV').choices(['relative', 'epoch', 'iso']))
    .option('--raw', 'as the instruments gave the values, before their calibrations')
    .option('--overwrite', 'replace files that are there; otherwise they are refused')
    .addHelpText(
      'after',
      `
A file is there whole or not at all. documents is everything, as JSON lines, in the event model of laboratories;
pictures are those that cameras have taken into the run. film is what each camera recorded of a session, as one video
(Matroska with motion JPEG: VLC, mpv and ffmpeg play it), and a table with the time of each picture.

  fernlab download RUN
  fernlab download RUN --form parquet --to results
  fernlab download RUN --stream primary --to - | head
  fernlab download SESSION --form film --to films`,
    )
    .action(async (id: string, options: DownloadOptions) => {
      if (options.raw && !(options.form in tables)) {
        throw misspelt(
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
      const saving = whileSaving(context, async (signal) => {
        for (const { path, query, name } of await filesOf(client, run, options)) {
          const answer = await answerFor(client, `${run.id}/${path}`, query, signal)
          const onProgress = progressOf(terminal, answer)
          saved.push(await saveAnswer(answer, { ...where, name: `${about}${name}`, signal, onProgress }))
          terminal.status('')
          if (!options.json) terminal.out(saved.at(-1) ?? '')
        }
      })
      await saving.finally(() => terminal.status(''))
      if (options.json) terminal.out(JSON.stringify({ run: run.id, files: saved }, null, 2))
    })
}

interface Wanted {
  /** After the run's address. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** What it is called, after what says of which run it is, where the hub does not say. */
  readonly name: string
  /** Comes with another, of which it tells more. */
  readonly besides?: true
}

/** Shows how much of an answer has come, where it says how long it is. */
function progressOf(terminal: Terminal, answer: Response): (bytes: number) => void {
  const all = Number(answer.headers.get('content-length'))
  return (bytes) => {
    if (all > 0) terminal.status(`${megabytes(bytes)} of ${megabytes(all)} MB …`)
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)

async function filesOf(client: HubClient, run: Run, options: DownloadOptions): Promise<Wanted[]> {
  const { form, attempt, time, raw } = options
  const ofAttempt = attempt === undefined ? {} : { attempt }
  if (form === PICTURES) return await picturesOf(client, run, options)
  if (form === FILM) return await filmsOf(client, run, options)
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

async function filmsOf(client: HubClient, run: Run, options: DownloadOptions): Promise<Wanted[]> {
  const { stream, attempt } = options
  const query = attempt === undefined ? {} : { attempt }
  const path = `/api/v1/runs/${encodeURIComponent(run.id)}/recording?${new URLSearchParams(query)}`
  const parts = (await client.call(recordingSchema, path)).cameras.map(({ part }) => part)
  const which = attemptOf(run, options)
  if (parts.length === 0)
    throw mistake('no-data', `${which} has no film`, 'Of sessions there is one, in labs that say so.')
  if (stream !== undefined && !parts.includes(stream))
    throw mistake('stream-unknown', `${which} has no film by ${stream}`, `It has ${parts.join(', ')}.`)
  return parts
    .filter((part) => stream === undefined || part === stream)
    .flatMap((part) => [
      { path: `recording/${part}/film.mkv`, query, name: `${inName(run, options)}-${part}.mkv` },
      { path: `recording/${part}/times.csv`, query, name: `${inName(run, options)}-${part}-times.csv`, besides: true },
    ])
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
  const files = (await filesOf(client, run, options)).filter(({ besides }) => besides !== true)
  const [file, ...others] = files
  if (options.form === PICTURES || file === undefined || others.length > 0) {
    const what = options.form === PICTURES ? 'pictures' : options.form === FILM ? 'films' : 'tables'
    const how =
      options.form === PICTURES
        ? '--to names a folder for them'
        : options.form === FILM
          ? 'Name its camera with --stream'
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
