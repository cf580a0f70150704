import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@fernlab/hub/store/store'
import { encode } from '@fernlab/shared/links/codec'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { documentsOf, startTime, storeDocuments, storeRun } from './stored-run.ts'

const test = suite('a run of ten million samples', {
  timeoutMs: 240_000,
  hookTimeoutMs: 180_000,
  fileTimeoutMs: 600_000,
})
const rowsPerPage = 65_536
const pages = 153
const rows = pages * rowsPerPage
const adminToken = 'an-admin-token-of-32-characters-or-more'
const bearer = { authorization: `Bearer ${adminToken}` }
const folder = mkdtempSync(join(tmpdir(), 'fernlab-ten-million-'))
let hub: { readonly url: string; readonly process: ChildProcess }
/** As soon as it is started, ready or not. */
let started: ChildProcess | undefined
let runId: string
/** The hub's memory before anything was asked of it, in MB. */
let atFirstMB: number

/** The hub is a process of its own, so that what is measured is its memory and its loop alone. */
async function startHubProcess(): Promise<typeof hub> {
  const entry = new URL('../../../hub/dist/hub-process.js', import.meta.url).pathname
  const child = spawn(process.execPath, [entry], {
    env: {
      PATH: process.env.PATH,
      FERNLAB_DATA: folder,
      FERNLAB_PORT: '0',
      FERNLAB_MQTT_PORT: '0',
      FERNLAB_ADMIN_EMAIL: 'ada@lab.example',
      FERNLAB_ADMIN_TOKEN: adminToken,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started = child
  let text = ''
  const url = await new Promise<string>((resolve, reject) => {
    const read = (piece: Buffer) => {
      text += piece
      const [, found] = /^ +page +(http\S+)$/m.exec(text) ?? []
      if (found !== undefined) resolve(found)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', () => reject(new Error(text)))
  })
  return { url, process: child }
}

test.before(async () => {
  const hubFolder = join(folder, 'hub')
  mkdirSync(hubFolder)
  const store = await openStore({ url: `sqlite:${join(hubFolder, 'hub.db')}`, log: silentLog })
  const run = await storeRun(store, { rows: { primary: rows } })
  runId = run.id
  const frame = [...documentsOf(run, { pages: 0, rowsPerPage: 1 })]
  const descriptor = frame[1]
  if (descriptor?.name === 'descriptor')
    descriptor.doc.dataKeys = { 'supply.voltage': { dtype: 'number', shape: [], unit: 'V', source: 'psu-1.voltage' } }
  await storeDocuments(store, frame.slice(0, 2))
  const sql = `INSERT INTO document (run_id, attempt, seq, name, stream, first_row, row_count, first_time, last_time, body)
    VALUES (?, 1, ?, 'event_page', 'primary', ?, ?, ?, ?, ?)`
  for (let page = 0; page < pages; page++) {
    const first = page * rowsPerPage
    const time = Float64Array.from({ length: rowsPerPage }, (_, i) => startTime + (first + i) / 100_000)
    const voltage = Float64Array.from({ length: rowsPerPage }, (_, i) =>
      first + i === 7_654_321 ? 1000 : Math.sin((first + i) / 1e5),
    )
    const doc = { stream: 'primary', first, count: rowsPerPage, time, columns: { 'supply.voltage': voltage } }
    const body = Uint8Array.from(encode({ runId, attempt: 1, seq: 2 + page, name: 'event_page', doc }))
    await store.database.write([
      { sql, params: [runId, 2 + page, first, rowsPerPage, time[0] ?? 0, time.at(-1) ?? 0, body] },
    ])
  }
  await store.close()
  hub = await startHubProcess()
  // What is loaded at the first use is no growth.
  for (const form of ['data.json?points=10&', 'data.csv?', 'data.parquet?', 'data.h5?', 'data.json?']) {
    const answer = await fetch(`${hub.url}/api/v1/runs/${runId}/${form}from=0&to=1`, { headers: bearer })
    assert.is(answer.status, 200)
    await answer.arrayBuffer()
  }
  atFirstMB = memoryOfHub().present
})
test.after(async () => {
  const child = started
  if (child !== undefined && child.exitCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
})

/** Fetches in a process of its own, so that the reader's work is not the hub's; tells bytes and the sum of line ends. */
function download(
  path: string,
  stopAfter = Number.POSITIVE_INFINITY,
): Promise<{ bytes: number; lines: number; ms: number }> {
  const script = `
    const started = performance.now(); let bytes = 0, lines = 0
    const response = await fetch(${JSON.stringify(`${hub.url}${path}`)}, { headers: ${JSON.stringify(bearer)} })
    if (!response.ok) throw new Error(await response.text())
    for await (const chunk of response.body) {
      bytes += chunk.byteLength
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++
      if (bytes > ${stopAfter}) break
    }
    console.log(JSON.stringify({ bytes, lines, ms: performance.now() - started })); process.exit(0)`
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script.replaceAll('Infinity', '1e99')])
    let out = ''
    let err = ''
    child.stdout.on('data', (data) => (out += data))
    child.stderr.on('data', (data) => (err += data))
    child.on('exit', (code) => (code === 0 ? resolve(JSON.parse(out)) : reject(new Error(err))))
  })
}

/** Asks the hub again and again whether it is well; tells within how many ms nine answers of ten came. */
function askAgainAndAgain(): () => Promise<number> {
  let asking = true
  const answersMs: number[] = []
  const asked = (async () => {
    while (asking) {
      const began = performance.now()
      await (await fetch(`${hub.url}/healthz`)).arrayBuffer()
      answersMs.push(performance.now() - began)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  return async () => {
    asking = false
    await asked
    answersMs.sort((a, b) => a - b)
    return answersMs[Math.floor(0.9 * answersMs.length)] ?? Number.NaN
  }
}

/** What the kernel says of the hub's memory, in MB; the most is since `forgetMost`. */
function memoryOfHub(): { present: number; most: number } {
  const text = readFileSync(`/proc/${hub.process.pid}/status`, 'utf8')
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) / 1000
  return { present: read('VmRSS'), most: read('VmHWM') }
}
const forgetMost = () => writeFileSync(`/proc/${hub.process.pid}/clear_refs`, '5')

/** The p99 of the hub's loop since it was last asked for. */
async function delayOfHub(): Promise<number> {
  const text = await (await fetch(`${hub.url}/metrics`)).text()
  return Number(/^fernlab_event_loop_delay_seconds\{quantile="0\.99"\} (\S+)$/m.exec(text)?.[1]) * 1000
}

/**
 * Runs `work` and looks at the hub's memory and at how soon it answers others meanwhile. How late its loop is at worst is
 * told, not judged: on a busy machine that is the machine's.
 */
async function watched<T>(what: string, work: () => Promise<T>): Promise<T> {
  await delayOfHub()
  forgetMost()
  const answered = askAgainAndAgain()
  const done = await work()
  const answersMs = await answered()
  const grownMB = memoryOfHub().most - atFirstMB
  const p99Ms = await delayOfHub()
  process.stdout.write(
    `${what}: +${grownMB.toFixed(0)} MB, others answered within ${answersMs.toFixed(1)} ms, loop p99 ${p99Ms.toFixed(1)} ms\n`,
  )
  // The two columns alone are 160 MB; what is not collected yet has its part in it.
  assert.ok(grownMB < 140, `${what}: memory grew by ${grownMB.toFixed(0)} MB`)
  assert.ok(answersMs < 100, `${what}: others were answered within ${answersMs.toFixed(1)} ms`)
  return done
}

test('it is listed', async () => {
  const list = await watched('list', async () => (await fetch(`${hub.url}/api/v1/runs`, { headers: bearer })).json())
  assert.is((list as { items: { rows: Record<string, number> }[] }).items[0]?.rows.primary, rows)
})

test('it is plotted: a chart’s width of points, the one high sample among them', async () => {
  const data = await watched('plot', async () => {
    const answer = await fetch(`${hub.url}/api/v1/runs/${runId}/data.json?points=1600`, { headers: bearer })
    return (await answer.json()) as {
      rows: number
      reduced: boolean
      time: number[]
      columns: { supply_voltage: number[] }
    }
  })
  assert.is(data.rows, rows)
  assert.ok(data.reduced)
  assert.ok(data.time.length <= 1600 && data.time.length > 800, `${data.time.length} points`)
  const peak = data.columns.supply_voltage.indexOf(1000)
  assert.ok(peak > 0)
  assert.is(data.time[peak], startTime + 76.54321)
})

test('a window of it is plotted without reading the rest', async () => {
  const started = performance.now()
  const answer = await fetch(
    `${hub.url}/api/v1/runs/${runId}/data.json?points=100&from=${startTime + 76.5}&to=${startTime + 76.6}`,
    { headers: bearer },
  )
  const data = (await answer.json()) as { columns: { supply_voltage: number[] } }
  assert.ok(data.columns.supply_voltage.includes(1000))
  assert.ok(performance.now() - started < 2000)
})

test('it is downloaded whole as CSV', async () => {
  const { lines } = await watched('csv', () => download(`/api/v1/runs/${runId}/data.csv`))
  assert.is(lines, rows + 1)
})

test('it is downloaded whole as JSON', async () => {
  const { bytes } = await watched('json', () => download(`/api/v1/runs/${runId}/data.json`))
  assert.ok(bytes > 200e6, `${bytes} bytes`)
})

test('it is downloaded as Parquet', async () => {
  const { bytes } = await watched('parquet', () => download(`/api/v1/runs/${runId}/data.parquet`))
  assert.ok(bytes > 50e6, `${bytes} bytes`)
})

test('it is downloaded as HDF5', async () => {
  const { bytes } = await watched('hdf5', () => download(`/api/v1/runs/${runId}/data.h5`))
  assert.ok(bytes >= 16 * rows, `${bytes} bytes`)
})

test('its documents stream, and a reader who leaves ends the work', async () => {
  const { lines } = await watched('documents', () => download(`/api/v1/runs/${runId}/documents`, 300e6))
  assert.ok(lines > 100)
})

test.run()
