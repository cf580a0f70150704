import { isMatched } from '@fernlab/hub/bookings/placement'
import { type Bump, type BumpRules, bumping, lossOf, type Occupant } from '@fernlab/hub/scheduling/bumping'
import type { BookedPlace } from '@fernlab/hub/scheduling/reserved'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('who is bumped for a booking')
const minute = 60_000
const rules: BumpRules = { warningMs: 5 * minute, graceMs: 10 * minute }
const place = (id: string, benches: readonly string[], fromMin: number, more: Partial<BookedPlace> = {}) => ({
  ...{ id, benches, from: fromMin * minute, until: (fromMin + 60) * minute, opens: true },
  ...more,
})
const on = (bench: string, kind: Occupant['kind'], more: Partial<Occupant> = {}): Occupant => ({
  ...{ id: `on-${bench}`, bench, kind, mayBeBumped: true, doneMs: minute, cleanUpMs: 0 },
  ...more,
})

interface More {
  readonly nowMin?: number
  readonly free?: readonly string[]
  readonly backMin?: Readonly<Record<string, number>>
}

function decided(
  places: readonly BookedPlace[],
  occupants: readonly Occupant[],
  { nowMin = 0, free = [], backMin = {} }: More = {},
) {
  const leaves = new Map(occupants.flatMap(({ bench, leaving }) => (leaving ? [[bench, leaving.atMs]] : [])))
  const backAtMs = (bench: string) => leaves.get(bench) ?? (backMin[bench] ?? 100) * minute
  return bumping({ places, occupants, backAtMs, rules }, free, nowMin * minute)
}
const inShort = ({ occupant, place: id, atMs }: Bump) => [occupant, id, atMs / minute]
const bumped = (...given: Parameters<typeof decided>) => decided(...given).bumps.map(inShort)

test('a session is told in time to be gone when the booking begins, clean-up and all', () => {
  const places = [place('b', ['x'], 30)]
  const session = on('x', 'session', { cleanUpMs: 2 * minute })
  assert.equal(bumped(places, [session], { nowMin: 22.9 }), [])
  const { bumps } = decided(places, [session], { nowMin: 23 })
  assert.equal(bumps.map(inShort), [['on-x', 'b', 28]])
  assert.is(bumps[0]?.reason, 'x is booked from 1970-01-01T00:30:00.000Z, no other bench is there by then')
})

test('where it is too late for that it has its warning, but never longer than the grace period of the booking', () => {
  const places = [place('b', ['x'], 30)]
  const session = on('x', 'session', { cleanUpMs: 2 * minute })
  assert.equal(bumped(places, [session], { nowMin: 30 }), [['on-x', 'b', 35]])
  assert.equal(bumped(places, [session], { nowMin: 35 }), [['on-x', 'b', 38]])
  assert.equal(bumped(places, [session], { nowMin: 45 }), [['on-x', 'b', 45]])
})

test('nobody is bumped without leave, within a booking, or who is gone in time; nor where another bench is there', () => {
  const places = [place('b', ['x', 'y'], 30)]
  const now = { nowMin: 30 }
  assert.equal(bumped(places, [on('x', 'again', { mayBeBumped: false })], now), [])
  assert.equal(bumped([...places, place('own', ['x'], 10, { held: 'x' })], [on('x', 'session')], now), [])
  assert.equal(bumped(places, [on('x', 'session')], { nowMin: 26, backMin: { x: 29 } }), [])
  assert.equal(bumped(places, [on('x', 'session')], { ...now, free: ['y'] }), [])
  assert.equal(bumped(places, [on('x', 'session')], { nowMin: 26, backMin: { y: 30 } }), [])
  assert.equal(bumped(places, [on('z', 'session')], now), [], 'it has a bench that does not help')
})

test('who leaves for a place that began elsewhere still leaves where another place counts on the bench', () => {
  const begun = place('p', ['x'], 30, { held: 'x' })
  const told = [on('y', 'session', { leaving: { place: 'p', atMs: 34 * minute } })]
  const waiting = decided([begun, place('q', ['x', 'y'], 30)], told, { nowMin: 31 })
  assert.equal([waiting.bumps, waiting.spared], [[], []])
  assert.equal([...waiting.awaited], [['q', 'y']])
  assert.equal(decided([begun], told, { nowMin: 31 }).spared, ['on-y'])
  assert.equal(decided([begun, place('q', ['z', 'y'], 30)], told, { nowMin: 31, free: ['z'] }).spared, ['on-y'])
  assert.equal(decided([begun, place('later', ['y'], 35)], told, { nowMin: 31 }).spared, ['on-y'])
})

test('a run that can not start again is only ended where no bench is back within the grace period', () => {
  const places = [place('b', ['x', 'y'], 30)]
  const now = { nowMin: 30 }
  assert.equal(bumped(places, [on('x', 'once')], { ...now, backMin: { x: 39 } }), [])
  assert.equal(bumped(places, [on('x', 'once')], { ...now, backMin: { y: 39 } }), [])
  assert.equal(bumped(places, [on('x', 'once')], { ...now, backMin: { x: 41 } }), [['on-x', 'b', 30]])
  assert.equal(bumped(places, [on('x', 'again')], { ...now, backMin: { x: 39 } }), [['on-x', 'b', 30]])
})

test('who loses least is bumped: who has not begun, what starts again, a session, what can not start again', () => {
  const places = [place('b', ['w', 'x', 'y', 'z'], 30)]
  const all = [on('w', 'once'), on('x', 'session'), on('y', 'again'), on('z', 'waiting')]
  const order: unknown[] = []
  for (let left = all; left.length > 0; left = left.filter(({ id }) => id !== order.at(-1))) {
    order.push(bumped(places, left, { nowMin: 30 })[0]?.[0])
  }
  assert.equal(order, ['on-z', 'on-y', 'on-x', 'on-w'])
  const two = [on('x', 'session'), on('y', 'session')]
  assert.equal(bumped(places, two, { nowMin: 30, backMin: { x: 90, y: 80 } }), [['on-y', 'b', 35]])
  const runs = [on('x', 'again', { doneMs: 2 }), on('y', 'again', { doneMs: 1 })]
  assert.match(decided(places, runs, { nowMin: 30 }).bumps[0]?.reason ?? '', /^y is booked .* of 2 .* it loses least$/)
})

test('who was told once is enough; who is not needed any more is spared', () => {
  const leaving = { place: 'b', atMs: 35 * minute }
  const told = [on('x', 'session', { leaving }), on('y', 'again')]
  const at = (places: readonly BookedPlace[]) => {
    const { bumps, spared } = decided(places, told, { nowMin: 31 })
    return [bumps.map(inShort), spared]
  }
  assert.equal(at([place('b', ['x', 'y'], 30)]), [[], []])
  assert.equal(at([place('b', ['x', 'y'], 30), place('c', ['x', 'y'], 30)]), [[['on-y', 'c', 31]], []])
  for (const places of [[], [place('b', ['x', 'y'], 60)], [place('b', ['x', 'z'], 30, { held: 'z' })]]) {
    assert.equal(at(places), [[], ['on-x']])
  }
})

test('a bench that is being freed for one who waits is not left to a booking to come that has none', () => {
  const places = [place('later', ['x'], 45), place('due', ['x'], 0)]
  const leaving = on('x', 'session', { leaving: { place: 'due', atMs: 5 * minute } })
  const state = { places, occupants: [leaving], rules, backAtMs: () => 5 * minute, standing: new Map([['due', 'x']]) }
  const { awaited, delays, spared } = bumping(state, [], minute)
  assert.equal([[...awaited], spared], [[['due', 'x']], []])
  assert.equal(
    delays.map(({ place: id, beginsMs }) => [id, beginsMs]),
    [['due', 5 * minute]],
  )
})

test('while a node is away nobody of it is bumped, and who was told before still counts', () => {
  const places = [place('b', ['x', 'y'], 30)]
  const away = { nowMin: 31, backMin: { x: Number.POSITIVE_INFINITY } }
  assert.equal(bumped(places, [on('x', 'session')], away), [])
  const leaving = { place: 'b', atMs: 33 * minute }
  const told = on('x', 'session', { leaving, cleanUpMs: minute })
  const backAtMs = (bench: string) => (bench === 'x' ? Number.POSITIVE_INFINITY : 100 * minute)
  for (const [nowMin, freed] of [
    [31, 34 * minute],
    [40, 40 * minute + 1],
  ] as const) {
    const found = bumping({ places, occupants: [told, on('y', 'session')], backAtMs, rules }, [], nowMin * minute)
    assert.equal([found.bumps, found.spared], [[], []])
    assert.equal(
      found.delays.map(({ beginsMs }) => beginsMs),
      [freed],
    )
  }
  const all = bumping({ places, occupants: [], backAtMs: () => Number.POSITIVE_INFINITY, rules }, [], 31 * minute)
  assert.equal(
    all.delays.map(({ beginsMs }) => beginsMs),
    [null],
  )
})

test('why it is late, and until when, is told', () => {
  const places = [place('b', ['x'], 30)]
  const late = (occupants: readonly Occupant[], more: More = {}) =>
    decided(places, occupants, { nowMin: 31, ...more }).delays
  const stays = on('x', 'session', { mayBeBumped: false })
  assert.equal(late([stays], { backMin: { x: 80 } }), [
    {
      place: 'b',
      reason:
        'every bench that it could have is in use, and nobody there may be bumped; x is expected back at 1970-01-01T01:20:00.000Z',
      beginsMs: 80 * minute,
    },
  ])
  assert.equal(late([stays], { backMin: { x: 90 } }), [
    { place: 'b', reason: 'no bench that it could have is expected back in its time', beginsMs: null },
  ])
  assert.equal(late([on('x', 'session')]), [
    {
      place: 'b',
      reason: 'x becomes free for it at 1970-01-01T00:36:00.000Z: whoever has it was told',
      beginsMs: 36 * minute,
    },
  ])
  assert.equal(late([], { free: ['x'] }), [])
})

const names = ['w', 'x', 'y', 'z']
const anyPlaces = fc
  .array(fc.subarray(names, { minLength: 1 }), { maxLength: 4 })
  .map((all) => all.map((benches, at) => place(`b${at}`, benches, 0)))
const anyOccupant = (bench: string, kinds: readonly Occupant['kind'][]) =>
  fc
    .record({ kind: fc.constantFrom(...kinds), mayBeBumped: fc.boolean(), doneMs: fc.integer({ min: 1, max: 1000 }) })
    .map((more) => on(bench, more.kind, more))
const occupantsOf = (kinds: readonly Occupant['kind'][]) =>
  fc.tuple(...names.map((bench) => anyOccupant(bench, kinds))) as fc.Arbitrary<Occupant[]>

const weight = ({ kind, doneMs, bench }: Occupant, backMin: number): number => {
  const [rank, ms] = lossOf(kind, kind === 'session' ? backMin * minute - 5 * minute : doneMs)
  return rank * 1e9 + ms + names.indexOf(bench) * 1e-6
}

/** Of all ways to bump, those that let the most places begin, and what the least of them loses. */
function best(places: readonly BookedPlace[], occupants: readonly Occupant[], weightOf: (one: Occupant) => number) {
  let found = { begun: 0, lost: 0 }
  for (let mask = 0; mask < 1 << occupants.length; mask++) {
    const chosen = occupants.filter((_, at) => mask & (1 << at))
    if (chosen.some(({ mayBeBumped }) => !mayBeBumped)) continue
    const lost = chosen.reduce((sum, one) => sum + weightOf(one), 0)
    for (let some = 0; some < 1 << places.length; some++) {
      const begun = places
        .filter((_, at) => some & (1 << at))
        .map((one) => ({
          ...one,
          benches: one.benches.filter((bench) => chosen.some((other) => other.bench === bench)),
        }))
      if (begun.length < found.begun || (begun.length === found.begun && lost >= found.lost)) continue
      if (isMatched(begun)) found = { begun: begun.length, lost }
    }
  }
  return found
}

test('as many places begin as can, and those who lose least are bumped, as trying all ways shows', () => {
  const backMin = { w: 200, x: 210, y: 220, z: 230 }
  const given = fc.tuple(anyPlaces, occupantsOf(['waiting', 'again', 'session', 'once']))
  fc.assert(
    fc.property(given, ([places, occupants]) => {
      const { bumps } = decided(places, occupants, { backMin })
      const weightOf = (one: Occupant) => weight(one, backMin[one.bench as 'w'])
      const chosen = occupants.filter(({ id }) => bumps.some(({ occupant }) => occupant === id))
      const { begun, lost } = best(places, occupants, weightOf)
      assert.is(bumps.length, begun)
      assert.is(new Set(bumps.map(({ occupant }) => occupant)).size, bumps.length, 'each once')
      assert.ok(Math.abs(chosen.reduce((sum, one) => sum + weightOf(one), 0) - lost) < 1e-3)
    }),
    { numRuns: 300 },
  )
})

test('decided again when somebody was told, nobody else is', () => {
  fc.assert(
    fc.property(
      anyPlaces,
      occupantsOf(['waiting', 'again', 'session', 'once']),
      fc.nat(4),
      (places, occupants, later) => {
        const backMin = { w: 200, x: 210, y: 220, z: 230 }
        const { bumps } = decided(places, occupants, { backMin })
        for (const { occupant } of bumps) assert.ok(occupants.find(({ id }) => id === occupant)?.mayBeBumped)
        const told = occupants.map((one) => {
          const bump = bumps.find(({ occupant }) => occupant === one.id)
          return bump === undefined ? one : { ...one, leaving: { place: bump.place, atMs: bump.atMs } }
        })
        const again = decided(places, told, { backMin, nowMin: later })
        assert.equal([again.bumps.map(inShort), again.spared], [[], []])
      },
    ),
    { numRuns: 300 },
  )
})

test.run()
