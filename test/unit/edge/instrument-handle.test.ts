import { createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { MemoryInstrument, memorySignals, silence } from '../../support/edge/memory-driver.ts'
import { suite } from '../../support/suite.ts'

const test = suite('one instrument of the node')
const never = new AbortController().signal

const make = async (prepare: (instrument: MemoryInstrument) => void = () => {}) => {
  const clock = new ManualClock()
  const log = recordingLog()
  const instrument = new MemoryInstrument('psu', clock)
  prepare(instrument)
  const handle = createInstrumentHandle({ name: 'psu', instrument, clock, log })
  handle.start()
  await clock.advance(0)
  return { clock, log, instrument, handle }
}
const failure = (work: Promise<unknown>): Promise<LabError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: LabError) => error,
  )

test('is opened again with growing pauses, its loss logged once and its return once', async () => {
  const { clock, log, instrument, handle } = await make((one) => {
    one.failOpen = new LabError({ code: 'x', kind: 'link', message: 'no such port' })
  })
  assert.equal(handle.connection, { online: false, reason: 'no such port' })
  await clock.advance(5000)
  instrument.failOpen = undefined
  await clock.advance(8000)
  assert.is(handle.connection.online, true)
  assert.is(log.lines.filter(({ level }) => level === 'warn').length, 1)
  assert.is(log.lines.filter(({ message }) => message === 'an instrument is back').length, 1)
  await handle.close()
})

test('what the caller did wrong is told as that, not as a failure of the instrument', async () => {
  const { instrument, handle } = await make()
  instrument.before = () => {
    throw new LabError({ code: 'value-unknown', kind: 'caller', message: 'shape: "blob" is not sine' })
  }
  const refused = await failure(handle.set('voltage', 1, { signal: never }))
  assert.is(refused.kind, 'caller')
  assert.is(refused.studentMessage, 'shape: "blob" is not sine')
})

test('operations go one after the other', async () => {
  const { clock, instrument, handle } = await make()
  let inside = 0
  instrument.before = async () => {
    assert.is(++inside, 1)
    await clock.sleep(10)
    inside--
  }
  const all = Promise.all([1, 2, 3].map((value) => handle.set('voltage', value, { signal: never })))
  await clock.advance(100)
  await all
  assert.equal(instrument.sets('voltage'), [1, 2, 3])
})

test('a silent one is given up at the deadline, named with command and time', async () => {
  const { clock, instrument, handle } = await make()
  instrument.before = () => silence
  const work = failure(handle.set('voltage', 1, { signal: never, timeoutMs: 700 }))
  await clock.advance(700)
  const error = await work
  assert.is(error.code, 'instrument-silent')
  assert.equal(error.details, { instrument: 'psu', command: 'set voltage to 1', elapsedMs: 700 })
})

test('what is urgent goes before what waits, and does not wait long for what is stuck', async () => {
  const { clock, instrument, handle } = await make()
  instrument.before = (operation) => (operation.value === 1 ? silence : undefined)
  const controller = new AbortController()
  const stuck = failure(handle.set('voltage', 1, { signal: controller.signal }))
  const waiting = failure(handle.set('voltage', 2, { signal: controller.signal }))
  await clock.advance(5)
  controller.abort(new LabError({ code: 'cancelled', kind: 'caller', message: 'x' }))
  const urgent = handle.set('output', false, { signal: never, urgent: true })
  await clock.advance(200)
  await urgent
  assert.is((await stuck).code, 'cancelled')
  assert.is((await waiting).code, 'cancelled')
  assert.equal(instrument.sets('voltage'), [1])
})

test('what is urgent ends what is under way though nobody aborts that, and goes at once when the driver lets go', async () => {
  const { clock, instrument, handle } = await make()
  instrument.before = ({ op }) => (op === 'read' ? clock.sleep(50) : undefined)
  const reading = failure(handle.read(['voltage'], { signal: never, timeoutMs: 7100 }))
  await clock.advance(5)
  instrument.before = undefined
  await Promise.all([handle.set('output', false, { signal: never, urgent: true }), clock.advance(50)])
  assert.is(instrument.operations.at(-1)?.atMs, 50)
  const error = await reading
  assert.is(error.code, 'operation-overtaken')
  assert.match(error.message, /psu: read voltage failed after 5 ms: .*safe state/)
  instrument.before = ({ value }) => (value === 1 ? silence : undefined)
  const stuck = failure(handle.set('voltage', 1, { signal: never, timeoutMs: 7100 }))
  await clock.advance(5)
  const urgent = handle.set('output', false, { signal: never, urgent: true })
  await clock.advance(200)
  await urgent
  assert.is((await stuck).code, 'operation-overtaken')
  // Nor does it wait for one that has left the line but not yet begun.
  const abandoned = failure(handle.set('voltage', 1, { signal: never, timeoutMs: 100 }))
  const next = failure(handle.set('voltage', 1, { signal: never, timeoutMs: 7100 }))
  await clock.advance(150)
  const second = handle.set('output', false, { signal: never, urgent: true })
  await clock.advance(200)
  await second
  assert.equal([(await abandoned).code, (await next).code], ['instrument-silent', 'operation-overtaken'])
})

test('a guard that has lost its right keeps the value from the driver', async () => {
  const { clock, instrument, handle } = await make()
  instrument.before = (operation) => (operation.value === 1 ? clock.sleep(50) : undefined)
  let right = true
  const guard = () => {
    if (!right) throw new LabError({ code: 'lease-ended', kind: 'caller', message: 'ended' })
  }
  const first = handle.set('voltage', 1, { signal: never, guard })
  const second = failure(handle.set('voltage', 2, { signal: never, guard }))
  right = false
  await clock.advance(50)
  await first
  await second
  assert.equal(instrument.sets('voltage'), [1])
})

test('a reading that is no number is garbage', async () => {
  const { instrument, handle } = await make()
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 'abc', true]) {
    instrument.answer = () => ({ voltage: { value, time: 1 } })
    assert.is((await failure(handle.read(['voltage'], { signal: never }))).code, 'instrument-garbage')
  }
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY, 1e13]) {
    instrument.answer = () => ({ voltage: { value: 1, time } })
    assert.match((await failure(handle.read(['voltage'], { signal: never }))).message, /the time of voltage is/)
  }
  instrument.answer = () => ({})
  assert.match(
    (await failure(handle.read(['voltage'], { signal: never }))).message,
    /psu: read voltage failed after 0 ms: voltage is missing/,
  )
})

test('one that is offline refuses at once', async () => {
  const { instrument, handle } = await make()
  instrument.connection(false)
  const error = await failure(handle.set('voltage', 1, { signal: never }))
  assert.is(error.code, 'instrument-offline')
  assert.match(error.message, /the cable was pulled/)
  instrument.connection(true)
  await handle.set('voltage', 1, { signal: never })
})

test('a signal that may be set seldom is not set again too soon, unless that keeps people safe', async () => {
  const clock = new ManualClock()
  const slow = memorySignals.map((signal) => (signal.name === 'voltage' ? { ...signal, minSetIntervalS: 2 } : signal))
  const instrument = new MemoryInstrument('psu', clock, slow)
  const handle = createInstrumentHandle({ name: 'psu', instrument, clock, log: recordingLog() })
  handle.start()
  await clock.advance(0)
  assert.is(handle.setWaitMs('voltage'), 0)
  await handle.set('voltage', 1, { signal: never })
  await handle.set('output', true, { signal: never })
  await handle.set('output', false, { signal: never })
  await clock.advance(500)
  assert.is(handle.setWaitMs('voltage'), 1500)
  const error = await failure(handle.set('voltage', 2, { signal: never }))
  assert.equal([error.code, error.kind, error.details.waitMs], ['set-too-soon', 'caller', 1500])
  assert.match(error.message, /voltage may be set every 2 s at most: again in 1\.5 s/)
  await handle.set('voltage', 0, { signal: never, urgent: true })
  assert.is(handle.setWaitMs('voltage'), 2000, 'from then on')
  await clock.advance(2000)
  await handle.set('voltage', 3, { signal: never })
  assert.equal(instrument.sets('voltage'), [1, 0, 3])
})

test.run()
