/** The simulated driver in time: streams, pulses, pauses; numbered samples at full rate. */
import type { Block, Instrument } from '@fernlab/edge/drivers/driver'
import { createSimulatedDriver } from '@fernlab/edge/drivers/simulated/simulated'
import { type Clock, ManualClock, systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { cpuMs } from '../../support/cpu-time.ts'
import { suite } from '../../support/suite.ts'

const test = suite('simulated driver', { timeoutMs: 20_000 })
const never = new AbortController().signal

const make = (clock: Clock, model: string, settings: object = {}): Promise<Instrument> =>
  createSimulatedDriver().create(
    { model, settings },
    {
      name: 'model-1',
      clock,
      log: silentLog,
      configFolder: '.',
      openTransport: async () => {
        throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a model needs no transport' })
      },
    },
  )

/** Collects a stream until the controller aborts; the promise gives all of it. */
async function collect(
  stream: AsyncIterable<Block> | undefined,
  into: { time: number[]; columns: Record<string, number[]> },
) {
  assert.ok(stream)
  for await (const block of stream) {
    into.time.push(...block.time)
    for (const [name, column] of Object.entries(block.columns)) {
      into.columns[name] ??= []
      into.columns[name].push(...column)
    }
  }
}

const empty = () => ({ time: [] as number[], columns: {} as Record<string, number[]> })
const value = async (instrument: Instrument, name: string) =>
  Number((await instrument.read([name], never))[name]?.value)

test('a stream holds every sample of its rate, whatever is read and set meanwhile', async () => {
  const clock = new ManualClock()
  const cell = await make(clock, 'hodgkin-huxley')
  const controller = new AbortController()
  const got = empty()
  const done = collect(cell.stream?.(['potential', 'total_current'], 20_000, controller.signal), got)
  for (let ms = 0; ms < 300; ms += 7) {
    await clock.advance(7)
    await cell.read(['potential'], never)
    if (ms === 98) await cell.set('current', 10, never)
  }
  controller.abort()
  await clock.advance(0)
  await done
  assert.is(got.time.length, 301 * 20 + 1)
  const start = got.time[0] ?? 0
  for (const [i, time] of got.time.entries()) assert.ok(Math.abs(time - start - i / 20_000) < 1e-6)
  const first = (got.columns.total_current ?? []).indexOf(10)
  assert.ok(Math.abs(first / 20 - 105) <= 0.1, `the step is at ${first / 20} ms`)
  assert.ok(Math.max(...(got.columns.potential ?? [])) > 30)
  await cell.close()
})

test('two streams at different rates both get all of theirs', async () => {
  const clock = new ManualClock()
  const cell = await make(clock, 'hodgkin-huxley')
  const controller = new AbortController()
  const [fast, slow] = [empty(), empty()]
  const done = [
    collect(cell.stream?.(['m'], 10_000, controller.signal), fast),
    collect(cell.stream?.(['h'], 300, controller.signal), slow),
  ]
  await clock.advance(100)
  controller.abort()
  await clock.advance(0)
  await Promise.all(done)
  assert.is(fast.time.length, 1001)
  assert.is(slow.time.length, 31)
})

test('two pulses come at their interval in model time, and the peak counts from the second', async () => {
  const clock = new ManualClock()
  const cell = await make(clock, 'hodgkin-huxley')
  const respond = async (interval: number) => {
    await cell.call('reset', {}, never)
    await cell.call('s1_s2', { s1: 40, s2: 40, duration: 0.5, interval, delay: 5 }, never)
    await clock.advance(interval + 30)
    return { peak: await value(cell, 'peak'), spikes: await value(cell, 'spikes') }
  }
  const [early, late] = [await respond(6), await respond(20)]
  assert.is(early.spikes, 1)
  assert.ok(early.peak < 0)
  assert.is(late.spikes, 2)
  assert.ok(late.peak > 30)
  await cell.close()
})

test('a long pause costs little and ends in the steady state', async () => {
  const clock = new ManualClock()
  const cell = await make(clock, 'hodgkin-huxley')
  await cell.set('current', 2, never)
  await clock.advance(24 * 3600 * 1000)
  const startedMs = cpuMs()
  const potential = await value(cell, 'potential')
  assert.ok(cpuMs() - startedMs < 500)
  assert.ok(Math.abs(potential + 63.5) < 0.2, `${potential}`)
})

test('a time scale slows the model down', async () => {
  const clock = new ManualClock()
  const cell = await make(clock, 'hodgkin-huxley', { timeScale: 0.1 })
  await cell.set('current', 10, never)
  await clock.advance(2000)
  const spikes = await value(cell, 'spikes')
  // 200 ms of the model at 68 Hz.
  assert.ok(spikes >= 13 && spikes <= 15, `${spikes}`)
})

test('refuses settings and models that it lacks, with their place', async () => {
  const driver = createSimulatedDriver()
  assert.equal(
    driver.check({ model: 'hodgkin-huxley', settings: { timeScale: 'fast' } }).map((issue) => issue.path),
    ['settings.timeScale'],
  )
  assert.match(driver.check({ model: 'perceptron' })[0]?.message ?? '', /hodgkin-huxley/)
})

test('the ramp source numbers every sample, at 2,000,000 a second', async () => {
  const source = await make(systemClock, 'ramp-source', { channels: 2 })
  const controller = new AbortController()
  const [startedMs, startedCpuMs] = [performance.now(), cpuMs()]
  let next = 0
  let firstTime = 0
  let lastTime = 0
  for await (const block of source.stream?.(['ch1', 'ch2'], 2_000_000, controller.signal) ?? []) {
    const { ch1, ch2 } = block.columns
    assert.ok(ch1 !== undefined && ch2 !== undefined)
    for (let i = 0; i < ch1.length; i += 1) {
      if (ch1[i] !== next || ch2[i] !== next) assert.unreachable(`sample ${next} is ${ch1[i]}`)
      next += 1
    }
    assert.ok((block.time[0] ?? 0) > lastTime)
    firstTime ||= block.time[0] ?? 0
    lastTime = block.time.at(-1) ?? 0
    if (next > 2_000_000) controller.abort()
  }
  const [elapsedS, cpuS] = [(performance.now() - startedMs) / 1000, (cpuMs() - startedCpuMs) / 1000]
  const rateHz = (next - 1) / (lastTime - firstTime)
  assert.ok(Math.abs(rateHz / 2e6 - 1) < 0.001, `${rateHz} Hz by its own times`)
  assert.ok(next / elapsedS < 2.2e6, `${next} samples in ${elapsedS} s`)
  // As fast as that also takes no more of a processor than there is, whoever else has it meanwhile.
  assert.ok(cpuS < next / 2e6, `${cpuS} s of a processor for ${next / 2e6} s`)
})

test.run()
