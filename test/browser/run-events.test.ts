import * as assert from 'uvu/assert'
import { type Api, ApiProblem } from '../../hub/web/src/api/client.ts'
import { followRun, type RunEvent } from '../../hub/web/src/api/run-events.ts'
import { suite } from '../support/suite.ts'

const test = suite('following a run')

interface Attempt {
  readonly lastId: string | null
  readonly write: (text: string) => void
  readonly cut: () => void
  readonly end: () => void
}

/** An API whose connections the test holds in its hand. */
function handheld() {
  const attempts: Attempt[] = []
  const waiting: ((attempt: Attempt) => void)[] = []
  let refuseWith: ApiProblem | undefined
  const open: Api['open'] = async (_path, headers, signal) => {
    if (refuseWith !== undefined) throw refuseWith
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    const body = new ReadableStream<Uint8Array>({
      start: (made) => {
        controller = made
      },
    })
    const fail = () => controller?.error(new TypeError('network error'))
    signal.addEventListener('abort', fail, { once: true })
    const attempt: Attempt = {
      lastId: new Headers(headers).get('last-event-id'),
      write: (text) => controller?.enqueue(new TextEncoder().encode(text)),
      cut: fail,
      end: () => controller?.close(),
    }
    attempts.push(attempt)
    waiting.shift()?.(attempt)
    return new Response(body)
  }
  return {
    open,
    attempts,
    next: () => new Promise<Attempt>((resolve) => waiting.push(resolve)),
    refuse: (problem: ApiProblem) => {
      refuseWith = problem
    },
  }
}

function follower(api: Pick<Api, 'open'>) {
  const events: RunEvent[] = []
  const connected: boolean[] = []
  let wake: () => void = () => {}
  const following = followRun({
    api,
    path: '/events',
    onEvents: (batch) => {
      events.push(...batch)
      wake()
    },
    onConnected: (now) => {
      connected.push(now)
      wake()
    },
    firstRetryMs: 1,
    longestRetryMs: 5,
  })
  const until = async (holds: () => boolean) => {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { events, connected, following, until }
}

const state = (id: number, name: string) => `id: ${id}\nevent: state\ndata: {"state":"${name}"}\n\n`

test('a cut connection is opened again after the last event seen', async () => {
  const hub = handheld()
  const first = hub.next()
  const run = follower(hub)
  const one = await first
  assert.is(one.lastId, null)
  one.write(state(1, 'queued') + state(2, 'assigned'))
  await run.until(() => run.events.length === 2)
  const second = hub.next()
  one.cut()
  const two = await second
  assert.is(two.lastId, '2')
  assert.ok(run.connected.includes(false))
  two.write(state(3, 'running'))
  await run.until(() => run.events.length === 3)
  assert.equal(
    run.events.map(({ data }) => (data as { state: string }).state),
    ['queued', 'assigned', 'running'],
  )
  run.following.stop()
})

test('an event that comes in pieces is delivered whole', async () => {
  const hub = handheld()
  const first = hub.next()
  const run = follower(hub)
  const one = await first
  for (const letter of state(1, 'queued')) one.write(letter)
  await run.until(() => run.events.length === 1)
  assert.equal(run.events[0]?.data, { state: 'queued' })
  run.following.stop()
})

test('after the end no connection is opened', async () => {
  const hub = handheld()
  const first = hub.next()
  const run = follower(hub)
  const one = await first
  one.write(`${state(1, 'running')}id: 2\nevent: end\ndata: {}\n\n`)
  await run.until(() => run.events.length === 2)
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.is(hub.attempts.length, 1)
})

test('progress has no id and does not move the place from which to go on', async () => {
  const hub = handheld()
  const first = hub.next()
  const run = follower(hub)
  const one = await first
  one.write(`${state(7, 'running')}event: progress\ndata: {"fraction":0.5}\n\n`)
  await run.until(() => run.events.length === 2)
  const second = hub.next()
  one.end()
  assert.is((await second).lastId, '7')
  run.following.stop()
})

test('a refusal ends it: asking again would not help', async () => {
  const hub = handheld()
  hub.refuse(new ApiProblem(404, { code: 'run-unknown' }))
  follower(hub)
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.is(hub.attempts.length, 0)
})

test.run()
