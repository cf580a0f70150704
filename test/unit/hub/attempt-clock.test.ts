import { noPictures } from '@fernlab/hub/results/pictures-taken'
import { attemptClock, attemptNow, hasLasted, setSince } from '@fernlab/hub/runs/attempt-clock'
import { type Hold, type OpenRun, OpenRuns } from '@fernlab/hub/runs/open-runs'
import { defaultRules } from '@fernlab/hub/scheduling/order'
import { Usage } from '@fernlab/hub/scheduling/usage'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the clock of an attempt')
const hourMs = 3_600_000
const assignedAtMs = 1_800_000_000_000

/** A hub's clock that goes on, and is set meanwhile. */
const settable = () => ({
  passedMs: 0,
  setMs: 0,
  now() {
    return assignedAtMs + this.passedMs + this.setMs
  },
  monotonic() {
    return this.passedMs
  },
})
type Settable = ReturnType<typeof settable>

/** As it is when it is assigned, and as it is read from the disk later. */
const holdOf = (clock: Settable, fence: number): Hold => ({
  ...{
    bench: 'n1.one',
    node: 'n1',
    fence,
    nextSeq: 0,
    rows: {},
    pictures: noPictures(),
    accepted: true,
    sentAt: 0,
    cancelSentAt: 0,
  },
  ...attemptClock(assignedAtMs, clock),
})
const runOf = (id: string, hold: Hold) =>
  ({
    id,
    personId: 'p',
    lab: { id: 'small' },
    estimatedS: 1,
    state: 'running',
    parameters: {},
    hold,
  }) as unknown as OpenRun & { readonly hold: Hold }
const used = () => new Usage(defaultRules.windowMs)

for (const where of ['open', 'unreturned'] as const) {
  const none = { open: [], unreturned: [] }
  const read = (run: OpenRun & { readonly hold: Hold }) => ({ ...none, [where]: [run] })
  const holdIn = (runs: OpenRuns) => (runs.get('a') ?? runs.unreturned.get('a'))?.hold

  test(`goes on where it is read again after a failed write, however the hub's clock was set (${where})`, () => {
    const clock = settable()
    const runs = new OpenRuns()
    runs.replace(read(runOf('a', holdOf(clock, 4))), defaultRules, used())
    clock.setMs += hourMs
    clock.passedMs += 1000
    assert.is(setSince(holdIn(runs), clock), hourMs)
    runs.replace(read(runOf('a', holdOf(clock, 4))), defaultRules, used())
    clock.passedMs += 1000
    assert.is(attemptNow(holdIn(runs), clock), assignedAtMs + 2000)
    assert.is(setSince(holdIn(runs), clock), hourMs)
  })

  test(`is that of the disk for another attempt (${where})`, () => {
    const clock = settable()
    const runs = new OpenRuns()
    runs.replace(read(runOf('a', holdOf(clock, 4))), defaultRules, used())
    clock.setMs += hourMs
    runs.replace(read(runOf('a', holdOf(clock, 5))), defaultRules, used())
    assert.is(attemptNow(holdIn(runs), clock), assignedAtMs + hourMs)
  })
}

test('is not found to be set once what came late is put right, but for as much as a message is under way', () => {
  const clock = settable()
  const hold = holdOf(clock, 4)
  clock.passedMs += 10_000
  const told = (lateMs: number) => {
    hasLasted(hold, { activeAt: assignedAtMs + 1000, seconds: (clock.passedMs - 1000 - lateMs) / 1000 }, clock)
    return setSince(hold, clock)
  }
  assert.equal([told(20), told(1500), told(20)], [0, 1500, 0])
  clock.setMs += hourMs
  assert.equal([told(20), told(40)], [hourMs + 20, hourMs + 20])
})

test.run()
