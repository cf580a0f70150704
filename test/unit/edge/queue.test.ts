import { createBench } from '@fernlab/edge/benches/bench'
import { createRunPlans } from '@fernlab/edge/engine/plan'
import { createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import type { AttemptOutbox, DocumentBody, Outbox } from '@fernlab/edge/outbox/outbox'
import { createQueue } from '@fernlab/edge/queue/queue'
import type { Journal } from '@fernlab/edge/store/journal'
import type { InterlockStatus } from '@fernlab/shared/contracts/interlocks'
import { encode } from '@fernlab/shared/links/codec'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { MemoryInstrument } from '../../support/edge/memory-driver.ts'
import { protocolOf } from '../../support/edge/node.ts'
import { assignmentOf } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the queue after a restart')

/** A node that was killed while a run was under way, on a bench of a supply with a safe state and a meter without. */
const restart = async (
  prepare: (instruments: { psu: MemoryInstrument; dmm: MemoryInstrument }) => void,
  { cleanUp, interlocks = [] }: { cleanUp?: string; interlocks?: readonly InterlockStatus[] } = {},
) => {
  const clock = new ManualClock()
  const instruments = { psu: new MemoryInstrument('psu', clock), dmm: new MemoryInstrument('dmm', clock) }
  prepare(instruments)
  const handles = Object.values(instruments).map((instrument) =>
    createInstrumentHandle({ name: instrument.spec.name, instrument, clock, log: silentLog }),
  )
  const bench = createBench({
    name: 'bench-1',
    entry: { parts: { psu: 'psu', dmm: 'dmm' }, safeState: { 'psu.output': false } },
    parts: new Map(handles.map((handle) => [handle.name, handle])),
    fence: 0,
    clock,
    log: silentLog,
    newId: () => 'lease',
    onValue: () => {},
  })
  bench.interlocked(interlocks)
  const documents: DocumentBody[] = []
  const attempt: AttemptOutbox = {
    runId: 'r1',
    attempt: 1,
    nextSeq: 1,
    committed: 1,
    accepted: true,
    rows: {},
    moved: new Set(),
    append: async (_kind, more) => void documents.push(...more),
    below: async () => {},
  }
  const protocol = protocolOf('  - set: {psu.output: true}\n  - wait: 3600')
  const cut = assignmentOf(cleanUp === undefined ? protocol : { ...protocol, cleanUp: protocolOf(cleanUp).steps })
  const row = { state: 'running', next_seq: 1, acknowledged: 0, rows: '{}', assignment: encode(cut) }
  const queue = createQueue({
    benches: new Map([['bench-1', bench]]),
    plans: createRunPlans(),
    outbox: { open: () => attempt } as unknown as Outbox,
    journal: { attempt: async () => {} } as unknown as Journal,
    database: { read: async () => [row] },
    clock,
    log: silentLog,
    node: { name: 'n1', version: '0', clockOffsetMs: () => undefined },
    onValue: () => {},
  })
  await queue.restore()
  for (const handle of handles) handle.start()
  await clock.advance(0)
  return { clock, bench, documents, ...instruments }
}
const gone = () => new LabError({ code: 'x', kind: 'link', message: 'no such port' })
const stopOf = ([stop]: readonly DocumentBody[]) => {
  if (stop?.name !== 'stop') throw new Error('there is no stop document')
  return stop.doc
}

test('the supply is made safe at once though the meter is unplugged, and the stop document says so', async () => {
  const { clock, psu, documents } = await restart(({ dmm }) => {
    dmm.failOpen = gone()
  })
  assert.equal(psu.sets('output'), [false])
  await clock.advance(30_000)
  assert.is(stopOf(documents).state, 'interrupted')
  assert.equal(stopOf(documents).safeState, { reached: true })
})

test('a supply that does not come back is named in the stop document', async () => {
  const { clock, documents } = await restart(({ psu }) => {
    psu.failOpen = gone()
  })
  await clock.advance(30_000)
  assert.is(stopOf(documents).safeState.reached, false)
  assert.match(stopOf(documents).safeState.error?.message ?? '', /psu is offline: no such port/)
})

test('the clean-up waits for the first reading of an interlock, but not for one that has to be reset', async () => {
  const cleanUp = '  - set: {psu.voltage: 0.5}'
  const one = { name: 'hot', when: 'dmm.current > 1' }
  const { clock, bench, psu, documents } = await restart(() => {}, {
    cleanUp,
    interlocks: [{ ...one, state: 'unread' }],
  })
  await clock.advance(1000)
  assert.equal([psu.sets('voltage'), documents.length], [[], 0])
  bench.interlocked([{ ...one, state: 'clear' }])
  await clock.advance(1000)
  assert.equal(psu.sets('voltage'), [0.5])
  assert.equal(stopOf(documents).cleanUp, { done: true, tries: 1 })

  const tripped = { ...one, state: 'tripped', reason: 'it was', holds: false, latched: true } as const
  const latched = await restart(() => {}, { cleanUp, interlocks: [tripped] })
  await latched.clock.advance(1000)
  assert.is(stopOf(latched.documents).cleanUp?.error?.code, 'bench-fault')
})

test.run()
