import { createBench } from '@fernlab/edge/benches/bench'
import { startIdlePoll } from '@fernlab/edge/benches/idle-poll'
import { createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { MemoryInstrument, memorySignals, silence } from '../../support/edge/memory-driver.ts'
import { suite } from '../../support/suite.ts'

const test = suite('reading of idle benches')

/** Two benches with a meter each, polled every second. */
const make = async () => {
  const clock = new ManualClock()
  const slow = { ...memorySignals[1], name: 'slow', readS: 1 } as (typeof memorySignals)[number]
  const meters = ['a', 'b'].map((name) => new MemoryInstrument(name, clock, [...memorySignals, slow]))
  const benches = new Map(
    meters.map((instrument) => {
      const { name } = instrument.spec
      const handle = createInstrumentHandle({ name, instrument, clock, log: silentLog })
      handle.start()
      const entry = { parts: { dmm: name }, safeState: {} }
      const parts = new Map([['dmm', handle]])
      return [
        name,
        createBench({ name, entry, parts, fence: 0, clock, log: silentLog, newId: () => 'lease', onValue: () => {} }),
      ] as const
    }),
  )
  await clock.advance(0)
  const noted: string[] = []
  const stop = startIdlePoll({
    benches,
    clock,
    log: silentLog,
    everyMs: 1000,
    wanted: () => true,
    onValue: (instrument, signal) => noted.push(`${instrument}.${signal}`),
  })
  const [a, b] = meters as [MemoryInstrument, MemoryInstrument]
  const reads = (meter: MemoryInstrument) => meter.operations.map(({ what }) => what)
  return { clock, a, b, benches, noted, stop, reads }
}

test('only what is quick and leaves the instrument as it is is read', async () => {
  const { clock, a, b, noted, stop, reads } = await make()
  b.disturbs = (signal) => signal === 'current'
  await clock.advance(1000)
  assert.equal(reads(a).slice(-1), ['voltage,current,output'])
  assert.equal(reads(b).slice(-1), ['voltage,output'])
  assert.ok(noted.includes('a.current'))
  stop()
})

test('an instrument that does not answer delays no other bench', async () => {
  const { clock, a, b, stop, reads } = await make()
  a.before = () => silence
  await clock.advance(3000)
  assert.is(reads(b).length, 4)
  stop()
})

test('a bench that is taken is left alone', async () => {
  const { clock, a, benches, noted, stop, reads } = await make()
  a.before = () => clock.sleep(100)
  await clock.advance(1050)
  const before = noted.length
  const lease = benches.get('a')?.acquire({ kind: 'run', id: 'r1' })
  await clock.advance(5000)
  assert.not.ok(noted.slice(before).some((each) => each.startsWith('a.')))
  assert.is(reads(a).length, 2)
  if (lease !== undefined) void benches.get('a')?.release(lease)
  await clock.advance(2000)
  assert.ok(noted.slice(before).some((each) => each.startsWith('a.')))
  stop()
})

test.run()
