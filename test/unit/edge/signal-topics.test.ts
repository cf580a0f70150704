import { createSignalTopics } from '@fernlab/edge/link/signal-topics'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('signals as retained topics')

interface Sent {
  readonly to: string
  readonly value: unknown
  readonly atMs: number
}

const make = () => {
  const clock = new ManualClock()
  const sent: Sent[] = []
  const payloads: Record<string, unknown>[] = []
  const broker = { connected: true }
  const topics = createSignalTopics({
    clock,
    connected: () => broker.connected,
    publish: (instrument, signal, payload) => {
      const read = JSON.parse(payload) as Record<string, unknown>
      payloads.push(read)
      sent.push({ to: `${instrument}/${signal}`, value: read.value, atMs: clock.monotonic() })
    },
  })
  const note = (value: number | boolean, signal = 'voltage') =>
    topics.note('psu', signal, value, 'V', clock.now() / 1000)
  return { clock, sent, payloads, broker, topics, note }
}

test('a payload has the value, its unit and when it was true', async () => {
  const { clock, sent, payloads, note } = make()
  note(3.3)
  await clock.advance(250)
  assert.is(sent[0]?.to, 'psu/voltage')
  assert.equal(payloads, [{ value: 3.3, unit: 'V', time: '2026-01-01T00:00:00.000Z' }])
})

test('a signal goes out once a second at most, the latest value last, and the others do not wait for it', async () => {
  const { clock, sent, note } = make()
  for (let i = 0; i <= 300; i++) {
    note(i)
    if (i === 100) note(1, 'current')
    await clock.advance(10)
  }
  await clock.advance(2000)
  const voltages = sent.filter(({ to }) => to === 'psu/voltage')
  voltages.slice(1).forEach(({ atMs }, i) => {
    assert.ok(atMs - (voltages[i]?.atMs ?? 0) >= 1000)
  })
  assert.ok(voltages.length >= 3 && voltages.length <= 5, `${voltages.length} times`)
  assert.is(voltages.at(-1)?.value, 300)
  assert.is(sent.filter(({ to }) => to === 'psu/current').length, 1)
})

test('a reading that comes late does not undo what was set after it', async () => {
  const { clock, sent, topics, note } = make()
  note(3.3)
  const readAtS = clock.now() / 1000
  await clock.advance(1500)
  note(0)
  topics.note('psu', 'voltage', 3.3, 'V', readAtS + 0.1)
  await clock.advance(2000)
  assert.equal(
    sent.map(({ value }) => value),
    [3.3, 0],
  )
  // A clock that was set back an hour does not silence the signal.
  topics.note('psu', 'voltage', 1.5, 'V', clock.now() / 1000 - 3600)
  await clock.advance(2000)
  assert.is(sent.at(-1)?.value, 1.5)
})

test('a value that stays is repeated once a minute', async () => {
  const { clock, sent, note } = make()
  for (let i = 0; i < 1300; i++) {
    note(5)
    await clock.advance(100)
  }
  assert.is(sent.length, 3)
})

test('while the broker is away nothing is kept but the latest, which goes out when it is back', async () => {
  const { clock, sent, broker, topics, note } = make()
  broker.connected = false
  for (let i = 1; i <= 5; i++) {
    note(i)
    note(i % 2 === 0, 'output')
    await clock.advance(1500)
  }
  assert.equal(sent, [])
  broker.connected = true
  topics.republish()
  assert.equal(
    sent.map(({ to, value }) => [to, value]),
    [
      ['psu/voltage', 5],
      ['psu/output', false],
    ],
  )
})

test('what waits goes out at the end, and nothing after it', async () => {
  const { clock, sent, topics, note } = make()
  note(1)
  await clock.advance(250)
  note(0)
  topics.close()
  note(2)
  await clock.advance(5000)
  assert.equal(
    sent.map(({ value }) => value),
    [1, 0],
  )
})

test.run()
