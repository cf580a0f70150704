import { createBench } from '@fernlab/edge/benches/bench'
import { type Attempt, judge, runAttempt, type StopCause } from '@fernlab/edge/engine/run'
import { createVisit } from '@fernlab/edge/engine/visit'
import { createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import type { AttemptOutbox, DocumentBody } from '@fernlab/edge/outbox/outbox'
import type { EventPageDoc, StopDoc } from '@fernlab/shared/contracts/documents'
import type { Assignment } from '@fernlab/shared/contracts/sync'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { MemoryInstrument, silence } from '../../support/edge/memory-driver.ts'
import { protocolOf } from '../../support/edge/node.ts'
import { assignmentOf } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the engine')

interface Rig {
  readonly clock: ManualClock
  readonly psu: MemoryInstrument
  readonly dmm: MemoryInstrument
  readonly documents: DocumentBody[]
  /** Commits so far by kind; `hold` keeps them from being on disk. */
  hold: Promise<void> | undefined
  /** While set, more wait for the disk than the outbox takes. */
  full: boolean
  start(steps: string, more?: Partial<Assignment>): Attempt
  stop(): StopDoc
  /** Rows of a stream, its pages joined. */
  column(stream: string, name: string): number[]
}

/** Advances in small steps, all that is due at each done before the next. */
const pass = async (clock: ManualClock, ms: number) => {
  for (let left = ms; left > 0; left -= 5) {
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(Math.min(5, left))
  }
  await new Promise((resolve) => setImmediate(resolve))
}

const makeRig = async (): Promise<Rig> => {
  const clock = new ManualClock()
  const [psu, dmm] = [new MemoryInstrument('psu', clock), new MemoryInstrument('dmm', clock)]
  const handles = [psu, dmm].map((instrument) =>
    createInstrumentHandle({ name: instrument.spec.name, instrument, clock, log: silentLog }),
  )
  const [a, b] = handles as [(typeof handles)[number], (typeof handles)[number]]
  const bench = createBench({
    name: 'bench-1',
    entry: { parts: { psu: 'psu', dmm: 'dmm' }, safeState: { 'psu.voltage': 0, 'dmm.output': false } },
    parts: new Map([
      ['psu', a],
      ['dmm', b],
    ]),
    fence: 0,
    clock,
    log: silentLog,
    newId: () => 'lease',
    onValue: () => {},
  })
  for (const handle of handles) handle.start()
  await clock.advance(0)
  const documents: DocumentBody[] = []
  const pages = (stream: string) =>
    documents.flatMap((document): EventPageDoc[] =>
      document.name === 'event_page' && document.doc.stream === stream ? [document.doc] : [],
    )
  const rig: Rig = {
    clock,
    psu,
    dmm,
    documents,
    hold: undefined,
    full: false,
    start: (steps, more) => {
      psu.operations.length = 0
      dmm.operations.length = 0
      const protocol = protocolOf(steps)
      const assignment = assignmentOf(protocol, more)
      const outbox: AttemptOutbox = {
        runId: assignment.runId,
        attempt: 1,
        get nextSeq() {
          return documents.length
        },
        committed: 0,
        accepted: true,
        rows: {},
        moved: new Set(),
        append: async (_kind, more) => {
          documents.push(...more)
          await rig.hold
        },
        below: async (_bytes, abort) => {
          if (rig.full) await rig.clock.sleep(1e9, abort)
        },
      }
      return runAttempt({
        assignment,
        protocol,
        bench,
        outbox,
        clock,
        log: silentLog,
        node: { name: 'n1', version: '0', clockOffsetMs: () => 12 },
        visit: createVisit({ found: undefined, keep: async () => {} }),
        onValue: () => {},
      })
    },
    stop: () => {
      const last = documents.at(-1)
      if (last?.name !== 'stop') throw new Error(`the last document is ${last?.name}`)
      return last.doc
    },
    column: (stream, name) =>
      pages(stream).flatMap(({ time, columns }) => [...((name === 'time' ? time : columns[name]) as Float64Array)]),
  }
  return rig
}

test('records on schedule though each read takes its time, with true times and nothing doubled', async () => {
  const rig = await makeRig()
  let reads = 0
  rig.psu.before = (operation) =>
    operation.op === 'read' && operation.what === 'voltage' ? rig.clock.sleep(reads++ % 3 === 0 ? 7 : 2) : undefined
  const attempt = rig.start('  - record: {signals: [psu.voltage], rate: 100, stream: t, for: 1}')
  const startS = rig.clock.now() / 1000
  await pass(rig.clock, 2000)
  await attempt.ended
  const times = rig.column('t', 'time')
  assert.is(times.length, 100)
  times.forEach((time, k) => {
    const late = (time - startS) * 1000 - k * 10
    assert.ok(late >= 0 && late < 8, `sample ${k} is ${late} ms late`)
  })
  assert.equal(rig.stop().rows, { t: 100 })
})

test('leaves out samples that an instrument is too slow for, and does not shift the rest', async () => {
  const rig = await makeRig()
  rig.psu.before = (operation) =>
    operation.what === 'voltage' && operation.op === 'read' ? rig.clock.sleep(25) : undefined
  const attempt = rig.start('  - record: {signals: [psu.voltage], rate: 100, stream: t, for: 1}')
  const startS = rig.clock.now() / 1000
  await pass(rig.clock, 3000)
  await attempt.ended
  const times = rig.column('t', 'time')
  assert.is(times.length, 34, 'one each 30 ms')
  for (const [k, time] of times.entries()) assert.ok(Math.abs((time - startS) * 1000 - (k * 30 + 25)) < 1e-3)
})

test('a record with steps lasts as long as they do, and they move while it samples', async () => {
  const rig = await makeRig()
  const attempt = rig.start(`  - record:
      signals: [psu.voltage]
      rate: 10
      stream: t
      steps:
        - wait: 450 ms
        - set: {psu.voltage: 3}
        - wait: 500 ms`)
  await pass(rig.clock, 2000)
  await attempt.ended
  assert.equal(rig.column('t', 'psu.voltage'), [0, 0, 0, 0, 0, 3, 3, 3, 3, 3])
})

test('ramps in a straight line in time and ends exactly', async () => {
  const rig = await makeRig()
  const attempt = rig.start('  - ramp: {signal: psu.voltage, from: 1, to: 3, over: 1}')
  const began = rig.clock.monotonic()
  await pass(rig.clock, 1100)
  await attempt.ended
  const sets = rig.psu.operations.filter(({ op, what }) => op === 'set' && what === 'voltage').slice(0, -1)
  assert.ok(sets.length >= 20)
  for (const { value, atMs } of sets)
    assert.ok(Math.abs(Number(value) - Math.min(3, 1 + (2 * (atMs - began)) / 1000)) < 1e-9)
  assert.is(sets.at(-1)?.value, 3)
})

test('a ramp ends at a limit that is written in another unit', async () => {
  const rig = await makeRig()
  const attempt = rig.start('  - ramp: {signal: psu.voltage, from: 1000 mV, to: 3300 mV, over: 1}', {
    limits: { 'psu.voltage': { high: 3.3 } },
  })
  await pass(rig.clock, 1100)
  await attempt.ended
  assert.is(rig.stop().state, 'succeeded', rig.stop().reason)
  assert.is(rig.psu.sets('voltage').at(-2), 3.3)
})

test('of parallel branches the first failure ends the others, and nothing moves after it', async () => {
  const rig = await makeRig()
  rig.dmm.before = (operation) => {
    if (operation.op === 'set' && operation.value === 2)
      throw new LabError({ code: 'range-error', kind: 'instrument', message: 'out of range' })
  }
  const attempt = rig.start(`  - parallel:
      - - wait: 300 ms
        - set: {dmm.voltage: 2}
      - - set: {psu.voltage: 1}
        - wait: 10
        - set: {psu.voltage: 5}`)
  await pass(rig.clock, 400)
  await attempt.ended
  const stop = rig.stop()
  assert.is(stop.state, 'failed')
  assert.is(stop.error?.code, 'range-error')
  assert.match(stop.reason, /^dmm: set voltage to 2 failed after 0 ms: out of range/)
  assert.match(stop.at ?? '', /parallel/)
  await rig.clock.advance(20_000)
  assert.equal(rig.psu.sets('voltage'), [1, 0])
})

test('a branch that fails at once ends a record that has yet to begin, and the rest of the run', async () => {
  const rig = await makeRig()
  const attempt = rig.start(`  - record: {signals: [psu.voltage], rate: 10, stream: t, for: 0.1}
  - parallel:
      - - assert: {condition: 'false', message: it can not be}
      - - record: {signals: [psu.voltage], rate: 10, stream: t, for: 3600}`)
  await pass(rig.clock, 500)
  assert.is(attempt.state, 'stopped')
  await attempt.ended
  assert.is(rig.stop().error?.code, 'assertion-failed')
  assert.ok(rig.column('t', 'time').length <= 2)
})

for (const [otherwise, state] of [
  ['fail', 'failed'],
  ['continue', 'succeeded'],
] as const) {
  test(`a condition that does not come true in time: ${otherwise}`, async () => {
    const rig = await makeRig()
    const attempt = rig.start(`  - until:
      condition: psu.voltage > 1
      within: 2
      every: 100 ms
      otherwise: ${otherwise}
      steps:
        - read: {signals: [psu.voltage]}
  - set: {psu.voltage: 2}`)
    await pass(rig.clock, 3000)
    await attempt.ended
    assert.is(rig.stop().state, state)
    assert.equal(rig.psu.sets('voltage'), otherwise === 'fail' ? [] : [2, 0])
  })
}

test('its time limit ends it', async () => {
  const rig = await makeRig()
  const attempt = rig.start('  - set: {psu.voltage: 1}\n  - wait: 60', { maxSeconds: 5 })
  await pass(rig.clock, 4999)
  assert.is(attempt.state, 'running')
  await pass(rig.clock, 1)
  await attempt.ended
  assert.is(rig.stop().error?.code, 'run-too-long')
  assert.equal(rig.psu.sets('voltage'), [1, 0])
})

test('the strongest oscillation of a record is known to the steps after it', async () => {
  const rig = await makeRig()
  const angle = () => (2 * Math.PI * rig.clock.monotonic()) / 200
  rig.dmm.answer = (signals) => {
    const value = { current: 3 * Math.sin(angle()), range: 10 } as Record<string, number>
    return Object.fromEntries(signals.map((name) => [name, { value: value[name] ?? 0, time: rig.clock.now() / 1000 }]))
  }
  const attempt = rig.start(`
  - record: {signals: [dmm.current], rate: 50 Hz, stream: s, for: 1 s}
  - assert: {condition: abs(amplitude(dmm.current) - 3) < 0.001, message: another amplitude}`)
  await pass(rig.clock, 1000)
  await attempt.ended
  assert.is(rig.stop().state, 'succeeded', rig.stop().reason)
})

test('the safe stop begins at once though no commit ever ends', async () => {
  const rig = await makeRig()
  const attempt = rig.start(
    '  - set: {psu.voltage: 1}\n  - record: {signals: [psu.voltage], rate: 100, stream: t, for: 100}',
    { maxSeconds: 900 },
  )
  await pass(rig.clock, 1000)
  rig.hold = silence
  await pass(rig.clock, 1000)
  const cancelledAt = rig.clock.monotonic()
  attempt.stop({ state: 'cancelled', reason: 'enough' })
  await pass(rig.clock, 0)
  const safe = rig.psu.operations.at(-1)
  assert.equal([safe?.op, safe?.what, safe?.value, safe?.atMs], ['set', 'voltage', 0, cancelledAt])
})

test('the safe stop begins at once though the instrument is busy with something endless', async () => {
  const rig = await makeRig()
  rig.psu.before = (operation) => (operation.op === 'call' ? silence : undefined)
  const attempt = rig.start(
    '  - set: {dmm.output: true}\n  - call: {action: psu.pulse, arguments: {length: 1 s}, within: 100}',
  )
  await pass(rig.clock, 1000)
  const at = rig.clock.monotonic()
  attempt.stop({ state: 'cancelled', reason: 'enough' })
  await pass(rig.clock, 0)
  assert.is(rig.dmm.operations.at(-1)?.atMs, at)
  assert.is(rig.dmm.values.get('output'), false)
  await pass(rig.clock, 250)
  await attempt.ended
  assert.equal(rig.psu.sets('voltage'), [0])
  assert.equal(rig.stop().safeState, { reached: true })
})

test('an instrument that is lost during a wait fails the run by name, though it is back before the next step', async () => {
  const rig = await makeRig()
  const attempt = rig.start('  - set: {psu.voltage: 1}\n  - wait: 60\n  - read: {signals: [psu.voltage]}')
  await pass(rig.clock, 1000)
  rig.psu.connection(false)
  rig.psu.values.set('voltage', 0)
  rig.psu.connection(true)
  await pass(rig.clock, 100)
  await attempt.ended
  const { state, error, at } = rig.stop()
  assert.equal([state, error?.code, error?.details?.instrument], ['failed', 'instrument-lost', 'psu'])
  assert.match(error?.message ?? '', /psu was lost during the run: the cable was pulled/)
  assert.match(at ?? '', /steps\[1\]/)
})

test('what was under way on the lost instrument says more than the loss', async () => {
  const rig = await makeRig()
  const attempt = rig.start('  - set: {psu.voltage: 1}')
  rig.psu.before = async () => {
    rig.psu.connection(false)
    await rig.clock.sleep(10)
    throw new LabError({ code: 'closed', kind: 'link', message: 'the port was closed' })
  }
  await pass(rig.clock, 200)
  await attempt.ended
  assert.match(rig.stop().error?.message ?? '', /^psu: set voltage to 1 failed after 10 ms: the port was closed/)
})

for (const step of [
  'record: {signals: [psu.voltage], rate: 100, stream: t, for: 10}',
  'read: {signals: [psu.voltage]}',
]) {
  test(`nothing more is measured while the disk can not keep up: ${step}`, async () => {
    const rig = await makeRig()
    rig.full = true
    const attempt = rig.start(`  - ${step}`)
    await pass(rig.clock, 1000)
    assert.equal(
      rig.psu.operations.filter(({ op, what }) => op === 'read' && what === 'voltage'),
      [],
    )
    attempt.stop({ state: 'cancelled', reason: 'enough' })
    await pass(rig.clock, 0)
    await attempt.ended
  })
}

test('nothing touches the bench before the start document is on disk', async () => {
  const rig = await makeRig()
  let commit = () => {}
  rig.hold = new Promise((resolve) => (commit = resolve))
  const attempt = rig.start('  - set: {psu.voltage: 1}')
  await pass(rig.clock, 1000)
  assert.equal(
    rig.documents.map(({ name }) => name),
    ['start'],
  )
  assert.equal(rig.psu.operations, [])
  rig.hold = undefined
  commit()
  await pass(rig.clock, 0)
  await attempt.ended
  assert.equal(rig.psu.sets('voltage'), [1, 0])
})

test('a run that does nothing writes its start and stop together', async () => {
  const rig = await makeRig()
  const attempt = rig.start('  - wait: 0')
  await pass(rig.clock, 0)
  await attempt.ended
  assert.equal(
    rig.documents.map(({ name }) => name),
    ['start', 'stop'],
  )
  assert.is(rig.stop().documents, 1)
})

test('a page closes after a quarter of a second, so that a live plot moves', async () => {
  const rig = await makeRig()
  const attempt = rig.start('  - record: {signals: [psu.voltage], rate: 100, stream: t, for: 1}')
  await pass(rig.clock, 260)
  const pages = rig.documents.filter(({ name }) => name === 'event_page')
  assert.is(pages.length, 1)
  await pass(rig.clock, 1000)
  await attempt.ended
  assert.is(rig.column('t', 'time').length, 100)
})

test('blocks of a streaming instrument become pages without a row lost, over more than one page', async () => {
  const rig = await makeRig()
  const total = 150_000
  let sent = 0
  rig.psu.stream = async function* (signals, rateHz, abort) {
    while (!abort.aborted) {
      const count = 9973
      const time = Float64Array.from({ length: count }, (_, i) => (sent + i) / rateHz)
      const values = Float64Array.from({ length: count }, (_, i) => sent + i)
      sent += count
      yield { time, columns: { [signals[0] ?? '']: values } }
      await rig.clock.sleep(10)
    }
  }
  const attempt = rig.start(`  - record: {signals: [psu.voltage], rate: 300000, stream: t, for: 0.5}`)
  await pass(rig.clock, 1000)
  await attempt.ended
  const values = rig.column('t', 'psu.voltage')
  assert.is(values.length, total)
  assert.ok(values.every((value, i) => value === i))
  assert.equal(rig.stop().rows, { t: total })
  assert.ok(rig.documents.every((document) => document.name !== 'event_page' || document.doc.count <= 65_536))
})

test('a block with a sample that has no time is garbage', async () => {
  const rig = await makeRig()
  rig.psu.stream = async function* () {
    yield { time: Float64Array.of(1, Number.NaN, 3), columns: { voltage: Float64Array.of(1, 2, 3) } }
  }
  const attempt = rig.start('  - record: {signals: [psu.voltage], rate: 10, stream: t, for: 1}')
  await pass(rig.clock, 10)
  await attempt.ended
  assert.is(rig.stop().error?.code, 'instrument-garbage')
  assert.match(rig.stop().reason, /psu: the time of sample 1 of a block is NaN/)
})

test('what ended it decides the state: an outside cause, a failure, missing outputs', () => {
  const cause: StopCause = { state: 'cancelled', reason: 'x' }
  const failure = new LabError({ code: 'y', kind: 'instrument', message: 'y' })
  assert.is(judge(cause, failure, { tau: 'no rows' }).state, 'cancelled')
  assert.is(judge(undefined, failure, { tau: 'no rows' }).state, 'failed')
  assert.is(judge(undefined, undefined, { tau: 'no rows' }).state, 'partial')
  assert.is(judge(undefined, undefined, {}).state, 'succeeded')
})

test.run()
