import { decide } from '@fernlab/hub/scheduling/decide'
import { explain } from '@fernlab/hub/scheduling/explain'
import type { QueueEntry } from '@fernlab/hub/scheduling/order'
import { Usage } from '@fernlab/hub/scheduling/usage'
import { WaitingQueue } from '@fernlab/hub/scheduling/waiting-queue'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { decided, entry, explained, pairs, queueOf, type Serving, served } from './waiting.ts'

const test = suite('who gets which bench when')
const minute = 60_000

test('gives the free benches to those who come first', () => {
  const queue = queueOf([entry('c', { createdAt: 2 }), entry('a'), entry('b', { createdAt: 1 })])
  assert.equal(pairs(decided(queue, ['x', 'y'])), [
    ['a', 'x'],
    ['b', 'y'],
  ])
})

test('a lower priority is sooner, and ten minutes of waiting are worth one', () => {
  const urgent = entry('urgent', { priority: 3, createdAt: 5 * minute })
  assert.equal(served(queueOf([entry('usual'), urgent])), ['urgent', 'usual'])
  const late = entry('late', { priority: 3, createdAt: 35 * minute })
  assert.equal(served(queueOf([entry('usual'), late])), ['usual', 'late'])
})

test('nobody who comes as many steps later as the priority says passes', () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), fc.integer({ min: 1, max: 100 }), fc.nat(100), (createdAt, priority, laterMs) => {
      const first = entry('first', { createdAt, priority, personId: 'heavy' })
      const second = entry('second', { createdAt: createdAt + priority * 10 * minute + laterMs, priority: 1 })
      const queue = queueOf([second, first])
      queue.release(entry('before', { personId: 'heavy' }), 1e9, createdAt)
      assert.is(served(queue, 'x', second.createdAt)[0], 'first')
    }),
  )
})

test('of equal numbers, who has used the benches least within the window comes first', () => {
  const queue = queueOf([entry('a'), entry('b', { createdAt: 1 }), entry('c', { createdAt: 2 })])
  queue.release(entry('a'), 90_000, 0)
  queue.release(entry('b'), 30_000, 0)
  assert.equal(served(queue), ['c', 'b', 'a'])
})

test('what was used leaves the window', () => {
  const week = 7 * 24 * 60 * minute
  const later = 8 * 24 * 60 * minute
  const queue = queueOf([entry('a', { createdAt: later }), entry('b', { createdAt: later + 1 })])
  queue.release(entry('a'), 90_000, 0)
  assert.is(queue.usedS('a'), 90)
  assert.equal(served(queue, 'x', later + 1), ['a', 'b'])
  const used = new Usage(week)
  used.ended('a', 5000, 0)
  assert.equal([...used.advance(week - used.slotMs)], [])
  assert.equal([...used.advance(week)], ['a'])
  assert.is(used.of('a'), 0)
})

test('runs of one person let those of others in between, whoever came first', () => {
  const many = ['m1', 'm2', 'm3'].map((id, at) => entry(id, { personId: 'many', createdAt: at }))
  assert.equal(served(queueOf([...many, entry('one', { createdAt: 9 })])), ['m1', 'one', 'm2', 'm3'])
})

test('waiting counts from when one’s own for the same lab could have been done', () => {
  const queue = new WaitingQueue<QueueEntry>()
  const add = (id: string, personId: string, createdAt: number, labId = 'any') => {
    const one = entry(id, {
      personId,
      createdAt,
      labId,
      countsFrom: queue.countsFrom(personId, labId, createdAt),
      estimatedS: 300,
    })
    queue.add(one)
    return one
  }
  const own = [1, 2, 3, 4].map((at) => add(`m${at}`, 'many', 0))
  assert.equal(
    own.map(({ countsFrom }) => countsFrom),
    [0, 5 * minute, 10 * minute, 15 * minute],
  )
  assert.is(queue.countsFrom('many', 'other', 1), 1)
  // Who comes 11 minutes later stands before none that waits since the first step, but with those of the second.
  add('late', 'late', 11 * minute)
  assert.equal(served(queue, 'x', 11 * minute), ['m1', 'm2', 'late', 'm3', 'm4'])
  assert.is(queue.countsFrom('many', 'any', 1), 1, 'nothing of it waits any more')
})

test('passes over an entry whose benches are taken, without letting it lose its place', () => {
  const queue = queueOf([entry('a', { wantedBench: 'z' }), entry('b', { createdAt: 1 })])
  assert.equal(pairs(decided(queue, ['x'])), [['b', 'x']])
  assert.equal(pairs(decided(queue, ['z'])), [['a', 'z']])
})

test('gives no run to a bench that can’t serve it, wanted or not', () => {
  const queue = queueOf([entry('a', { labId: 'l', wantedBench: 'x' }), entry('b', { labId: 'k', createdAt: 1 })])
  assert.equal(pairs(decided(queue, ['x', 'y'], { l: ['y'], k: ['x'] })), [['b', 'x']])
})

test('of several free benches gives the one that the fewest others need', () => {
  const queue = queueOf([entry('a', { labId: 'wide' }), entry('b', { labId: 'narrow', createdAt: 1 })])
  const decisions = decided(queue, ['x', 'y'], { wide: ['x', 'y'], narrow: ['x'] }, 7000)
  assert.equal(pairs(decisions), [
    ['a', 'y'],
    ['b', 'x'],
  ])
  assert.is(
    decisions[0]?.reason,
    'first in line for y after 7 s, of 2 free benches the one that the fewest others need',
  )
  assert.is(decisions[1]?.reason, 'first in line for x after 7 s')
})

const labs = ['l', 'k', 'm']
const benches = ['x', 'y', 'z']
const anyEntries = fc
  .array(
    fc.record({
      personId: fc.constantFrom('p', 'q', 'r', 's'),
      labId: fc.constantFrom(...labs),
      wantedBench: fc.option(fc.constantFrom(...benches), { freq: 4 }),
      priority: fc.integer({ min: 1, max: 8 }),
      createdAt: fc.integer({ min: 0, max: 60 }).map((at) => at * minute),
      estimatedS: fc.integer({ min: 0, max: 600 }),
    }),
    { maxLength: 25 },
  )
  .map((some) => some.map((one, at) => entry(`e${String(at).padStart(2, '0')}`, one)))
const anyServing = fc.record(
  Object.fromEntries(labs.map((lab) => [lab, fc.subarray(benches)])),
) as fc.Arbitrary<Serving>
const anyUse = fc.array(fc.tuple(fc.constantFrom('p', 'q', 'r', 's'), fc.nat(900_000)), { maxLength: 5 })

const withUse = (entries: readonly QueueEntry[], use: readonly (readonly [string, number])[]) => {
  const queue = queueOf(entries)
  for (const [personId, ms] of use) queue.release(entry('', { personId, estimatedS: 0 }), ms, 0)
  return queue
}
const can = (serving: Serving, { lab, wantedBench }: QueueEntry, bench: string) =>
  (wantedBench === null || wantedBench === bench) && serving[lab.id]?.includes(bench)

test('no bench is given twice, none idles while somebody waits who could use it, and nobody better placed is passed over', () => {
  fc.assert(
    fc.property(anyEntries, anyServing, fc.subarray(benches), anyUse, (entries, serving, free, use) => {
      const queue = withUse(entries, use)
      const decisions = decided(queue, free, serving, 60 * minute)
      const given = decisions.map(({ bench }) => bench)
      assert.is(new Set(given).size, given.length)
      assert.is(new Set(decisions.map(({ entry }) => entry.id)).size, given.length)
      for (const { entry, bench } of decisions) assert.ok(free.includes(bench) && can(serving, entry, bench))
      const left = free.filter((bench) => !given.includes(bench))
      const waiting = entries.filter((one) => !decisions.some(({ entry }) => entry === one))
      for (const one of waiting) assert.not.ok(left.some((bench) => can(serving, one, bench)))
      // Alone with the benches that are left when it is its turn, each would be first.
      for (const [at, { entry: chosen }] of decisions.entries()) {
        const rest = free.filter((bench) => !given.slice(0, at).includes(bench))
        const passed = decisions.slice(at + 1).map(({ entry }) => entry)
        const place = queue.placeOf(chosen)
        for (const one of [...passed, ...waiting]) {
          if (!rest.some((bench) => can(serving, one, bench))) continue
          const other = queue.placeOf(one)
          assert.ok(
            place &&
              other &&
              (place.number < other.number || (place.number === other.number && place.usedS <= other.usedS)),
          )
        }
      }
    }),
  )
})

test('the order in which entries came into memory does not matter', () => {
  const shuffled = anyEntries.chain((entries) =>
    fc.tuple(fc.constant(entries), fc.shuffledSubarray([...entries], { minLength: entries.length })),
  )
  fc.assert(
    fc.property(shuffled, anyServing, anyUse, ([entries, others], serving, use) => {
      const one = decided(withUse(entries, use), benches, serving, 60 * minute)
      const other = decided(withUse(others, use), [...benches].reverse(), serving, 60 * minute)
      assert.equal(pairs(one), pairs(other))
    }),
  )
})

test('what is added, given, returned and cancelled one by one stands as if it had been sorted at once', () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(24), fc.nat(900_000)), { maxLength: 60 })
  fc.assert(
    fc.property(anyEntries, steps, (entries, moves) => {
      const queue = new WaitingQueue<QueueEntry>()
      const held = new Set<QueueEntry>()
      const ended: [string, number][] = []
      for (const [what, at, ms] of moves) {
        const one = entries[at]
        if (one === undefined) continue
        if (what === 0 && !queue.has(one) && !held.has(one)) queue.add(one)
        if (what === 1 && queue.has(one)) {
          queue.remove(one)
          queue.hold(one)
          held.add(one)
        }
        if (what === 2 && held.delete(one)) {
          queue.release(one, ms, 0)
          ended.push([one.personId, ms])
        }
        if (what === 3) queue.remove(one)
        // Reading now and then puts places right bit by bit.
        if (ms % 2 === 0) queue.lines(0)
      }
      const again = withUse(
        entries.filter((one) => queue.has(one)),
        ended,
      )
      for (const one of held) again.hold(one)
      const places = (of: WaitingQueue<QueueEntry>) =>
        [...of.lines(0)]
          .map(({ places }) => places.map(({ entry, number, usedS }) => [entry.id, number, usedS]))
          .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))
      assert.equal(places(queue), places(again))
      assert.is(queue.size, again.size)
    }),
  )
})

test('the explained places are those in which one bench serves', () => {
  fc.assert(
    fc.property(anyEntries, anyUse, (entries, use) => {
      const anywhere = entries.map((one) => ({ ...one, wantedBench: null }))
      const queue = withUse(anywhere, use)
      const told = anywhere.map((one) => [explained(queue, one, [{ id: 'x', freeInS: 0 }]).position, one.id] as const)
      const order = served(queue, 'x', 0)
      assert.equal(
        [...told].sort(([a], [b]) => a - b).map(([, id]) => id),
        order,
      )
    }),
  )
})

test('tells the place and the time of those that wait', () => {
  const last = entry('c', { createdAt: 2 })
  const queue = queueOf([entry('a'), entry('b', { createdAt: 1 }), last])
  assert.equal(explained(queue, last, [{ id: 'x', freeInS: 30 }]), {
    position: 3,
    reason: '2 runs before you, about 50 s',
    inS: 50,
  })
  const two = [
    { id: 'x', freeInS: 30 },
    { id: 'y', freeInS: 5 },
  ]
  assert.is(explained(queue, last, two).inS, 25, 'two benches halve the wait')
})

test('what a person waits for on the bench is part of the time', () => {
  const one = entry('a')
  const state = { lines: [...queueOf([one]).lines(0)], serves: () => true, setUpS: 20 }
  const place = { entry: one, number: 5, usedS: 0 }
  assert.equal(explain(place, { ...state, benches: [{ id: 'x', freeInS: 30 }] }), {
    position: 1,
    reason: 'the bench is in use, you are next, about 50 s',
    inS: 50,
  })
  assert.equal(explain(place, { ...state, benches: [{ id: 'x', freeInS: 0 }] }).reason, 'you are next, about 20 s')
  assert.is(explain(place, { ...state, benches: [{ id: 'x', freeInS: null }] }).inS, null)
})

test('says why some who came later stand before', () => {
  const mine = entry('mine')
  const queue = queueOf([
    mine,
    entry('earlier', { createdAt: -1, personId: 'other' }),
    entry('urgent', { createdAt: 1, priority: 4 }),
    entry('fresh', { createdAt: 2 }),
  ])
  queue.release(entry('mine'), 5000, 0)
  assert.is(
    explained(queue, mine, [{ id: 'x', freeInS: 30 }]).reason,
    '3 runs before you, about 60 s; one of them has a sooner priority; one of them has used the benches less lately',
  )
})

test('only rivals for the same benches count, and they use theirs first', () => {
  const mine = entry('mine', { labId: 'l', createdAt: 3 })
  const queue = queueOf([
    entry('other', { labId: 'k' }),
    entry('far', { labId: 'l', wantedBench: 'z', createdAt: 1 }),
    entry('both', { labId: 'b', createdAt: 2 }),
    mine,
  ])
  const all = [
    { id: 'x', freeInS: 20 },
    { id: 'y', freeInS: 0 },
    { id: 'z', freeInS: 0 },
  ]
  const serving = { l: ['x'], k: ['y'], b: ['x', 'y'] }
  assert.equal(explained(queue, mine, all, serving), {
    position: 2,
    reason: 'one run before you, about 20 s',
    inS: 20,
  })
})

test('behind many, the work before is shared by the benches', () => {
  const many = Array.from({ length: 1000 }, (_, at) => entry(`e${at}`, { createdAt: at }))
  const last = entry('last', { createdAt: 2000 })
  const benches = [
    { id: 'x', freeInS: 0 },
    { id: 'y', freeInS: 500 },
    { id: 'z', freeInS: null },
  ]
  const { position, inS } = explained(queueOf([...many, last]), last, benches)
  assert.equal([position, inS], [1001, 5250])
})

test('says that no bench is up, and why', () => {
  const mine = entry('a', { labId: 'l' })
  const down = [{ id: 'x', freeInS: null, reason: 'its node is not connected' }]
  assert.equal(explained(queueOf([mine]), mine, down), {
    position: 1,
    reason: 'no bench is up: its node is not connected',
    inS: null,
  })
  assert.is(explained(queueOf([mine]), mine, down, { l: [] }).reason, 'no bench serves this lab')
})

test('a bench that is free for a while goes to the first that ends in time, wherever in the line', () => {
  const entries = [entry('long', { estimatedS: 120 }), entry('b', { createdAt: 1 }), entry('c', { createdAt: 2 })]
  const freeForS = (bench: string) => (bench === 'x' ? 60 : bench === 'y' ? 10 : 9)
  const given = (benches: string[]) =>
    pairs(decide({ lines: queueOf(entries).lines(0), freeBenches: benches, serves: () => true, freeForS }, 0))
  assert.equal(given(['x', 'z']), [['b', 'x']])
  assert.equal(given(['y', 'x']), [
    ['b', 'x'],
    ['c', 'y'],
  ])
  assert.equal(given(['z']), [])
})

test.run()
