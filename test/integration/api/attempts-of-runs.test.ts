/** What is read of a run that had more than one attempt. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { timesBytes } from '@fernlab/hub/cameras/recorded'
import type { Run } from '@fernlab/shared/contracts/api'
import type { NodeDocument } from '@fernlab/shared/contracts/documents'
import { pictureMessage } from '@fernlab/shared/contracts/picture-messages'
import { packPictures } from '@fernlab/shared/contracts/recording-pieces'
import type { Recording } from '@fernlab/shared/contracts/recordings'
import * as assert from 'uvu/assert'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'
import { documentsOf, storeDocuments, storeRun } from '../results/stored-run.ts'
import { serveHub } from './served-hub.ts'

const test = suite('the attempts of a run', { timeoutMs: 30_000 })
let hub: Awaited<ReturnType<typeof serveHub>>
let folder: string
let bearer: { authorization: string }
let run: Run

/** The run's documents as another attempt's, in a stream of another name. */
const renamed = (attempt: number, stream: string, rows: number): NodeDocument[] =>
  [...documentsOf({ ...run, attempt }, { pages: 1, rowsPerPage: rows })].map((document) =>
    document.name === 'descriptor' || document.name === 'event_page'
      ? ({ ...document, doc: { ...document.doc, stream } } as NodeDocument)
      : document,
  )

test.before(async () => {
  hub = await serveHub()
  folder = await mkdtemp(join(tmpdir(), 'fernlab-attempts-'))
  const student = await hub.person('student', ['read', 'run'])
  bearer = student.bearer
  run = await storeRun(hub.store, {
    attempt: 3,
    state: 'running',
    person: { id: student.person.id, name: 'Ada' },
    rows: {},
  })
  await storeDocuments(hub.store, [...renamed(1, 'cold', 3), ...renamed(2, 'warm', 5)])
  const piece = packPictures([pictureMessage({ time: 7, jpeg: Uint8Array.of(0xff, 0xd8) })])
  for (const attempt of [1, 2]) {
    const values = { run_id: run.id, attempt, part: 'view', number: 0, times: timesBytes([attempt]), pictures: piece }
    await hub.store.write([hub.store.db.insertInto('recording').values(values)])
  }
})
test.after(async () => {
  await hub?.close()
  await rm(folder, { recursive: true, force: true })
})

const get = async (path: string) => {
  const answer = await fetch(`${hub.url}/api/v1/runs/${run.id}${path}`, { headers: bearer })
  return { status: answer.status, body: (await answer.json()) as unknown }
}

test('while a new attempt has nothing yet, film and streams are those of the one that has', async () => {
  const pieces = [{ number: 0, times: [2] }]
  const { cursor, ...recorded } = (await get('/recording')).body as Recording
  assert.equal(recorded, { attempt: 2, cameras: [{ part: 'view', bytes: 14, pieces }] })
  assert.equal((await get(`/recording?since=${cursor}`)).body, { attempt: 2, cursor, cameras: [] })
  assert.is((await fetch(`${hub.url}/api/v1/runs/${run.id}/recording/view/0`, { headers: bearer })).status, 200)
  assert.equal((await get('/streams')).body, { attempt: 2, rows: { warm: 5 } })
  assert.equal((await get('/streams?attempt=1')).body, { attempt: 1, rows: { cold: 3 } })
  assert.equal((await get('/streams?attempt=9')).body, { attempt: 9, rows: {} })
})

test('with the cursor of an answer only what has come since is answered', async () => {
  const ask = async (query: string) => (await get(`/recording?attempt=1${query}`)).body as Recording
  const before = await ask('')
  assert.equal(
    before.cameras.map(({ pieces }) => pieces),
    [[{ number: 0, times: [1] }]],
  )
  const later = [
    { part: 'view', number: 1 },
    { part: 'side', number: 0 },
  ]
  for (const piece of later) {
    const values = { ...piece, run_id: run.id, attempt: 1, times: timesBytes([9]), pictures: new Uint8Array(14) }
    await hub.store.write([hub.store.db.insertInto('recording').values(values)])
  }
  const more = await ask(`&since=${before.cursor}`)
  assert.equal(more.cameras, [
    { part: 'side', bytes: 14, pieces: [{ number: 0, times: [9] }] },
    { part: 'view', bytes: 14, pieces: [{ number: 1, times: [9] }] },
  ])
  assert.equal((await ask(`&since=${more.cursor}`)).cameras, [])
  const wrong = await get('/recording?since=yesterday')
  assert.equal([wrong.status, (wrong.body as { code: string }).code], [400, 'request-invalid'])
})

test('nobody is told the streams but who may read the run', async () => {
  const { bearer: other } = await hub.person('student', ['read', 'run'])
  const path = `${hub.url}/api/v1/runs/${run.id}/streams`
  assert.is((await fetch(path, { headers: other })).status, 404)
  assert.is((await fetch(path)).status, 401)
})

const download = (...args: string[]) =>
  commandLine(['download', run.id, ...args], {
    env: { FERNLAB_HUB: hub.url, FERNLAB_TOKEN: bearer.authorization.slice('Bearer '.length), HOME: folder },
  })

test('an attempt is downloaded with its own tables, beside those of others', async () => {
  for (const [attempt, table, rows] of [
    ['1', 'cold', 3],
    ['2', 'warm', 5],
  ] as const) {
    const { code, out, err } = await download('--attempt', attempt, '--to', folder)
    assert.is(code, 0, err)
    assert.match(out, new RegExp(`-attempt-${attempt}-${table}\\.csv`))
    assert.is((await readFile(out.trim(), 'utf8')).trim().split('\n').length, rows + 1)
  }
  assert.is((await readdir(folder)).filter((name) => name.endsWith('.csv')).length, 2)
  const none = await download('--attempt', '3', '--to', folder)
  assert.match(none.err, /attempt 3 of run \w+ has recorded nothing/)
  const wrong = await download('--attempt', '1', '--stream', 'warm', '--to', folder)
  assert.match(wrong.err, /attempt 1 of run \w+ has no table warm\n +It has cold\./)
})

test.run()
