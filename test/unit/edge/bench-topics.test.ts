/** Bench states go out bounded in rate, and the last one always. */
import type { Bench } from '@fernlab/edge/benches/bench'
import { createBenchTopics } from '@fernlab/edge/link/bench-topics'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('bench topics')

function setUp() {
  const clock = new ManualClock()
  const sent: string[] = []
  const bench = { name: 'b', status: { state: 'free', since: '0' } } as { name: string; status: Bench['status'] }
  const topics = createBenchTopics({ clock, publish: ({ status }) => sent.push(`${status.state} ${status.run ?? ''}`) })
  const become = (state: 'free' | 'busy', run?: string) => {
    bench.status = { state, since: String(clock.now()), ...(run === undefined ? {} : { run }) }
    topics.note(bench as Bench)
  }
  const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))
  return { clock, sent, bench: bench as Bench, topics, become, turn }
}

test('a change goes out after its turn, without any timer', async () => {
  const { sent, become, turn } = setUp()
  become('busy', 'r1')
  assert.equal(sent, [])
  await turn()
  assert.equal(sent, ['busy r1'])
})

test('a state that has come back is not published again', async () => {
  const { clock, sent, bench, topics, become, turn } = setUp()
  topics.publish(bench)
  await clock.advance(500)
  become('busy', 'r1')
  become('free')
  await turn()
  await clock.advance(500)
  assert.equal(sent, ['free '])
})

test('at most one in 100 ms, and the last one in the end', async () => {
  const { clock, sent, become, turn } = setUp()
  become('busy', 'r1')
  await turn()
  await clock.advance(60)
  become('free')
  await turn()
  become('busy', 'r2')
  await turn()
  assert.equal(sent, ['busy r1'])
  await clock.advance(40)
  assert.equal(sent, ['busy r1', 'busy r2'])
})

test('closing publishes what waits', async () => {
  const { sent, topics, become, turn } = setUp()
  become('busy', 'r1')
  await turn()
  become('free')
  topics.close()
  assert.equal(sent, ['busy r1', 'free '])
})

test.run()
