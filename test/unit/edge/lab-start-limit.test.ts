/** A lab's own server that does not get ready: how long it may take, and what is known afterwards. */
import { createLease } from '@fernlab/edge/benches/lease'
import type { Instrument, VisitRequest } from '@fernlab/edge/drivers/driver'
import { createVisit } from '@fernlab/edge/engine/visit'
import { createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite("the time that a lab's own server has to start a session")

const request: VisitRequest = {
  username: 'user-1',
  unique: 'user-1@test',
  fullName: 'user-1',
  locale: 'en',
  back: 'http://hub/',
  seconds: 600,
  experiment: 'robot',
  category: 'Robots',
  data: {},
}

/** A session that is asked for on a server that answers when it is told to. */
async function rig() {
  const clock = new ManualClock()
  let answer: (started: { id: string; url: string }) => void = () => {}
  let asked: AbortSignal | undefined
  const unused = async () => {
    throw new Error('not asked for')
  }
  const instrument: Instrument = {
    spec: { name: 'server', driver: 'lab-server', signals: [], actions: [], labServer: true },
    open: async () => {},
    read: unused,
    set: unused,
    call: unused,
    close: async () => {},
    labServer: {
      start: (_request, signal) => {
        asked = signal
        return new Promise((resolve) => {
          answer = resolve
        })
      },
      status: unused,
      dispose: unused,
      page: (url) => ({ url, through: 'hub' }),
      connect: unused,
    },
  }
  const handle = createInstrumentHandle({ name: 'server', instrument, clock, log: silentLog })
  const online = new Promise<void>((resolve) => handle.onConnection(({ online }) => online && resolve()))
  handle.start()
  await online
  const lease = createLease({
    bench: 'bench-1',
    token: 'token',
    entry: { parts: { server: 'server' }, safeState: {} },
    parts: new Map([['server', handle]]),
    labLimits: {},
  })
  const kept: (string | null)[] = []
  const visit = createVisit({
    found: undefined,
    keep: async (what) => void kept.push(what),
  })
  const { signal } = new AbortController()
  const leased = lease.labServer('server')
  const outcome = visit.start(leased, request, clock.now(), signal).then(
    ({ url }) => url,
    (error: LabError) => error.code,
  )
  await clock.advance(0)
  return {
    clock,
    kept,
    outcome,
    answer: (started: { id: string; url: string }) => answer(started),
    asked: () => asked,
    dispose: () =>
      visit.dispose(leased, signal).then(
        () => undefined,
        (error: LabError) => error,
      ),
  }
}

test('an answer just before 30 s is in time', async () => {
  const { clock, outcome, answer, kept } = await rig()
  await clock.advance(29_999)
  answer({ id: 'one', url: 'http://lab/1' })
  assert.is(await outcome, 'http://lab/1')
  assert.equal(JSON.parse(String(kept.at(-1))), { is: 'open', id: 'one' })
})

test('after 30 s the server is not waited for, and what it began is not known, whatever it answers then', async () => {
  const { clock, outcome, answer, asked, dispose, kept } = await rig()
  const began = clock.now()
  await clock.advance(30_000)
  assert.is(await outcome, 'instrument-silent')
  assert.is(asked()?.aborted, true)
  answer({ id: 'late', url: 'http://lab/1' })
  const left = await dispose()
  assert.is(left?.code, 'lab-session-unknown')
  assert.ok(left?.message.includes(new Date(began + 600_000).toISOString()), left?.message)
  assert.equal(JSON.parse(String(kept.at(-1))), { is: 'asked', untilMs: began + 600_000 })
})

test.run()
