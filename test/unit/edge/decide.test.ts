import { decide, type View } from '@fernlab/edge/inbox/decide'
import { createInbox, narrowest } from '@fernlab/edge/inbox/inbox'
import { checkSet } from '@fernlab/edge/instruments/check-set'
import type { SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Accepted } from '@fernlab/shared/contracts/sync'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what a node takes in')

const assignment = { bench: 'b', fence: 5, attempt: 2 }
const free: View = {
  known: false,
  newestAttempt: undefined,
  bench: { state: 'free', reason: undefined, fence: 4, queued: 0, direct: false },
  disk: undefined,
}
const withBench = (more: Partial<NonNullable<View['bench']>>): View => ({
  ...free,
  bench: { ...(free.bench as NonNullable<View['bench']>), ...more },
})
const full = new LabError({ code: 'disk-full', kind: 'configuration', message: 'full', retry: 'later' })
const broken = new LabError({ code: 'database-failed', kind: 'bug', message: 'disk I/O error' })

for (const [what, view, kind, code] of [
  ['a new assignment for a free bench is accepted', free, 'accept', undefined],
  ['one that waits behind a run is accepted', withBench({ state: 'busy', queued: 1 }), 'accept', undefined],
  [
    'a known attempt is a duplicate, even when the disk is full',
    { ...free, known: true, disk: full },
    'duplicate',
    undefined,
  ],
  ['an equal fence of an unknown attempt was executed before', withBench({ fence: 5 }), 'stale', 'fence-stale'],
  ['a lower fence is stale', withBench({ fence: 6 }), 'stale', 'fence-stale'],
  ['an older attempt of a known run is stale', { ...free, newestAttempt: 3 }, 'stale', 'attempt-stale'],
  ['an unknown bench is refused', { ...free, bench: undefined }, 'refuse', 'bench-unknown'],
  ['a full disk is named', { ...free, disk: full }, 'refuse', 'disk-full'],
  ['a broken disk is refused for now only', { ...free, disk: broken }, 'refuse', 'disk-refuses'],
  ['an offline bench is refused', withBench({ state: 'offline', reason: 'psu is off' }), 'refuse', 'bench-offline'],
  ['a bench in fault is refused', withBench({ state: 'fault' }), 'refuse', 'bench-fault'],
  ['a bench under maintenance is refused', withBench({ state: 'maintenance' }), 'refuse', 'bench-maintenance'],
  ['a bench in direct use is refused', withBench({ state: 'busy', direct: true }), 'refuse', 'bench-busy'],
  ['a bench with a long queue is refused', withBench({ state: 'busy', queued: 9 }), 'refuse', 'bench-busy'],
] as const) {
  test(what, () => {
    const decision = decide(assignment, view)
    assert.is(decision.kind, kind)
    if ('error' in decision) {
      assert.is(decision.error.code, code)
      assert.is(decision.error.retry, 'later')
    }
  })
}

test('what the disk does not take is refused for now only', async () => {
  const answers: Accepted[] = []
  const inbox = createInbox({
    benches: new Map([['b', { name: 'b', status: { state: 'free' }, fence: 0 } as never]]),
    queue: {
      find: () => undefined,
      newestAttempt: () => undefined,
      length: () => 0,
      accept: async () => {
        throw broken
      },
    } as never,
    plans: { find: () => ({}) as never, keep: () => {} },
    diskTrouble: () => undefined,
    answer: (answer) => answers.push(answer),
    log: silentLog,
  })
  const whole = { ...assignment, runId: 'r', lab: 'l', protocol: 'p', protocolDigest: 'd', definition: {} }
  inbox.receive({ assignments: [{ ...whole, parameters: {}, limits: {}, maxSeconds: 1 }] })
  await inbox.settled()
  assert.equal(answers[0]?.accepted, [])
  const [refused] = answers[0]?.refused ?? []
  assert.equal([refused?.runId, refused?.error.code, refused?.error.retry], ['r', 'disk-refuses', 'later'])
})

const voltage: SignalSpec = {
  name: 'v',
  unit: 'V',
  dtype: 'number',
  shape: [],
  kind: 'reading',
  access: 'read-set',
  limits: { low: 0, high: 30 },
}
const set = (value: number | string | boolean, unit?: string, high?: number, spec = voltage) =>
  checkSet({
    label: 'psu.v',
    spec,
    value,
    unit,
    limits: [{ of: 'bench', limits: high === undefined ? undefined : { high } }],
  })
const code = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return (error as LabError).code
  }
  return 'none'
}

test('values are converted, and refused where the narrowest limit ends', () => {
  assert.is(set(500, 'mV'), 0.5)
  assert.is(
    code(() => set(31)),
    'value-out-of-limits',
  )
  assert.is(
    code(() => set(6, undefined, 5)),
    'value-out-of-limits',
  )
  assert.is(
    code(() => set(-1)),
    'value-out-of-limits',
  )
  assert.is(
    code(() => set(5000.001, 'mV', 5)),
    'value-out-of-limits',
  )
  assert.is(
    code(() => set(1, 'A')),
    'unit-mismatch',
  )
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    assert.is(
      code(() => set(value)),
      'value-not-finite',
    )
  assert.is(
    code(() => set('1')),
    'value-of-wrong-type',
  )
  assert.is(
    code(() => set(1, undefined, undefined, { ...voltage, access: 'read' })),
    'signal-not-settable',
  )
  assert.is(set(1, undefined, undefined, { ...voltage, dtype: 'boolean' }), true)
  assert.is(
    code(() => set(1.5, undefined, undefined, { ...voltage, dtype: 'integer' })),
    'value-of-wrong-type',
  )
})

test('no value outside of any limit ever passes', () => {
  fc.assert(
    fc.property(fc.double(), fc.double({ noNaN: true, min: -100, max: 100 }), (value, high) => {
      const passed = code(() => set(value, undefined, high)) === 'none'
      assert.is(passed, value >= 0 && value <= 30 && value <= high)
    }),
  )
})

test('limits of several sources are narrowed side by side', () => {
  assert.equal(narrowest({ a: { low: 0, high: 5 } }, { a: { low: -1, high: 3 }, b: { high: 1 } }), {
    a: { low: 0, high: 3 },
    b: { high: 1 },
  })
})

test.run()
