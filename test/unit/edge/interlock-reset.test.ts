import { createBench } from '@fernlab/edge/benches/bench'
import { createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import { createInterlocks } from '@fernlab/edge/interlocks/interlocks'
import { interlockEntrySchema } from '@fernlab/shared/contracts/interlocks'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { MemoryInstrument } from '../../support/edge/memory-driver.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a reset of an interlock while the disk is slow')

/** A bench whose interlock has tripped and is over, on a node whose disk takes a reset when the test says so. */
const tripped = async () => {
  const clock = new ManualClock()
  const instrument = new MemoryInstrument('psu', clock)
  const handle = createInstrumentHandle({ name: 'psu', instrument, clock, log: silentLog })
  const common = { clock, log: silentLog, onValue: () => {} }
  const bench = createBench({
    ...common,
    name: 'bench-1',
    entry: { parts: { psu: 'psu' }, safeState: { 'psu.voltage': 0 } },
    parts: new Map([['psu', handle]]),
    interlocks: { high: {} },
    fence: 0,
    newId: () => 'lease',
  })
  const written: string[] = []
  let take = () => {}
  const interlocks = createInterlocks({
    ...common,
    entries: { high: interlockEntrySchema.parse({ bench: 'bench-1', when: 'psu.voltage > 4', everyMs: 10 }) },
    benches: new Map([['bench-1', bench]]),
    latched: new Map(),
    journal: {
      append: async () => void written.push('latched'),
      attempt: () =>
        new Promise<void>((resolve) => {
          take = () => {
            written.push('reset')
            resolve()
          }
        }),
    },
  })
  handle.start()
  interlocks.start()
  const read = async (volts: number) => {
    instrument.values.set('voltage', volts)
    await clock.advance(50)
  }
  await read(0)
  await read(9)
  assert.equal(written, ['latched'])
  await read(0)
  assert.equal([bench.status.state, bench.status.interlocks?.[0]?.holds], ['fault', false])
  return { bench, interlocks, read, written, take: () => take() }
}
const ended = (work: Promise<unknown>) =>
  work.then(
    () => 'it was reset',
    (error: unknown) => (error instanceof LabError ? `${error.code}: ${error.message}` : String(error)),
  )

test('is refused where the condition came back meanwhile, though it is over again', async () => {
  const { bench, interlocks, read, written, take } = await tripped()
  const reset = ended(interlocks.reset(bench))
  await read(9)
  await read(0)
  take()
  assert.match(await reset, /^interlock-holds: interlock high .* came back meanwhile/)
  assert.equal(written, ['latched', 'reset', 'latched'])
  assert.is(bench.status.state, 'fault')
  const again = ended(interlocks.reset(bench))
  take()
  assert.is(await again, 'it was reset')
  assert.is(bench.status.interlocks?.[0]?.state, 'clear')
})

test('does not count any more once who asked has been told that it did not', async () => {
  const { bench, interlocks, written, take } = await tripped()
  const late = new AbortController()
  const reset = ended(interlocks.reset(bench, 'high', late.signal))
  late.abort(new LabError({ code: 'deadline-exceeded', kind: 'caller', message: 'too late' }))
  take()
  assert.is(await reset, 'deadline-exceeded: too late')
  assert.equal(written, ['latched', 'reset', 'latched'])
  assert.is(bench.status.state, 'fault')
})

test.run()
