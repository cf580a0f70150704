import '../../support/fixed-seed.ts'
import {
  type Effective,
  effective,
  everything,
  type HeldPermission,
  nothing,
  type Who,
} from '@fernlab/hub/permissions/effective'
import { roles } from '@fernlab/shared/contracts/people'
import type { Term, Terms } from '@fernlab/shared/contracts/permissions'
import { priorities } from '@fernlab/shared/contracts/run-state'
import { termNames, usualTerms } from '@fernlab/shared/contracts/terms'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('what permissions together give')
const pupil: Who = { personId: 'p', role: 'student', groups: new Set(['optics', 'school']) }
const permission = (id: string, more: Partial<HeldPermission> = {}): HeldPermission => ({
  id,
  kind: 'everyone',
  subject: '',
  lab: null,
  protocols: null,
  fromMs: null,
  untilMs: null,
  gives: usualTerms,
  ...more,
})
const gives = (more: Partial<Terms>): Terms => ({ ...usualTerms, ...more })
const may = (
  permissions: readonly HeldPermission[],
  more: { who?: Who; lab?: string; protocol?: string; at?: number } = {},
) => effective(permissions, more.who ?? pupil, more.lab ?? 'rc', more.protocol, more.at ?? 100)

test('the most generous wins term by term, and each says where it comes from', () => {
  const both = may([
    permission('b', { gives: gives({ sessionS: 3600, priority: 7, dayS: 60, mayBeBumped: true }) }),
    permission('a', { gives: gives({ sessionS: 600, priority: 3, dayS: null, countsSetup: true }) }),
  ])
  const { sessionS, priority, dayS, mayBeBumped, countsSetup } = both.gives
  assert.equal([sessionS, priority, dayS, mayBeBumped, countsSetup], [3600, 3, null, false, false])
  assert.equal(both.sources, {
    mayQueue: 'a',
    mayBook: 'a',
    mayBeBumped: 'a',
    priority: 'a',
    sessionS: 'b',
    mostOpen: 'a',
    dayS: 'a',
    weekS: 'a',
    bookAheadS: 'a',
    mostBookings: 'a',
    countsSetup: 'b',
  })
  assert.equal(both.holding, ['a', 'b'])
})

test('only those for the person, lab and protocol count', () => {
  const counted = (more: Partial<HeldPermission>, where: Parameters<typeof may>[1] = {}) =>
    may([permission('a', more)], where).holding.length === 1
  assert.ok(counted({ kind: 'role', subject: 'student' }))
  assert.not(counted({ kind: 'role', subject: 'instructor' }))
  assert.ok(counted({ kind: 'group', subject: 'school' }))
  assert.not(counted({ kind: 'group', subject: 'chess' }))
  assert.ok(counted({ kind: 'person', subject: 'p' }))
  assert.not(counted({ kind: 'person', subject: 'q' }))
  assert.ok(counted({ lab: 'rc' }))
  assert.not(counted({ lab: 'diode' }))
  assert.ok(counted({ protocols: ['charge'] }, { protocol: 'charge' }))
  assert.not(counted({ protocols: ['charge'] }, { protocol: 'sweep' }))
  assert.ok(counted({ protocols: ['charge'] }), 'without a protocol: in any of them')
  assert.not(counted({}, { who: { ...pupil, role: 'guest' } }), 'guests look on')
})

test('a permission holds from its start until before its end', () => {
  const timed = [permission('a', { fromMs: 100, untilMs: 200 })]
  assert.equal(
    [99, 100, 199, 200].map((at) => may(timed, { at }).gives.mayQueue),
    [false, true, true, false],
  )
  assert.equal(may(timed, { at: 200 }).gives, nothing)
})

test('the usual priority is the scheduler’s', () => assert.is(usualTerms.priority, priorities.usual))

test('nobody gave anything: nothing', () => {
  assert.equal(may([]), { gives: nothing, sources: {}, holding: [] })
})

const limit = fc.option(fc.nat(100), { nil: null })
const terms: fc.Arbitrary<Terms> = fc.record({
  mayQueue: fc.boolean(),
  mayBook: fc.boolean(),
  mayBeBumped: fc.boolean(),
  priority: fc.integer({ min: 1, max: 100 }),
  sessionS: limit,
  mostOpen: limit,
  dayS: limit,
  weekS: limit,
  bookAheadS: limit,
  mostBookings: limit,
  countsSetup: fc.boolean(),
})
const instant = fc.option(fc.nat(10), { nil: null })
const held = (id: string): fc.Arbitrary<HeldPermission> =>
  fc
    .record({
      target: fc.oneof(
        fc.constant(['everyone', ''] as const),
        fc.constantFrom(...roles).map((role) => ['role', role] as const),
        fc.constantFrom('g', 'h').map((group) => ['group', group] as const),
        fc.constantFrom('p', 'q').map((person) => ['person', person] as const),
      ),
      lab: fc.constantFrom(null, 'rc', 'diode'),
      protocols: fc.constantFrom(null, ['a'], ['a', 'b']),
      fromMs: instant,
      untilMs: instant,
      gives: terms,
    })
    .map(({ target: [kind, subject], ...rest }) => ({ id, kind, subject, ...rest }))
const several = fc.nat(6).chain((count) => fc.tuple(...Array.from({ length: count }, (_, at) => held(`p${at}`))))
const whoever: fc.Arbitrary<Who> = fc.record({
  personId: fc.constantFrom('p', 'q'),
  role: fc.constantFrom(...roles),
  groups: fc.subarray(['g', 'h']).map((ids) => new Set(ids)),
})
const moment = fc.nat(12)
const protocol = fc.constantFrom(undefined, 'a', 'b')

/** No term of the one is less than of the other. */
function atLeast(more: Terms, less: Terms): boolean {
  const size = (term: Term, { [term]: value }: Terms): number => {
    if (term === 'mayQueue' || term === 'mayBook') return Number(value)
    if (term === 'mayBeBumped' || term === 'countsSetup') return -Number(value)
    if (term === 'priority') return -Number(value)
    return value === null ? Number.POSITIVE_INFINITY : Number(value)
  }
  return termNames.every((term) => size(term, more) >= size(term, less))
}

test('one more permission never takes anything away', () => {
  fc.assert(
    fc.property(several, held('more'), whoever, protocol, moment, (all, more, who, name, now) =>
      atLeast(effective([...all, more], who, 'rc', name, now).gives, effective(all, who, 'rc', name, now).gives),
    ),
    { numRuns: cases(400) },
  )
})

test('their order does not matter, nor does one said twice', () => {
  const order = several.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
  )
  fc.assert(
    fc.property(order, whoever, protocol, moment, ([all, shuffled], who, name, now) => {
      const first: Effective = effective(all, who, 'rc', name, now)
      assert.equal(effective(shuffled, who, 'rc', name, now), first)
      assert.equal(effective([...all, ...shuffled], who, 'rc', name, now).gives, first.gives)
    }),
    { numRuns: cases(300) },
  )
})

test('each term is what its source gives, and its source holds', () => {
  fc.assert(
    fc.property(several, whoever, protocol, moment, (all, who, name, now) => {
      const found = effective(all, who, 'rc', name, now)
      for (const term of termNames) {
        const source = all.find(({ id }) => id === found.sources[term])
        assert.is(found.gives[term], (source?.gives ?? nothing)[term])
        if (source === undefined) continue
        assert.ok(found.holding.includes(source.id))
        assert.ok((source.fromMs ?? 0) <= now && now < (source.untilMs ?? 99), 'it holds now')
      }
    }),
    { numRuns: cases(300) },
  )
})

test('what has ended gives nothing, and nobody is given more than an admin may', () => {
  fc.assert(
    fc.property(several, whoever, protocol, moment, (all, who, name, now) => {
      const ended = all.filter(({ untilMs }) => untilMs !== null && untilMs <= now)
      assert.equal(
        effective(all, who, 'rc', name, now).gives,
        effective(
          all.filter((one) => !ended.includes(one)),
          who,
          'rc',
          name,
          now,
        ).gives,
      )
      assert.ok(atLeast(everything, effective(all, who, 'rc', name, now).gives))
    }),
    { numRuns: cases(200) },
  )
})

test.run()
