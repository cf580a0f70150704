import { next, type Observed, type Standing } from '@fernlab/edge/interlocks/standing'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('how an interlock stands')

const read = (holds: boolean, atMs = 0): Observed => ({ what: 'read', holds, atMs })
const unread = (inUse: boolean): Observed => ({ what: 'unread', inUse })
const reset: Observed = { what: 'reset' }
const tripped = (holds: boolean, latched: boolean, because: 'condition' | 'unread' = 'condition') =>
  ({ state: 'tripped', because, holds, latched }) as const

const cases: readonly [string, { forMs?: number; latch?: boolean }, readonly Observed[], Standing][] = [
  ['is unread until it is read', {}, [], { state: 'unread' }],
  ['is clear while the condition does not hold', {}, [read(false), read(false, 5)], { state: 'clear' }],
  ['trips at once', {}, [read(false), read(true)], tripped(true, true)],
  ['trips at the first reading', {}, [read(true)], tripped(true, true)],
  ['stays when it is over', {}, [read(true), read(false)], tripped(false, true)],
  ['does not stay where it does not latch', { latch: false }, [read(true), read(false)], { state: 'clear' }],
  ['is reset when it is over', {}, [read(true), read(false), reset], { state: 'clear' }],
  ['is not reset while it holds', {}, [read(true), reset], tripped(true, true)],
  ['is not reset when it holds again', {}, [read(true), read(false), read(true), reset], tripped(true, true)],
  ['is not reset while nothing is read', {}, [read(true), read(false), unread(true), reset], tripped(true, true)],
  ['waits for so long', { forMs: 50 }, [read(true, 0), read(true, 49)], { state: 'holding', sinceMs: 0 }],
  ['trips after so long', { forMs: 50 }, [read(true, 0), read(true, 50)], tripped(true, true)],
  [
    'begins anew after a break',
    { forMs: 50 },
    [read(true, 0), read(false, 30), read(true, 60)],
    { state: 'holding', sinceMs: 60 },
  ],
  ['trips when nothing is read', {}, [read(false), unread(true)], tripped(true, true, 'unread')],
  ['needs nobody when nobody had the bench', {}, [unread(false), read(false)], { state: 'clear' }],
  ['needs somebody when somebody had it', {}, [read(false), unread(true), read(false)], tripped(false, true, 'unread')],
  ['latches what it then finds', {}, [unread(false), read(true)], tripped(true, true)],
]
for (const [what, { forMs = 0, latch = true }, observed, expected] of cases) {
  test(what, () => {
    const start: Standing = { state: 'unread' }
    assert.equal(
      observed.reduce<Standing>((standing, one) => next(standing, one, { forMs, latch }), start),
      expected,
    )
  })
}

test('what changes nothing leaves the same object', () => {
  const rules = { forMs: 0, latch: true }
  for (const standing of [{ state: 'clear' }, tripped(false, true)] as const)
    assert.is(next(standing, read(false), rules), standing)
  const held = tripped(true, true)
  for (const one of [read(true), unread(true), reset]) assert.is(next(held, one, rules), held)
})

test.run()
