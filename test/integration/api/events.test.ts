import type { Worker } from 'node:worker_threads'
import { resetPassword } from '@fernlab/hub/accounts/passwords'
import { heartbeatMs, readCursor, runEvents } from '@fernlab/hub/results/run-events'
import { queueMs } from '@fernlab/hub/runs/moved'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { documentsOf, storeDocuments } from '../results/stored-run.ts'
import { admin, type ServedHub, serveHub } from './served-hub.ts'

const test = suite('a run’s events', { timeoutMs: 30_000 })
let hub: ServedHub
let bearer: Record<string, string>
let personId: string
const log = recordingLog()

test.before(async () => {
  hub = await serveHub({ log })
  const student = await hub.person('student', ['read', 'run'])
  bearer = student.bearer
  personId = student.person.id
})
test.after(() => hub.close())

interface Event {
  id?: string
  event: string
  data: Record<string, never>
}

/** Reads events until `until` says so or the server closes; then drops the connection. */
async function read(path: string, options: { lastId?: string; until?: (event: Event, all: Event[]) => boolean } = {}) {
  const gone = new AbortController()
  const response = await fetch(`${hub.url}${path}`, {
    headers: { ...bearer, ...(options.lastId === undefined ? {} : { 'last-event-id': options.lastId }) },
    signal: gone.signal,
  })
  assert.is(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const events: Event[] = []
  let text = ''
  const decoder = new TextDecoder()
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)))
        if (fields.event === undefined) continue
        events.push({ id: fields.id, event: fields.event, data: JSON.parse(fields.data) })
        if (options.until?.(events.at(-1) as Event, events) === true) return { events, closed: false }
      }
    }
    return { events, closed: true }
  } finally {
    gone.abort()
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

async function submitted(): Promise<string> {
  const answer = await hub.json('POST', '/api/v1/runs', { lab: 'rc-circuit', protocol: 'charge-curve' }, bearer)
  return ((await answer.json()) as { id: string }).id
}

async function attempt(runId: string, number: number) {
  await hub.store.write([
    hub.store.db.insertInto('attempt').values({
      run_id: runId,
      attempt: number,
      node: 'demo',
      bench: 'demo.rc-1',
      fence: number,
      state: 'assigned',
      assigned_at: 1,
      next_seq: 0,
      ended_at: null,
    }),
  ])
}

const documents = async (id: string, number: number, pages: number) => {
  const run = {
    ...((await hub.runs.get(id)) as NonNullable<Awaited<ReturnType<typeof hub.runs.get>>>),
    attempt: number,
  }
  return [...documentsOf(run, { pages, rowsPerPage: 700 })]
}

test('live: states, streams, reduced rows, outputs’ state and the end, in order', async () => {
  const id = await submitted()
  const reading = read(`/api/v1/runs/${id}/events`)
  await attempt(id, 1)
  await hub.setState(id, 'assigned')
  await hub.setState(id, 'running')
  for (const document of await documents(id, 1, 3)) {
    await storeDocuments(hub.store, [document])
    hub.tell({ runId: id, kind: 'documents' })
  }
  await hub.setState(id, 'succeeded')
  const { events, closed } = await reading
  assert.ok(closed, 'the server closes after the end')
  const shape = events
    .filter(({ event }) => event !== 'wait')
    .map(({ event, data }) => (event === 'state' ? data.state : event))
  const positions = ['running', 'streams', 'data', 'succeeded', 'end'].map((name) => shape.indexOf(name as never))
  assert.ok(!positions.includes(-1), shape.join())
  assert.is(shape.at(-1), 'end')
  assert.is(shape.at(-2), 'succeeded')
  const data = events
    .filter(({ event }) => event === 'data')
    .map(
      (event) =>
        event.data as unknown as {
          first: number
          count: number
          reduced: boolean
          time: number[]
          columns: Record<string, unknown[]>
        },
    )
  assert.equal(
    data.map(({ first, count }) => [first, count]),
    [
      [0, 700],
      [700, 700],
      [1400, 700],
    ],
  )
  for (const { reduced, time, columns } of data) {
    assert.ok(reduced)
    assert.ok(time.length <= 500)
    for (const column of Object.values(columns)) assert.is(column.length, time.length)
  }
  const ids = events
    .filter(({ event }) => ['state', 'streams', 'data', 'outputs'].includes(event))
    .map((event) => event.id)
  assert.is(new Set(ids).size, ids.length)
  assert.not(ids.includes(undefined))
})

test('a reader who is cut off after any event goes on with the next, through a new attempt', async () => {
  const id = await submitted()
  await attempt(id, 1)
  await hub.setState(id, 'running', 1)
  const first = await documents(id, 1, 2)
  await storeDocuments(hub.store, first.slice(0, -1))
  await hub.setState(id, 'queued', 2)
  await attempt(id, 2)
  await hub.setState(id, 'running', 2)
  await storeDocuments(hub.store, await documents(id, 2, 2))
  await hub.setState(id, 'succeeded', 2)

  const whole = (await read(`/api/v1/runs/${id}/events`)).events.filter(({ id: eventId }) => eventId !== undefined)
  assert.equal(
    whole.map(({ event, data }) => `${event}${data.attempt ?? ''}${event === 'state' ? data.state : ''}`),
    [
      'state1queued',
      'state1running',
      'streams1',
      'data1',
      'data1',
      'state2queued',
      'state2running',
      'streams2',
      'data2',
      'data2',
      'state2succeeded',
    ],
  )
  const pieces: Event[] = []
  for (;;) {
    const lastId = pieces.at(-1)?.id
    const { events, closed } = await read(`/api/v1/runs/${id}/events`, {
      ...(lastId === undefined ? {} : { lastId }),
      until: ({ id: eventId }) => eventId !== undefined,
    })
    pieces.push(...events.filter(({ id: eventId }) => eventId !== undefined))
    if (closed) break
  }
  assert.equal(pieces, whole)
})

test('cut off while the run goes on: nothing is missed, nothing comes twice', async () => {
  const id = await submitted()
  await attempt(id, 1)
  await hub.setState(id, 'running')
  const all = await documents(id, 1, 12)
  const writing = (async () => {
    for (const document of all) {
      await storeDocuments(hub.store, [document])
      hub.tell({ runId: id, kind: 'documents' })
      await new Promise((resolve) => setTimeout(resolve, 15))
    }
    await hub.setState(id, 'succeeded')
  })()
  const rows: number[] = []
  let lastId: string | undefined
  let ended = false
  for (let round = 0; !ended; round++) {
    let heard = 0
    const { events } = await read(`/api/v1/runs/${id}/events`, {
      ...(lastId === undefined ? {} : { lastId }),
      until: ({ event }) => event === 'end' || (event === 'data' && ++heard > round % 3),
    })
    for (const event of events) {
      if (event.id !== undefined) lastId = event.id
      if (event.event === 'data') rows.push(Number(event.data.first))
      if (event.event === 'end') ended = true
    }
  }
  await writing
  assert.equal(
    rows,
    Array.from({ length: 12 }, (_, i) => i * 700),
  )
})

test('a reader who goes away while the next piece is made is no error of the hub', async () => {
  const id = await submitted()
  for (let i = 0; i < 3; i++) {
    await read(`/api/v1/runs/${id}/events`, { until: ({ event }) => event === 'state' })
    await until(() => hub.listening() === 0)
  }
  assert.equal(
    log.lines.filter(({ level }) => level === 'error'),
    [],
  )
})

test('a reader who is gone after the first line is listened for no more', async () => {
  const id = await submitted()
  const run = (await hub.runs.get(id)) as NonNullable<Awaited<ReturnType<typeof hub.runs.get>>>
  const { store, runs } = hub
  const { signal } = new AbortController()
  const events = runEvents({ store, runs, clock: new ManualClock(), run, cursor: readCursor(undefined), signal })
  assert.match((await events.next()).value ?? '', 'retry')
  assert.is(hub.listening(), 1)
  await events.return()
  assert.is(hub.listening(), 0)
})

test('a HEAD of what is made as it is read tells its head, and nothing is made', async () => {
  const id = await submitted()
  await attempt(id, 1)
  await hub.setState(id, 'running')
  await storeDocuments(hub.store, await documents(id, 1, 2))
  const paths = ['events', 'documents', 'data.json', 'data.csv', 'data.parquet', 'data.h5'].map(
    (form) => `/api/v1/runs/${id}/${form}`,
  )
  const started: Worker[] = []
  const note = (worker: Worker) => started.push(worker)
  process.on('worker', note)
  const heads: Response[] = []
  for (const path of paths) heads.push(await fetch(`${hub.url}${path}`, { method: 'HEAD', headers: bearer }))
  process.off('worker', note)
  assert.is(hub.listening(), 0)
  assert.is(started.length, 0, 'no converter')
  for (const [at, path] of paths.entries()) {
    const gone = new AbortController()
    const answer = await fetch(`${hub.url}${path}`, { headers: bearer, signal: gone.signal })
    assert.is(heads[at]?.status, 200)
    for (const name of ['content-type', 'content-disposition', 'cache-control']) {
      assert.is(heads[at]?.headers.get(name), answer.headers.get(name), `${name} of ${path}`)
    }
    gone.abort()
  }
  await until(() => hub.listening() === 0)
})

test('a reader who does not read holds nothing up and fills no memory', async () => {
  const id = await submitted()
  await attempt(id, 1)
  await hub.setState(id, 'running')
  const run = (await hub.runs.get(id)) as NonNullable<Awaited<ReturnType<typeof hub.runs.get>>>
  await storeDocuments(hub.store, [...documentsOf(run, { pages: 600, rowsPerPage: 1000 })])
  const gone = new AbortController()
  const slow = await fetch(`${hub.url}/api/v1/runs/${id}/events`, { headers: bearer, signal: gone.signal })
  const reader = slow.body?.getReader()
  await reader?.read()
  const before = process.memoryUsage().rss
  await new Promise((resolve) => setTimeout(resolve, 1500))
  assert.ok(process.memoryUsage().rss - before < 60e6, 'what nobody reads is not made')
  assert.is((await fetch(`${hub.url}/healthz`)).status, 200)
  gone.abort()
  assert.type(personId, 'string')
})

/** Opens the events of a run that waits, and tells what came after `cut` until the hub closed them. */
async function cutOff(id: string, headers: Record<string, string>, cut: () => Promise<unknown>): Promise<string> {
  const response = await fetch(`${hub.url}/api/v1/runs/${id}/events`, { headers })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let before = ''
  while (!before.includes('event: state')) before += (await reader?.read())?.value ?? ''
  await cut()
  let after = ''
  for (;;) {
    const read = await reader?.read()
    if (read === undefined || read.done) return after
    after += read.value
  }
}

test('open events close with the token, the session and the password they came with', async () => {
  const student = await hub.person('student', ['read', 'run'])
  const revoked = await hub.json('POST', '/api/v1/runs', { lab: 'rc-circuit', protocol: 'p' }, student.bearer)
  const { id } = (await revoked.json()) as { id: string }
  assert.is(await cutOff(id, student.bearer, () => hub.accounts.revokeToken(student.person.id, student.token.id)), '')

  const [signedOut, reset] = [await hub.signIn(), await hub.signIn()]
  const bySession = ({ cookie }: { cookie: string }) => ({ cookie })
  const signOut = () => hub.json('POST', '/api/auth/sign-out', {}, { cookie: signedOut.cookie, origin: hub.url })
  assert.is(await cutOff(id, bySession(signedOut), signOut), '')
  const link = await resetPassword({ store: hub.store, email: admin.email, publicUrl: hub.url })
  const token = link.split('#token=')[1]
  const choose = () => hub.json('POST', '/api/v1/password/reset', { token, password: admin.password })
  assert.is(await cutOff(id, bySession(reset), choose), '')
})

test('nothing is sent on a token that another process revoked a second ago', async () => {
  const student = await hub.person('student', ['read', 'run'])
  const made = await hub.json('POST', '/api/v1/runs', { lab: 'rc-circuit', protocol: 'p' }, student.bearer)
  const { id } = (await made.json()) as { id: string }
  const after = await cutOff(id, student.bearer, async () => {
    const { db } = hub.store
    await hub.store.write([db.updateTable('token').set({ revoked_at: 1 }).where('id', '=', student.token.id)])
    await new Promise((resolve) => setTimeout(resolve, 1050))
    await hub.setState(id, 'assigned')
  })
  assert.is(after, '')
})

/** Tells which timers it was asked for: the one of a heartbeat means that all was told and the next is waited for. */
class WatchedClock extends ManualClock {
  readonly #asked: number[] = []

  override after(ms: number, callback: () => void): () => void {
    this.#asked.push(ms)
    return super.after(ms, callback)
  }

  asked(ms: number): number {
    return this.#asked.filter((other) => other === ms).length
  }
}

/** Reads the events of a run that waits until all is told that is known. */
async function follow() {
  const id = await submitted()
  const run = (await hub.runs.get(id)) as NonNullable<Awaited<ReturnType<typeof hub.runs.get>>>
  const clock = new WatchedClock()
  const gone = new AbortController()
  const { store, runs } = hub
  const seen: string[] = []
  const reading = (async () => {
    const cursor = readCursor(undefined)
    for await (const text of runEvents({ store, runs, clock, run, cursor, signal: gone.signal })) seen.push(text)
  })()
  const rests = () => clock.asked(heartbeatMs)
  await until(() => rests() === 1)
  assert.ok(seen.some((text) => text.includes('"queued"')))
  const leave = () => {
    gone.abort()
    return reading
  }
  return { id, clock, seen, rests, leave }
}

test('something is sent every 15 s even when nothing happens', async () => {
  const { clock, seen, rests, leave } = await follow()
  await clock.advance(heartbeatMs)
  await until(() => rests() === 2)
  assert.is(seen.at(-1), ': still here\n\n')
  await leave()
})

test('a run that waits hears that it moved, once for many moves, and its place at each heartbeat', async () => {
  const { id, clock, seen, rests, leave } = await follow()
  hub.waits.set(id, { position: 3, reason: '2 runs before you' })
  const waits = () => seen.filter((text) => text.startsWith('event: wait')).length
  const moved = () => hub.tell({ runId: 'another', kind: 'state', state: 'succeeded' })
  const before = waits()
  for (let n = 0; n < 5; n++) moved()
  await clock.advance(queueMs)
  await until(() => rests() === 2)
  assert.is(waits(), before + 1)
  assert.match(seen.at(-1) ?? '', /"position":3/)
  hub.tell({ runId: '', kind: 'queue' })
  await clock.advance(queueMs)
  await until(() => rests() === 3)
  assert.is(waits(), before + 1, 'others moved, and it did not')
  await clock.advance(heartbeatMs)
  await until(() => rests() === 4)
  assert.is(waits(), before + 2)

  await hub.setState(id, 'running')
  await until(() => rests() === 5)
  const timers = clock.asked(queueMs)
  moved()
  assert.is(clock.asked(queueMs), timers, 'it waits no more')
  await hub.setState(id, 'succeeded')
  await until(() => seen.some((text) => text.startsWith('event: end')))
  assert.is(waits(), before + 2)
  await leave()
})

test.run()
