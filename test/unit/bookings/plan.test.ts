import { claimsOf, freeBenches, nearestFree } from '@fernlab/hub/bookings/free-times'
import { type Claim, overlap, place } from '@fernlab/hub/bookings/placement'
import { Plan } from '@fernlab/hub/bookings/plan'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('bookings on benches', { timeoutMs: 30_000 })

const claim = (id: string, from: number, until: number, ...benches: string[]): Claim => ({ id, from, until, benches })

/** Tries every bench for every claim. */
function canAll(claims: readonly Claim[], held: readonly { claim: Claim; bench: string }[] = []): boolean {
  const [first, ...rest] = claims
  if (first === undefined) return true
  return first.benches.some(
    (bench) =>
      !held.some((other) => other.bench === bench && overlap(other.claim, first)) &&
      canAll(rest, [...held, { claim: first, bench }]),
  )
}

/** Takes it in, which must be possible. */
function take(plan: Plan, ...claims: readonly Claim[]): void {
  const change = plan.tryOut(claims)
  if (change === undefined) throw new Error(`${claims.map(({ id }) => id)} did not fit`)
  plan.apply(change)
}

function assertSound(claims: readonly Claim[], benchOf: (id: string) => string | undefined): void {
  for (const [at, one] of claims.entries()) {
    const bench = benchOf(one.id) ?? ''
    assert.ok(one.benches.includes(bench), `${one.id} is on ${bench}`)
    for (const other of claims.slice(0, at)) {
      assert.not(benchOf(other.id) === bench && overlap(one, other), `${one.id} and ${other.id} are both on ${bench}`)
    }
  }
}

const closed = () => []
const kinds = [['a', 'b', 'c'], ['a', 'b'], ['b', 'c'], ['a'], ['c']]
const someClaims = (most: number) =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 6 }), fc.constantFrom(...kinds)), {
      maxLength: most,
    })
    .map((list) => list.map(([from, length, benches], at) => claim(`c${at}`, from, from + length, ...benches)))

test('finds benches for all exactly when there are some', () => {
  fc.assert(
    fc.property(someClaims(9), (claims) => {
      const placement = place(claims)
      assert.is(placement !== undefined, canAll(claims))
      if (placement !== undefined) assertSound(claims, (id) => placement.get(id))
    }),
    { numRuns: cases(2000) },
  )
})

test('goes back to what is in the way, not through all that lies between', () => {
  const between = Array.from({ length: 20 }, (_, at) => [
    claim(`between ${at}`, 10 + at, 80, `x${at}`, `y${at}`),
    claim(`only x${at}`, 200, 210, `x${at}`),
  ]).flat()
  const others = ['q', 'r', 's'].map((bench) => claim(`only ${bench}`, 200, 210, 'q', bench))
  // It takes p first, which fewer want; that this is wrong shows at the end.
  const all = [claim('long', 0, 100, 'p', 'q'), ...between, claim('last', 90, 95, 'p'), ...others]
  const placement = place(all)
  assert.is(placement?.get('long'), 'q')
  assertSound(all, (id) => placement?.get(id))
  assert.is(place([...all, claim('too many', 92, 99, 'p', 'q')]), undefined)
})

test('takes one after the other as brute force does, and never puts two on one bench', () => {
  const change = fc.record({ leave: fc.option(fc.nat(9), { nil: undefined }) })
  fc.assert(
    fc.property(someClaims(10), fc.array(change, { minLength: 10, maxLength: 10 }), (claims, changes) => {
      const plan = new Plan()
      let taken: Claim[] = []
      for (const [at, one] of claims.entries()) {
        const leave = changes[at]?.leave
        const leaving = new Set(leave === undefined || leave >= at ? [] : [`c${leave}`])
        const staying = taken.filter(({ id }) => !leaving.has(id))
        const found = plan.tryOut([one], leaving)
        assert.is(found !== undefined, canAll([...staying, one]), `${at}`)
        if (found === undefined) continue
        plan.apply(found)
        taken = [...staying, one]
        assertSound(taken, (id) => plan.benchOf(id))
        assert.is(plan.size, taken.length)
      }
    }),
    { numRuns: cases(1000) },
  )
})

test('several places are taken all or none', () => {
  const plan = new Plan()
  const course = claimsOf('course', { lengthMs: 10, places: 2, benches: ['a', 'b'], closed }, 0)
  take(plan, ...course)
  assert.is(plan.tryOut(claimsOf('one', { lengthMs: 5, places: 1, benches: ['a', 'b'], closed }, 9)), undefined)
  assert.ok(plan.tryOut(claimsOf('two', { lengthMs: 5, places: 2, benches: ['a', 'b'], closed }, 10)))
  assert.is(plan.tryOut(claimsOf('three', { lengthMs: 5, places: 3, benches: ['a', 'b'], closed }, 10)), undefined)
})

test('moves others to make room, but not to benches that they can not use', () => {
  const plan = new Plan()
  take(plan, claim('any', 0, 10, 'a', 'b'))
  assert.is(plan.benchOf('any'), 'a')
  take(plan, claim('only a', 5, 15, 'a'))
  assert.is(plan.benchOf('any'), 'b')
  assert.is(plan.tryOut([claim('only b', 9, 12, 'b')]), undefined)
})

test('the nearest free times are those that trying every moment finds', () => {
  const wantedKind = fc.constantFrom(...kinds)
  fc.assert(
    fc.property(
      someClaims(8),
      wantedKind,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 0, max: 18 }),
      (claims, benches, lengthMs, start) => {
        const plan = new Plan()
        for (const one of claims) {
          const found = plan.tryOut([one])
          if (found !== undefined) plan.apply(found)
        }
        const wanted = { lengthMs, places: 1, benches, closed }
        const fits = (from: number) => plan.tryOut(claimsOf('w', wanted, from)) !== undefined
        if (fits(start)) return
        const [earliest, latest] = [0, 24]
        let before: number | undefined
        let after: number | undefined
        for (let at = start - 1; at >= earliest && before === undefined; at--) if (fits(at)) before = at
        for (let at = start + 1; at <= latest && after === undefined; at++) if (fits(at)) after = at
        const found = nearestFree({ plan, wanted, start, earliest, latest })
        assert.equal([found.before, found.after], [before, after])
      },
    ),
    { numRuns: cases(1000) },
  )
})

test('as many benches are free at each moment as more could begin there', () => {
  fc.assert(
    fc.property(someClaims(8), fc.constantFrom(...kinds), (claims, benches) => {
      const plan = new Plan()
      for (const one of claims) {
        const found = plan.tryOut([one])
        if (found !== undefined) plan.apply(found)
      }
      const stretches = freeBenches(plan, { benches, closed }, { from: 0, until: 20 })
      assert.is(stretches[0]?.from, 0)
      assert.is(stretches.at(-1)?.until, 20)
      for (const { from, until, free } of stretches) {
        for (let at = from; at < until; at++) {
          const now = [...plan.claims].filter((one) => one.from <= at && at < one.until)
          const more = (count: number) =>
            Array.from({ length: count }, (_, n) => claim(`m${n}`, at, at + 1, ...benches))
          assert.ok(canAll([...now, ...more(free)]), `${free} at ${at}`)
          if (free < benches.length) assert.not(canAll([...now, ...more(free + 1)]), `more than ${free} at ${at}`)
        }
      }
    }),
    { numRuns: cases(300) },
  )
})

test('ten thousand bookings on fifty benches are taken and refused without delay', () => {
  const benches = Array.from({ length: 50 }, (_, at) => `b${at}`)
  const lab = [benches, benches.slice(0, 30), benches.slice(20)]
  const plan = new Plan()
  const hour = 3_600_000
  let refused = 0
  for (let at = 0; at < 10_000; at++) {
    const from = ((at * 7919) % 340) * hour
    const found = plan.tryOut([claim(`c${at}`, from, from + hour, ...(lab[at % 3] ?? []))])
    if (found === undefined) refused++
    else plan.apply(found)
  }
  assert.is(refused, 0)
  assert.is(plan.tryOut(claimsOf('more', { lengthMs: 340 * hour, places: 30, benches, closed }, 0)), undefined)
})

test('a calendar of many benches with much in it is told at once', () => {
  const benches = Array.from({ length: 200 }, (_, at) => `b${at}`)
  const plan = new Plan()
  const closed = () => []
  const lasting = { lengthMs: 40, places: 40, benches, closed }
  for (let at = 0; at < 1000; at += 10) {
    const change = plan.tryOut(claimsOf(`one-${at}`, lasting, at))
    assert.ok(change)
    plan.apply(change)
  }
  const stretches = freeBenches(plan, { benches, closed }, { from: 0, until: 1000 })
  assert.equal(stretches.at(-1), { from: 30, until: 1000, free: 40 })
})

test.run()
