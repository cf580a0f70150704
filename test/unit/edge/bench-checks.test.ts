import { createBench } from '@fernlab/edge/benches/bench'
import { createBenchChecks } from '@fernlab/edge/checks/bench-checks'
import { type CheckKind, checkKind } from '@fernlab/edge/checks/check-kind'
import { identifyKind } from '@fernlab/edge/checks/kinds/identify'
import { createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import type { CheckEntry } from '@fernlab/shared/contracts/bench-checks'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import * as z from 'zod'
import { MemoryInstrument, silence } from '../../support/edge/memory-driver.ts'
import { suite } from '../../support/suite.ts'

const test = suite('checks of benches on the node')

const entry = (more: Partial<CheckEntry>): CheckEntry => ({
  kind: 'identify',
  config: { part: 'psu' },
  retries: 0,
  failuresBeforeOut: 1,
  passesBeforeBack: 1,
  everyS: 10,
  ...more,
})

/** A bench with one instrument in memory, and a kind of check `scripted` whose outcome the test decides. */
const make = async (checks: Record<string, CheckEntry>) => {
  const clock = new ManualClock()
  const instrument = new MemoryInstrument('psu-1', clock)
  const handle = createInstrumentHandle({ name: 'psu-1', instrument, clock, log: silentLog })
  handle.start()
  const bench = createBench({
    name: 'b',
    entry: { parts: { psu: 'psu-1' }, safeState: {}, checks },
    parts: new Map([['psu', handle]]),
    fence: 0,
    clock,
    log: silentLog,
    newId: () => 'lease',
    onValue: () => {},
  })
  const scripted = { tries: 0, outcome: async (): Promise<void> => {} }
  const kind: CheckKind = checkKind({
    kind: 'scripted',
    config: z.strictObject({}),
    harmless: true,
    findings: () => [],
    perform: async () => {
      scripted.tries++
      await scripted.outcome()
    },
  })
  await clock.advance(0)
  let told = 0
  const round = createBenchChecks({
    benches: new Map([['b', bench]]),
    kinds: [kind, identifyKind],
    clock,
    log: silentLog,
    onReport: () => told++,
  })
  const report = (name: string) => round.reports(bench).find((each) => each.name === name)
  return { clock, bench, instrument, scripted, round, report, told: () => told }
}

test('each is done every so often, and how often it went so in a row is counted', async () => {
  const { clock, round, report, told } = await make({ psu: entry({}) })
  await clock.advance(500)
  assert.equal([report('psu')?.passed, report('psu')?.passes], [true, 1])
  await clock.advance(20_000)
  assert.is(report('psu')?.passes, 3)
  assert.is(told(), 3)
  round.close()
  await clock.advance(20_000)
  assert.is(report('psu')?.passes, 3)
})

test('it has failed only when its last retry has', async () => {
  const { clock, scripted, round, report } = await make({ net: entry({ kind: 'scripted', config: {}, retries: 2 }) })
  let answers = 1
  scripted.outcome = async () => {
    if (scripted.tries > answers) throw new LabError({ code: 'x', kind: 'link', message: 'no answer' })
  }
  await clock.advance(0)
  assert.is(report('net')?.passes, 1)
  answers = Number.NEGATIVE_INFINITY
  await clock.advance(11_000)
  assert.is(scripted.tries, 3, 'a second try after a second')
  assert.is(report('net')?.passed, true)
  await clock.advance(1000)
  assert.equal([report('net')?.passed, report('net')?.failures, report('net')?.reason], [false, 1, 'no answer'])
  round.close()
})

test('what does not answer in time has failed', async () => {
  const { clock, scripted, round, report } = await make({ net: entry({ kind: 'scripted', config: {}, timeoutS: 3 }) })
  await clock.advance(0)
  scripted.outcome = () => silence
  await clock.advance(12_999)
  assert.is(report('net')?.passed, true)
  await clock.advance(1)
  assert.is(report('net')?.reason, 'no answer within 3 s')
  round.close()
})

test('an instrument is asked who it is only while nobody holds the bench', async () => {
  const { clock, bench, instrument, round, report } = await make({ psu: entry({}) })
  const lease = bench.acquire({ kind: 'run', id: 'r' })
  await clock.advance(60_000)
  assert.is(instrument.identified, 0)
  await bench.release(lease)
  await clock.advance(499)
  assert.is(instrument.identified, 0, 'between two runs it is let alone')
  await clock.advance(1)
  assert.is(instrument.identified, 1)
  assert.is(report('psu')?.passed, true)
  round.close()
})

test('a check is given up without a verdict when somebody takes the bench', async () => {
  const { clock, bench, instrument, round, report } = await make({ psu: entry({}) })
  instrument.before = () => silence
  await clock.advance(500)
  assert.is(instrument.identified, 1)
  instrument.before = undefined
  const lease = bench.acquire({ kind: 'run', id: 'r' })
  const reading = lease.read([{ part: 'psu', signal: 'current' }], new AbortController().signal)
  await clock.advance(300)
  assert.ok((await reading)['psu.current'] !== undefined)
  assert.is(report('psu'), undefined)
  await bench.release(lease)
  await clock.advance(500)
  assert.is(report('psu')?.passed, true)
  round.close()
})

test('another instrument than the pattern says is a failure that names both', async () => {
  const { clock, instrument, round, report } = await make({
    psu: entry({ config: { part: 'psu', pattern: '^Rigol' } }),
  })
  instrument.identity = 'Fernlab,FPS-3303,7,1.0'
  await clock.advance(500)
  assert.is(report('psu')?.reason, 'psu-1 says that it is "Fernlab,FPS-3303,7,1.0", which does not match "^Rigol"')
  round.close()
})

test('asked for, all that may be done are done at once', async () => {
  const { clock, bench, scripted, round } = await make({
    net: entry({ kind: 'scripted', config: {}, everyS: 3600 }),
    psu: entry({ everyS: 3600 }),
  })
  await clock.advance(500)
  const passes = async () => {
    const reports = round.now(bench)
    await clock.advance(0)
    return (await reports).map(({ passes: count }) => count)
  }
  assert.equal(await passes(), [2, 2])
  const lease = bench.acquire({ kind: 'direct', id: 'somebody' })
  assert.equal(await passes(), [3, 2], 'who uses the bench is not disturbed')
  assert.is(scripted.tries, 3)
  await bench.release(lease)
  round.close()
})

test.run()
