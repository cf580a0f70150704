import { MOST_OF_A_PERSON } from '@fernlab/hub/results/followers'
import type { Run } from '@fernlab/shared/contracts/api'
import { runDocumentSchema } from '@fernlab/shared/contracts/event-model'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { documentsOf, storeDocuments } from '../results/stored-run.ts'
import { type ServedHub, serveHub } from './served-hub.ts'

const test = suite('a run’s documents, followed', { timeoutMs: 30_000 })
let hub: ServedHub
let student: Awaited<ReturnType<ServedHub['person']>>
let bearer: Record<string, string>

test.before(async () => {
  hub = await serveHub()
  student = await hub.person('student', ['read', 'run'])
  bearer = student.bearer
})
test.after(() => hub.close())

async function submitted(by = bearer): Promise<Run> {
  const body = { lab: 'rc-circuit', protocol: 'charge-curve' }
  return (await (await hub.json('POST', '/api/v1/runs', body, by)).json()) as Run
}

const documents = (run: Run) => [...documentsOf(run, { pages: 2, rowsPerPage: 700 })]

/** Whole lines as they come. */
async function* lines(id: string, query: string): AsyncGenerator<string> {
  const gone = new AbortController()
  const response = await fetch(`${hub.url}/api/v1/runs/${id}/documents?${query}`, {
    headers: bearer,
    signal: gone.signal,
  })
  assert.is(response.status, 200)
  assert.is(response.headers.get('content-type'), 'application/jsonl')
  let text = ''
  const decoder = new TextDecoder()
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const all = `${text}${decoder.decode(chunk, { stream: true })}`.split('\n')
      text = all.pop() ?? ''
      yield* all
    }
    assert.is(text, '')
  } finally {
    gone.abort()
  }
}

const all = async (id: string, query = '') => {
  const read: string[] = []
  for await (const line of lines(id, query)) if (line !== '') read.push(line)
  return read
}
const nameOf = (line: string) => runDocumentSchema.parse(JSON.parse(line)).name

test('come as they are stored, and end with the run; each is what one reads later', async () => {
  const run = await submitted()
  const following = lines(run.id, 'follow=true')
  assert.is((await following.next()).value, '', 'the answer begins before there is a document')
  const read: string[] = []
  for (const document of documents(run)) {
    await storeDocuments(hub.store, [document])
    hub.tell({ runId: run.id, kind: 'documents' })
    read.push((await following.next()).value as string)
    // A page of 700 rows is two documents.
    if (document.name === 'event_page') read.push((await following.next()).value as string)
  }
  await hub.setState(run.id, 'succeeded')
  assert.is((await following.next()).done, true)
  assert.is(nameOf(read[0] ?? ''), 'start')
  assert.is(nameOf(read.at(-1) ?? ''), 'stop')
  assert.equal(read, await all(run.id))
  assert.equal(read, await all(run.id, 'follow=true'), 'of one that is over')
})

test('whoever was cut off after any document goes on with the next, also where there are no more yet', async () => {
  const run = await submitted()
  await storeDocuments(hub.store, documents(run).slice(0, -1))
  const there = await all(run.id)
  for (let skip = 0; skip <= there.length; skip++) {
    assert.equal(await all(run.id, `skip=${skip}`), there.slice(skip))
  }
  const following = lines(run.id, `follow=true&skip=${there.length}`)
  assert.is((await following.next()).value, '')
  await storeDocuments(hub.store, documents(run).slice(-1))
  hub.tell({ runId: run.id, kind: 'documents' })
  assert.is(nameOf((await following.next()).value as string), 'stop')
  await hub.setState(run.id, 'succeeded')
  assert.is((await following.next()).done, true)
})

test('what is stored with the end itself is not lost, and an attempt ends where the next begins', async () => {
  const run = await submitted()
  const following = all(run.id, 'follow=true')
  await storeDocuments(hub.store, documents(run))
  // Nobody says that there are documents.
  await hub.setState(run.id, 'partial')
  assert.is(nameOf((await following).at(-1) ?? ''), 'stop')
  const again = await submitted()
  await storeDocuments(hub.store, documents(again).slice(0, 2))
  const first = all(again.id, 'follow=true&attempt=1')
  await hub.store.write([hub.store.db.updateTable('run').set({ attempt: 2 }).where('id', '=', again.id)])
  await hub.setState(again.id, 'queued', 2)
  assert.equal((await first).map(nameOf), ['start', 'descriptor'])
})

test('a wrong number of documents is refused with its path', async () => {
  const run = await submitted()
  for (const skip of ['-1', '1.5', 'x']) {
    const answer = await fetch(`${hub.url}/api/v1/runs/${run.id}/documents?skip=${skip}`, { headers: bearer })
    assert.is(answer.status, 400)
    const { issues } = (await answer.json()) as { issues: { path: string }[] }
    assert.equal(
      issues.map(({ path }) => path),
      ['query.skip'],
    )
  }
})

test('end with the right to them, are nobody else’s, and nobody is listened for afterwards', async () => {
  const run = await submitted()
  await storeDocuments(hub.store, documents(run).slice(0, 1))
  const stranger = await hub.person('student', ['read'])
  const path = `/api/v1/runs/${run.id}/documents?follow=true`
  assert.is((await fetch(`${hub.url}${path}`, { headers: stranger.bearer })).status, 404)
  const following = lines(run.id, 'follow=true')
  await following.next()
  assert.is(nameOf((await following.next()).value as string), 'start')
  assert.is(hub.listening(), 1)
  const left = lines(run.id, 'follow=true')
  await left.next()
  await left.return(undefined)
  while (hub.listening() > 1) await new Promise((resolve) => setTimeout(resolve, 5))
  await hub.accounts.revokeToken(student.person.id, student.token.id)
  assert.is((await following.next()).done, true)
  assert.is(hub.listening(), 0)
})

test('one person follows so many at a time, events and documents together; others and what is over make room', async () => {
  const gone = new AbortController()
  const ask = (headers: Record<string, string>, path: string, signal = gone.signal) =>
    fetch(`${hub.url}/api/v1/runs/${run.id}/${path}`, { headers, signal })
  const one = await hub.person('student', ['read', 'run'])
  const other = await hub.person('instructor', ['read'])
  const run = await submitted(one.bearer)
  const first = new AbortController()
  assert.is((await ask(one.bearer, 'events', first.signal)).status, 200)
  for (let n = 1; n < MOST_OF_A_PERSON; n++) {
    assert.is((await ask(one.bearer, n % 2 === 0 ? 'events' : 'documents?follow=true')).status, 200)
  }
  for (const path of ['events', 'documents?follow=true']) {
    const refused = await ask(one.bearer, path)
    const { code, detail } = (await refused.json()) as { code: string; detail: string }
    assert.equal([refused.status, code], [429, 'follows-too-many'])
    assert.match(detail, /at most 64 .* at a time; end some/)
  }
  assert.is((await ask(one.bearer, 'documents')).status, 200, 'what there is, is read')
  assert.is((await ask(other.bearer, 'events')).status, 200)
  first.abort()
  while ((await ask(one.bearer, 'events')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 5))
  gone.abort()
  while (hub.listening() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  // Going on after a break is no further use of the run.
  const notes = await hub.store.db
    .selectFrom('run_download')
    .select('what')
    .where('run_id', '=', run.id)
    .where('person_id', '=', one.person.id)
    .execute()
  assert.equal(
    notes.map(({ what }) => what),
    ['documents', 'documents'],
    'of all that were followed, and of the one that was not',
  )
})

test.run()
