/**
 * Waiting is bounded: docs/operators.md, "Who is before whom". Whoever begins to wait as many steps later as somebody's
 * priority is given no bench before them that they could have had.
 */
import { type DecisionWithBookings, decideWithBookings } from '@fernlab/hub/scheduling/decide'
import { defaultRules, type QueueEntry } from '@fernlab/hub/scheduling/order'
import { type BookedPlace, Reserved } from '@fernlab/hub/scheduling/reserved'
import { WaitingQueue } from '@fernlab/hub/scheduling/waiting-queue'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'
import { entry, servedBy } from './waiting.ts'

const test = suite('nobody waits for ever', { timeoutMs: 120_000 })
const minute = 60_000
const { stepMs } = defaultRules
const benches = ['x', 'y']

interface Site {
  /** Every two hours somebody has booked each bench for half an hour, one after the other. */
  readonly booked: boolean
  /** In minutes of every four hours. */
  readonly closed: { readonly from: number; readonly lasts: number } | undefined
  /** Of the second bench, in minutes. */
  readonly maintained: { readonly from: number; readonly until: number } | undefined
}

/** Plays it minute by minute until the entry has a bench; who came later and began before it, and whether it could have begun then. */
function play(mine: QueueEntry, stream: readonly number[], everyMin: number, site: Site) {
  const queue = new WaitingQueue<QueueEntry>()
  queue.add(mine)
  const busy = new Map<string, number>()
  const begun: { readonly one: QueueEntry; readonly couldMine: boolean }[] = []
  const places = new Map<string, BookedPlace>()
  const begunPlaces = new Set<string>()
  let standing: DecisionWithBookings<QueueEntry>['standing'] = new Map()
  const isClosed = (bench: string, atMin: number): boolean => {
    const { closed, maintained } = site
    const inHours = closed !== undefined && (((atMin - closed.from) % 240) + 240) % 240 < closed.lasts
    return (
      inHours || (maintained !== undefined && bench === 'y' && atMin >= maintained.from && atMin < maintained.until)
    )
  }
  const freeForS = (bench: string, atMin: number): number => {
    let min = atMin
    while (min < atMin + 240 && !isClosed(bench, min)) min++
    return min === atMin + 240 ? Number.POSITIVE_INFINITY : (min - atMin) * 60
  }
  for (let min = 0; min < 8000; min++) {
    const nowMs = min * minute
    for (const [bench, until] of busy) if (until <= nowMs) busy.delete(bench)
    for (const [id, { until }] of places) if (until <= nowMs) places.delete(id)
    if (site.booked && min % 60 === 0) {
      const at = min / 60
      const from = nowMs + 120 * minute
      const id = `b${at}`
      places.set(id, { id, benches: [benches[at % 2] as string], from, until: from + 30 * minute, opens: true })
    }
    if (min > 0 && min % everyMin === 0) {
      const lastsS = (stream[(min / everyMin) % stream.length] as number) * 60
      queue.add(entry(`e${String(min).padStart(6, '0')}`, { createdAt: nowMs, priority: 1, estimatedS: lastsS }))
    }
    const free = benches.filter((bench) => !busy.has(bench) && !isClosed(bench, min))
    const open = [...places.values()].filter(({ id }) => !begunPlaces.has(id))
    const backAtMs = (bench: string) => busy.get(bench) ?? nowMs + minute
    const state = {
      lines: queue.lines(nowMs),
      freeBenches: free,
      serves: servedBy(),
      places: open,
      backAtMs,
      standing,
      freeForS: (bench: string) => freeForS(bench, min),
    }
    const lastsS = mine.estimatedS ?? 0
    const reserved = new Reserved({ places: open, backAtMs, standing }, free, nowMs)
    const started = new Set(reserved.due().map(({ bench }) => bench))
    const could = (bench: string) =>
      !started.has(bench) && lastsS <= freeForS(bench, min) && reserved.allows(bench, lastsS)
    const couldMine = free.filter(could)
    const result = decideWithBookings(state, nowMs)
    standing = result.standing
    for (const { place, bench } of result.starts) {
      begunPlaces.add(place)
      busy.set(bench, places.get(place)?.until ?? nowMs)
    }
    for (const [at, { entry: one, bench }] of result.decisions.entries()) {
      if (one === mine) {
        return { beganMs: nowMs, begun }
      }
      begun.push({ one, couldMine: at === 0 && couldMine.includes(bench) })
      queue.remove(one)
      busy.set(bench, nowMs + (one.estimatedS ?? 0) * 1000)
    }
  }
  return { beganMs: Number.POSITIVE_INFINITY, begun }
}

const anySite: fc.Arbitrary<Site> = fc.record({
  booked: fc.boolean(),
  closed: fc.option(fc.record({ from: fc.nat(239), lasts: fc.integer({ min: 1, max: 60 }) }), { nil: undefined }),
  maintained: fc.option(fc.record({ from: fc.nat(400), until: fc.integer({ min: 400, max: 2000 }) }), {
    nil: undefined,
  }),
})
const anyStream = fc.array(fc.integer({ min: 2, max: 20 }), { minLength: 1, maxLength: 6 })

test('under a stream of sooner ones, each begins, and nobody who came as many steps later is given what it could have had', () => {
  let passed = 0
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 8 }),
      // Of every two hours bookings leave 90 min: that is the longest with its margin.
      fc.integer({ min: 1, max: 30 }),
      anyStream,
      fc.constantFrom(3, 4, 5),
      anySite,
      (priority, minutes, stream, everyMin, site) => {
        const mine = entry('mine', { priority, estimatedS: minutes * 60 })
        const { beganMs, begun } = play(mine, stream, everyMin, site)
        assert.ok(Number.isFinite(beganMs), `it waits still: ${JSON.stringify(site)}`)
        for (const { one, couldMine } of begun) {
          if (one.createdAt >= priority * stepMs) assert.not.ok(couldMine, `${one.id} has what it could have had`)
          else passed++
        }
      },
    ),
    { numRuns: cases(40) },
  )
  assert.ok(passed > 100, 'sooner ones that came before that do pass')
})

test('the bound is that and no less: who comes a step before it, with a priority of 1, passes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 100 }), (priority) => {
      const order = (laterMs: number) => {
        const queue = new WaitingQueue<QueueEntry>()
        queue.add(entry('mine', { priority }))
        queue.add(entry('other', { priority: 1, createdAt: laterMs }))
        const state = { lines: queue.lines(laterMs), freeBenches: ['x'], serves: servedBy(), places: [] }
        return decideWithBookings({ ...state, backAtMs: () => 0 }, laterMs).decisions[0]?.entry.id
      }
      assert.equal([order(priority * stepMs), order((priority - 1) * stepMs - 1)], ['mine', 'other'])
    }),
  )
})

test.run()
