import { type BookedBench, FleetBook } from '@fernlab/hub/fleet/fleet-book'
import { attemptClock } from '@fernlab/hub/runs/attempt-clock'
import { createBenchTimes } from '@fernlab/hub/runs/bench-times'
import { type OpenRun, OpenRuns } from '@fernlab/hub/runs/open-runs'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('when a bench is expected back')
const begunMs = 1_800_000_000_000

/** In how many seconds the bench is back as expected, and at the latest, `passedS` after the run on it began. */
function back(passedS: number, run: Partial<OpenRun>): (number | null)[] {
  const clock = {
    now: () => begunMs + passedS * 1000,
    monotonic: () => passedS * 1000,
    sleep: undefined,
    after: undefined,
  }
  const book = new FleetBook(clock)
  Object.assign(book.node('n'), { online: true, ready: true })
  const bench = {
    id: 'n.one',
    node: 'n',
    reported: 'busy',
    runId: 'a',
    refusedUntil: 0,
    plans: [],
  } as unknown as BookedBench
  book.benches.set(bench.id, bench)
  const runs = new OpenRuns()
  runs.byId.set('a', {
    ...{ id: 'a', lab: { id: 'small', protocols: {} }, estimatedS: 100, state: 'running', startedAt: begunMs },
    ...{ hold: attemptClock(begunMs, clock), ...run },
  } as unknown as OpenRun)
  const { backInS, latestInS } = createBenchTimes({ runs, book, clock: clock as never })
  return [backInS(bench), latestInS(bench)]
}

test('a run may be slower by a quarter of all that it was expected to last, and half a minute, however long it has run', () => {
  assert.equal(back(0, {}), [100, 155])
  assert.equal(back(40, {}), [60, 115])
  assert.equal(back(120, {}), [1, 35])
})

test('what its node tells of what is left counts, and takes nothing from what was allowed for', () => {
  const told = (secondsLeft: number) => ({ live: { secondsLeft } }) as Partial<OpenRun>
  assert.equal(back(40, told(30)), [30, 115])
  assert.equal(back(40, told(200)), [200, 280])
})

test('a session ends on time, and its clean-up may be slow', () => {
  const session = { stage: 'active', seconds: 100, activeAt: begunMs, endsAt: begunMs + 100_000 } as const
  assert.equal(back(40, { session }), [60, 90])
  assert.equal(back(40, { session: { ...session, stage: 'finishing' } }), [1, 30])
})

test('who leaves for a booking leaves then', () => {
  assert.equal(back(40, { bumped: { place: 'b', atMs: begunMs + 50_000 } }), [10, 40])
})

test.run()
