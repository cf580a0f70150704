/** Runs of a hub that goes away, answers half of what it has, and refuses. */
import { inspect } from 'node:util'
import { Hub, type HubFetch } from '@fernlab/shared/clients/typescript/hub'
import type { HubClient } from '@fernlab/shared/clients/typescript/hub-runs'
import { hubRuns } from '@fernlab/shared/clients/typescript/hub-runs'
import type { RunDocument, RunEvent } from '@fernlab/shared/clients/typescript/run'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('runs by the client in TypeScript', { timeoutMs: 20_000 })

const TOKEN = 'a-token-that-nobody-may-see'
const time = '2030-01-01T00:00:00.000Z'
const status = (state = 'running', attempt = 1) => ({
  id: 'r1',
  state,
  attempt,
  lab: 'rc-circuit',
  labVersion: 1,
  protocol: 'charge',
  protocolDigest: 'd',
  restart: 'safe',
  bench: null,
  parameters: {},
  person: { id: 'p', name: 'Ada' },
  priority: 5,
  createdAt: time,
  cancelRequested: false,
  outputs: {},
  missingOutputs: {},
  rows: {},
})

const start = (attempt = 1) => ({
  name: 'start',
  doc: {
    uid: `start-${attempt}`,
    time: 1,
    lab: 'rc-circuit',
    protocol: 'charge',
    bench: 'pi.rc',
    node: 'pi',
    site: 'main',
    fernlab_run: 'r1',
    fernlab_attempt: attempt,
  },
})
const page = (n: number) => ({
  name: 'event_page',
  doc: { descriptor: 'd', seq_num: [n], uid: [`d/${n}`], time: [n], data: { volts: [n] }, timestamps: { volts: [n] } },
})
const stop = {
  name: 'stop',
  doc: {
    uid: 'stop',
    run_start: 'start-1',
    time: 9,
    exit_status: 'success',
    fernlab_state: 'succeeded',
    outputs: {},
    missing_outputs: {},
  },
}
const documents = [start(), page(1), page(2), page(3), stop]
const uidsOf = (given: readonly RunDocument[]) => given.map(({ doc }) => ('uid' in doc ? [doc.uid].flat().join() : '?'))
const uids = ['start-1', 'd/1', 'd/2', 'd/3', 'stop']

/** What a hub says to a request; a text that is `cut` ends without an end. */
type Said = { status?: number; body: unknown } | { text: string; cut?: true } | 'away'
type Asked = { method: string; path: string; query: URLSearchParams; headers: Record<string, string>; body: unknown }

function fakeHub(says: (asked: Asked) => Said, clock: Clock = { ...systemClock, sleep: async () => {} }) {
  const asked: Asked[] = []
  const open = new Set<AbortSignal>()
  const fetch: HubFetch = async (url, { method, headers, body, signal }) => {
    const { pathname, searchParams } = new URL(url)
    const one = {
      method,
      path: pathname.replace('/api/v1', ''),
      query: searchParams,
      headers,
      body: body === undefined ? undefined : JSON.parse(body),
    }
    asked.push(one)
    const said = says(one)
    if (said === 'away') throw new TypeError('fetch failed')
    if ('body' in said) return new Response(JSON.stringify(said.body), { status: said.status ?? 200 })
    open.add(signal)
    signal.addEventListener('abort', () => open.delete(signal))
    let sent = false
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (!sent && said.text !== '') controller.enqueue(new TextEncoder().encode(said.text))
        else if (said.cut === true) controller.error(new TypeError('terminated'))
        else controller.close()
        sent = true
      },
    })
    return new Response(stream)
  }
  const hub = new Hub({ url: 'https://lab.example.org', token: TOKEN, fetch })
  return { runs: hubRuns({ hub, clock }), asked, open, of: (path: string) => asked.filter((one) => one.path === path) }
}

const textOf = (all: readonly object[]) => all.map((one) => `${JSON.stringify(one)}\n`).join('')
const failure = (work: Promise<unknown>) =>
  work.then(
    () => assert.unreachable('it went well') as never,
    (error: LabError) => error,
  )
async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const read: Item[] = []
  for await (const item of items) read.push(item)
  return read
}

test('an answer that is cut off at any byte is gone on with, each document once and in order', async () => {
  const whole = textOf(documents)
  for (let at = 0; at <= whole.length; at += 7) {
    let cuts = 0
    const { runs, of } = fakeHub(({ path, query }) => {
      if (path === '/runs/r1') return { body: status(cuts < 2 ? 'running' : 'succeeded') }
      const rest = textOf(documents.slice(Number(query.get('skip'))))
      cuts += 1
      return cuts < 3 ? { text: rest.slice(0, at), cut: true } : { text: `\n${rest}` }
    })
    assert.equal(uidsOf(await all(runs.runOf('r1').documents())), uids, `cut at ${at}`)
    const skipped = of('/runs/r1/documents').map(({ query }) => Number(query.get('skip')))
    assert.is(skipped[0], 0)
    assert.equal(
      skipped,
      [...skipped].sort((a, b) => a - b),
    )
  }
})

test('an answer that ends while the run goes on is gone on with, and so is a hub that is away or starts', async () => {
  const says: Said[] = [
    { text: textOf(documents.slice(0, 2)) },
    'away',
    { status: 503, body: { type: 'x', title: 'x', status: 503, code: 'hub-starting', detail: 'it starts' } },
    { status: 502, body: 'a proxy' },
    { text: `\n\n${textOf(documents.slice(2))}` },
  ]
  const { runs, of } = fakeHub(({ path }) =>
    path === '/runs/r1' ? { body: status(says.length > 0 ? 'running' : 'succeeded') } : (says.shift() ?? 'away'),
  )
  assert.equal(uidsOf(await all(runs.runOf('r1').documents())), uids)
  assert.equal(
    of('/runs/r1/documents').map(({ query }) => [query.get('skip'), query.get('attempt'), query.get('follow')]),
    ['0', '2', '2', '2', '2'].map((skip) => [skip, '1', 'true']),
  )
})

test('a further attempt follows from its start; of one that is named there is no other', async () => {
  let present = 1
  const says = ({ path, query }: Asked): Said => {
    if (path === '/runs/r1') return { body: status(present === 2 ? 'succeeded' : 'running', present) }
    present = 2
    const isFirst = query.get('attempt') === '1'
    return {
      text: textOf((isFirst ? [start(1), page(1)] : [start(2), page(1), stop]).slice(Number(query.get('skip')))),
    }
  }
  assert.equal(uidsOf(await all(fakeHub(says).runs.runOf('r1').documents())), [
    'start-1',
    'd/1',
    'start-2',
    'd/1',
    'stop',
  ])
  present = 1
  assert.equal(uidsOf(await all(fakeHub(says).runs.runOf('r1').documents({ attempt: 1 }))), ['start-1', 'd/1'])
})

test('of a run that is over the hub says which attempt has any, and without follow what there is comes once', async () => {
  const { runs, of } = fakeHub(({ path }) =>
    path === '/runs/r1' ? { body: status('cancelled', 3) } : { text: textOf(documents) },
  )
  assert.equal(uidsOf(await all(runs.runOf('r1').documents())), uids)
  assert.is(of('/runs/r1/documents')[0]?.query.get('attempt'), null)
  const going = fakeHub(({ path }) => (path === '/runs/r1' ? { body: status() } : { text: textOf([start(), page(1)]) }))
  assert.equal(uidsOf(await all(going.runs.runOf('r1').documents({ follow: false }))), ['start-1', 'd/1'])
  assert.is(going.of('/runs/r1/documents')[0]?.query.get('follow'), 'false')
})

test('a hub that stays away is told after the patience, and what is refused or not understood at once', async () => {
  let now = 0
  const clock: Clock = {
    ...systemClock,
    monotonic: () => now,
    sleep: async (ms) => {
      now += ms
    },
  }
  const gone = fakeHub(() => 'away', clock)
  const error = await failure(all(gone.runs.runOf('r1').documents({ patienceS: 5 })))
  assert.equal([error.code, error.kind, now], ['hub-unreachable', 'link', 6000])
  const problem = { type: 'x', title: 'x', status: 404, code: 'not-found', detail: 'there is no run r1' }
  const refusing = fakeHub(() => ({ status: 404, body: problem }))
  assert.is((await failure(all(refusing.runs.runOf('r1').documents()))).code, 'not-found')
  assert.is((await failure(all(refusing.runs.runOf('r1').events()))).code, 'not-found')
  assert.is(refusing.asked.length, 2)
  for (const line of ['{"name":"surprise"}', '{"name":"start","doc":{}}', 'no JSON']) {
    const other = fakeHub(({ path }) => (path === '/runs/r1' ? { body: status() } : { text: `${line}\n` }))
    const odd = await failure(all(other.runs.runOf('r1').documents()))
    assert.is(odd.code, 'unexpected-answer')
    assert.ok(odd.issues.length > 0)
    assert.is(other.of('/runs/r1/documents').length, 1)
  }
})

test('the patience is of the hub alone: a program may take as long as it likes for each thing that comes', async () => {
  let now = 0
  const clock: Clock = {
    ...systemClock,
    monotonic: () => now,
    sleep: async (ms) => {
      now += ms
    },
  }
  const event = (n: number) => `id: ${n}.0.-1\nevent: state\ndata: {"state":"running","attempt":1,"at":"${time}"}\n\n`
  const isAway = (asked: readonly Asked[]) => asked.length % 2 === 0
  const busy = fakeHub(({ path, query }) => {
    if (path === '/runs/r1') return { body: status() }
    if (isAway(busy.of(path))) return 'away'
    const skip = Number(query.get('skip'))
    return { text: path.endsWith('/events') ? event(1) : textOf(documents.slice(skip, skip + 1)), cut: true }
  }, clock)
  for (const following of [busy.runs.runOf('r1').documents(), busy.runs.runOf('r1').events()]) {
    let given = 0
    for await (const _ of following) {
      given += 1
      if (given === 4) break
      now += 61_000
    }
    assert.is(given, 4)
  }
  // Then it stays away: a minute from when it was waited for.
  const says: Said[] = [{ text: textOf(documents.slice(0, 1)), cut: true }]
  const left = fakeHub(({ path }) => (path === '/runs/r1' ? { body: status() } : (says.shift() ?? 'away')), clock)
  const following = left.runs.runOf('r1').documents()
  await following.next()
  now += 61_000
  const waitedAt = now
  assert.is((await failure(all(following))).code, 'hub-unreachable')
  assert.is(now - waitedAt, 61_000)
})

test('a document of a kind that a later hub has is passed over, and counts where it is gone on', async () => {
  const later = { name: 'of-a-later-hub', doc: { anything: [1] } }
  const says = [
    [start(), later, page(1)],
    [later, page(2), later, stop],
  ]
  const { runs, of } = fakeHub(({ path }) => {
    if (path === '/runs/r1') return { body: status(says.length > 0 ? 'running' : 'succeeded') }
    return { text: textOf(says.shift() ?? []) }
  })
  assert.equal(uidsOf(await all(runs.runOf('r1').documents())), ['start-1', 'd/1', 'd/2', 'stop'])
  assert.equal(
    of('/runs/r1/documents').map(({ query }) => query.get('skip')),
    ['0', '3'],
  )
})

test('a line of sixteen thousand chunks costs no more than its length', async () => {
  const chunk = new Uint8Array(1024).fill(0x20)
  let left = 16_000
  const long = new Hub({
    url: 'https://lab.example.org',
    token: TOKEN,
    fetch: async (url) => {
      if (!url.includes('/documents')) return new Response(JSON.stringify(status('succeeded')))
      const line = textOf([page(1)]).trimEnd()
      return new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(new TextEncoder().encode(line)),
          pull: (controller) => {
            left -= 1
            if (left >= 0) return controller.enqueue(chunk)
            controller.enqueue(new TextEncoder().encode(`\n${line}\n`))
            controller.close()
          },
        }),
      )
    },
  })
  const before = process.cpuUsage()
  const read = await all(hubRuns({ hub: long, clock: systemClock }).runOf('r1').documents())
  const { user } = process.cpuUsage(before)
  assert.equal(uidsOf(read), ['d/1', 'd/1'])
  assert.ok(user < 5_000_000, `${user / 1000} ms`)
})

test('events go on after the last that was heard, to the end, which is what waiting resolves with', async () => {
  const event = (id: string, data: object, name = 'state') =>
    `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`
  const state = (name: string) => ({ state: name, attempt: 1, at: time })
  const first = `retry: 1000\n\n${event('1.0.-1', state('queued'))}${event('2.0.-1', state('running'))}id: 3.0.-1\nevent: st`
  const rest = `${event('3.0.-1', {}, 'of-a-later-hub')}: still here\n\n${event('4.0.-1', state('succeeded'))}event: end\r\ndata: ${JSON.stringify(status('succeeded'))}\r\n\r\n`
  const says: Said[] = [{ text: first, cut: true }, 'away', { text: rest }]
  const { runs, asked } = fakeHub(() => says.shift() ?? 'away')
  const events = await all(runs.runOf('r1').events())
  assert.equal(
    events.map(({ name, data }) => [name, 'state' in data ? data.state : '']),
    [
      ['state', 'queued'],
      ['state', 'running'],
      ['state', 'succeeded'],
      ['end', 'succeeded'],
    ],
  )
  assert.equal(
    asked.map(({ headers }) => headers['last-event-id']),
    [undefined, '2.0.-1', '2.0.-1'],
  )
  const again: Said[] = [{ text: rest }]
  assert.is(
    (
      await fakeHub(() => again.shift() ?? 'away')
        .runs.runOf('r1')
        .wait()
    ).state,
    'succeeded',
  )
})

test('an abort ends it with its reason, and leaving the loop ends the request', async () => {
  const stream = fakeHub(({ path }) =>
    path === '/runs/r1' ? { body: status() } : { text: textOf(documents.slice(0, 3)) },
  )
  for await (const { name } of stream.runs.runOf('r1').documents()) {
    assert.is(name, 'start')
    assert.is(stream.open.size, 1)
    break
  }
  assert.is(stream.open.size, 0)
  const late = new AbortController()
  const reason = new LabError({ code: 'too-late', kind: 'caller', message: 'it takes too long' })
  const following = stream.runs.runOf('r1').documents({ signal: late.signal })
  await following.next()
  late.abort(reason)
  assert.is(await failure(all(following)), reason)
  assert.is(stream.open.size, 0)
  const never = fakeHub(() => 'away', systemClock)
  const started = performance.now()
  const timedOut = await failure(never.runs.runOf('r1').wait({ signal: AbortSignal.timeout(50) }))
  assert.is(timedOut.name, 'TimeoutError')
  assert.ok(performance.now() - started < 900, 'it does not wait for the next try')
})

test('a run is submitted once, also where its answer was lost, and cancelled where it is given up meanwhile', async () => {
  let isLost = true
  const { runs, asked } = fakeHub(() => {
    if (!isLost) return { status: 201, body: status('queued') }
    isLost = false
    return 'away'
  })
  const parameters = { voltage: { value: 300, unit: 'mV' } }
  const run = await runs.run('rc-circuit', 'charge', parameters, { bench: 'pi.rc', priority: 7, note: 'mine' })
  assert.is(run.id, 'r1')
  const [one, two] = asked
  assert.equal(one?.body, {
    lab: 'rc-circuit',
    protocol: 'charge',
    parameters,
    bench: 'pi.rc',
    priority: 7,
    note: 'mine',
  })
  assert.equal(one?.body, two?.body)
  assert.ok((one?.headers['idempotency-key'] ?? '').length > 8)
  assert.is(one?.headers['idempotency-key'], two?.headers['idempotency-key'])

  const giving = new AbortController()
  const given = fakeHub(({ path }) => {
    giving.abort(new LabError({ code: 'given-up', kind: 'caller', message: 'given up' }))
    return { body: status(path.endsWith('/cancel') ? 'cancelled' : 'queued') }
  })
  assert.is((await failure(given.runs.run('a', 'b', {}, { signal: giving.signal }))).code, 'given-up')
  while (given.of('/runs/r1/cancel').length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.is((await failure(given.runs.run('a', 'b', {}, { signal: giving.signal }))).code, 'given-up')
  assert.is(given.of('/runs').length, 1, 'what was given up before is not sent')
})

test('a refusal says what is wrong where, and nobody sees the token', async () => {
  const issues = [{ path: 'parameters.voltage', message: '12 V is above the limit of 5 V' }]
  const problem = { type: 'x', title: 'x', status: 422, code: 'parameter-invalid', detail: 'wrong', issues }
  const { runs, asked } = fakeHub(() => ({ status: 422, body: problem }))
  const error = await failure(runs.run('rc-circuit', 'charge', { voltage: 12 }))
  assert.ok(error instanceof LabError)
  assert.equal([error.code, error.kind, error.issues], ['parameter-invalid', 'caller', issues])
  assert.is(error.message, 'wrong: parameters.voltage 12 V is above the limit of 5 V')
  const many = Array.from({ length: 13 }, (_, n) => ({ path: `p${n}`, message: `is wrong ${n}.` }))
  const said = { ...problem, detail: 'p0 is wrong 0.', issues: many }
  const { message } = await failure(fakeHub(() => ({ status: 422, body: said })).runs.run('a', 'b'))
  assert.match(message, /^p0 is wrong 0\.: p1 is wrong 1\.; p2 is wrong 2\.; .*p10 is wrong 10\.; and 2 more$/)
  const alike = [
    { path: 'points', message: 'is missing' },
    { path: 'delay', message: 'is missing' },
  ]
  const both = { ...problem, detail: 'points is missing', issues: alike }
  assert.is(
    (await failure(fakeHub(() => ({ status: 422, body: both })).runs.run('a', 'b'))).message,
    'points is missing: delay is missing',
  )
  assert.is(asked.length, 1)
  assert.is(asked[0]?.headers.authorization, `Bearer ${TOKEN}`)
  const away = await failure(fakeHub(() => 'away').runs.run('a', 'b'))
  assert.not.match(inspect([error, away, runs, runs.runOf('r1')], { depth: 9, showHidden: true }), TOKEN)
})

test('documents and events are told apart by their names', async () => {
  const voltsOf = (document: RunDocument): unknown => {
    if (document.name === 'event_page') return document.doc.data.volts
    if (document.name === 'stop') return document.doc.outputs.tau?.value
    // @ts-expect-error a start has no columns
    return document.doc.data?.volts
  }
  const stateOf = (event: RunEvent): string =>
    // @ts-expect-error progress has no state
    event.name === 'end' ? event.data.state : event.name === 'progress' ? event.data.state : event.name
  assert.equal(
    [voltsOf(page(2) as RunDocument), stateOf({ name: 'progress', data: { fraction: 1, step: '' } })],
    [[2], undefined],
  )
  const submit = (lab: HubClient) =>
    // @ts-expect-error a parameter is no function
    lab.run('rc-circuit', 'charge', { voltage: () => 3 })
  assert.type(submit, 'function')
})

test.run()
